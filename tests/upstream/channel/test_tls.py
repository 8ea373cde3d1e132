"""TLS to backends: who is believed, and who the gateway says it is."""

import grpc
import pytest
import trustme

from gateway.call import Call
from gateway.upstream.channel import NotSentError
from gateway.upstream.spec import Tls
from tests.upstream.clients import Client, failure, opened, stream_failure, unary
from tests.upstream.servers import backend, echo

CA = trustme.CA()
OTHER_CA = trustme.CA()
TRUST = CA.cert_pem.bytes()


def pem(leaf):
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    return leaf.private_key_pem.bytes(), chain


CLIENT_KEY, CLIENT = pem(CA.issue_cert("gateway.internal"))
STRANGER_KEY, STRANGER = pem(OTHER_CA.issue_cert("gateway.internal"))


def server(name="127.0.0.1", *, ask_client=False):
    return grpc.ssl_server_credentials(
        [pem(CA.issue_cert(name))], TRUST if ask_client else None, ask_client
    )


async def who(request, context):
    return context.auth_context()["x509_subject_alternative_name"][0]


@pytest.mark.parametrize(
    ("credentials", "tls"),
    [
        (server(), Tls(ca=TRUST)),
        (server("catalog.internal"), Tls(ca=TRUST, server_name="catalog.internal")),
        (server(ask_client=True), Tls(ca=TRUST, certificate=CLIENT, key=CLIENT_KEY)),
    ],
    ids=["the address is certified", "the name is certified", "both are certified"],
)
async def test_calls_pass(make, credentials, tls):
    async with (
        backend(credentials=credentials, Echo=echo) as endpoint,
        opened(make, endpoint, tls=tls) as channel,
    ):
        assert (await unary(channel, Call("test.Echo/Echo", b"x"))).message == b"x"
        client = Client("test.Echo/Echo", [b"y"])
        await channel.stream(client)
    assert client.replies == [b"y"]


async def test_the_backend_sees_the_client_certificate(make):
    tls = Tls(ca=TRUST, certificate=CLIENT, key=CLIENT_KEY)
    async with (
        backend(credentials=server(ask_client=True), Who=who) as endpoint,
        opened(make, endpoint, tls=tls) as channel,
    ):
        assert (await unary(channel, Call("test.Echo/Who"))).message == b"gateway.internal"


@pytest.mark.parametrize(
    ("credentials", "tls"),
    [
        (server(), Tls(ca=OTHER_CA.cert_pem.bytes())),
        (server(), Tls()),
        (server("catalog.internal"), Tls(ca=TRUST)),
        (server("catalog.internal"), Tls(ca=TRUST, server_name="orders.internal")),
        (server(ask_client=True), Tls(ca=TRUST)),
        (server(ask_client=True), Tls(ca=TRUST, certificate=STRANGER, key=STRANGER_KEY)),
        (server(), Tls(ca=b"no certificate")),
        (server(), None),
        (None, Tls(ca=TRUST)),
    ],
    ids=[
        "by another authority",
        "by no public authority",
        "the address is not certified",
        "another name is certified",
        "no client certificate",
        "a stranger's client certificate",
        "the authority is no certificate",
        "the gateway speaks in the clear",
        "the backend speaks in the clear",
    ],
)
async def test_calls_are_not_sent(make, credentials, tls):
    called = []

    async def note(request, context):
        called.append(request)
        return request

    async with (
        backend(credentials=credentials, Echo=note) as endpoint,
        opened(make, endpoint, tls=tls) as channel,
    ):
        for error in (
            await failure(channel, Call("test.Echo/Echo", b"x")),
            await stream_failure(channel, Client("test.Echo/Echo", [b"x"])),
        ):
            assert error.reason == "UPSTREAM_UNAVAILABLE"
            assert error.status.message == "The backend cannot be reached."
            assert isinstance(error, NotSentError)
    assert called == []
