"""What is read of a client's certificate, and which requests it goes with."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import ssl
import subprocess
import sys
from types import SimpleNamespace

import pytest
import trustme
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from gateway.listener import Tls
from gateway.listener.client_certificate import LARGEST, read
from tests.listener.certificates import ENDS, made, name, usage

URI, DNS, EMAIL = x509.UniformResourceIdentifier, x509.DNSName, x509.RFC822Name


def test_all_that_it_says_is_read():
    names = [
        URI("spiffe://shop/billing"),
        DNS("billing.shop"),
        EMAIL("ops@shop.example"),
        URI("urn:x"),
    ]
    der = made(name(O="Shop", CN="billing"), names)
    found = read(der)
    assert found.subject == "CN=billing,O=Shop"
    assert found.uris == ("spiffe://shop/billing", "urn:x")
    assert found.dns == ("billing.shop",)
    assert found.emails == ("ops@shop.example",)
    assert found.fingerprint == hashlib.sha256(der).hexdigest()
    assert found.expires == ENDS.timestamp()
    assert not found.signs


def test_one_without_names_has_none():
    found = read(made())
    assert (found.subject, found.uris, found.dns, found.emails) == ("", (), (), ())


def test_a_subject_can_not_pass_for_another():  # RFC 4514 section 2.4: what separates is escaped
    assert read(made(name(CN="a,O=Shop"))).subject == r"CN=a\,O=Shop"
    assert read(made(name(CN="a\0b"))).subject == r"CN=a\00b"


@pytest.mark.parametrize(
    ("extension", "signs"),
    [
        pytest.param(x509.BasicConstraints(ca=True, path_length=None), True, id="an authority"),
        pytest.param(x509.BasicConstraints(ca=False, path_length=None), False, id="none"),
        pytest.param(usage(key_cert_sign=True), True, id="signs certificates"),
        pytest.param(usage(crl_sign=True), True, id="signs lists of revoked ones"),
        pytest.param(usage(digital_signature=True), False, id="signs messages"),
    ],
)
def test_whether_it_may_sign_others(extension, signs):
    assert read(made(name(CN="a"), (), extension)).signs is signs


@pytest.mark.parametrize("der", [b"", b"0", b"0\x80", bytes(LARGEST + 1)], ids=len)
def test_what_can_not_be_read_shows_nobody(der):
    assert read(der) is None


@given(st.integers(0, 600), st.integers(0, 255))
def test_a_spoilt_one_is_read_or_not_but_nothing_is_raised(at, byte):
    der = bytearray(made(name(CN="billing"), [DNS("billing.shop"), URI("spiffe://shop/billing")]))
    der[at % len(der)] = byte
    found = read(bytes(der))
    assert found is None or isinstance(found.subject, str)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    root = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    made = {
        "server": authority.issue_cert("127.0.0.1"),
        "client": authority.issue_cert("billing.shop", common_name="billing"),
    }
    for role, issued in made.items():
        issued.private_key_and_cert_chain_pem.write_to_path(root / f"{role}.pem")
    authority.cert_pem.write_to_path(root / "ca.pem")
    return SimpleNamespace(
        root=root, der=ssl.PEM_cert_to_DER_cert(made["client"].cert_chain_pems[0].bytes().decode())
    )


@pytest.fixture
def trusting(files):
    return ssl.create_default_context(cafile=str(files.root / "ca.pem"))


def seen(requests):
    """A handler that keeps what it is asked, and answers."""

    def handler(exchange):
        requests.append(exchange.request)
        exchange.respond(200, [("Content-Type", "application/json")], b"{}")

    return handler


@pytest.fixture
def shown(trusting, files):
    trusting.load_cert_chain(files.root / "client.pem")
    return trusting


@pytest.fixture
async def visit(listen, connect, files):
    """Connects to a listener that asks for certificates; what it is asked is kept."""

    async def one(context, trusted=()):
        requests = []
        tls = Tls(files.root / "server.pem", client_ca=files.root / "ca.pem")
        listener = await listen(seen(requests), tls=tls, trusted=trusted)
        return await connect(listener, ssl=context), requests

    return one


async def test_every_request_of_a_connection_has_its_certificate(visit, shown, files):
    client, requests = await visit(shown)
    await client.get("/1")
    await client.get("/2")
    first, second = (each.certificate for each in requests)
    assert first.dns == ("billing.shop",)
    assert first.fingerprint == hashlib.sha256(files.der).hexdigest()
    assert second is first  # it is read once a connection


async def test_a_client_that_shows_none_has_none(visit, trusting):
    client, requests = await visit(trusting)
    await client.get()
    assert requests[0].certificate is None


async def test_without_tls_there_is_none(dial):
    requests = []
    await (await dial(seen(requests))).get()
    assert requests[0].certificate is None


@pytest.mark.parametrize(
    ("fields", "trusted", "kept"),
    [
        pytest.param((), ["127.0.0.0/8"], True, id="a client of a trusted network's own request"),
        pytest.param(("X-Forwarded-For: 203.0.113.7",), ["127.0.0.0/8"], False, id="one passed on"),
        pytest.param(
            ("Forwarded: for=unknown",), ["127.0.0.0/8"], False, id="for nobody knows who"
        ),
        pytest.param(
            ("X-Forwarded-Proto: https",), ["127.0.0.0/8"], False, id="by its scheme only"
        ),
        pytest.param(("X-Forwarded-For: 203.0.113.7",), [], True, id="from who is not believed"),
    ],
)
async def test_a_proxys_certificate_is_not_its_clients(visit, shown, fields, trusted, kept):
    client, requests = await visit(shown, trusted)
    await client.get("/", *fields)
    assert (requests[0].certificate is not None) is kept


def test_a_listener_that_asks_for_none_loads_no_cryptography():
    code = "import sys, gateway.listener.server, json; json.dump([*sys.modules], sys.stdout)"
    loaded = json.loads(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    )
    assert "cryptography" not in loaded


async def test_a_session_that_is_taken_up_again_has_its_certificate(listen, files, shown):
    requests = []
    tls = Tls(files.root / "server.pem", client_ca=files.root / "ca.pem")
    listener = await listen(seen(requests), tls=tls)
    address = ("127.0.0.1", int(listener.urls[0].rpartition(":")[2]))

    def visit(session):
        plain = socket.create_connection(address)
        with shown.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as secure:
            secure.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert secure.recv(4096)
            return secure.session, secure.session_reused

    session, _ = await asyncio.to_thread(visit, None)
    _, again = await asyncio.to_thread(visit, session)
    assert again
    assert [request.certificate.dns for request in requests] == [("billing.shop",)] * 2
