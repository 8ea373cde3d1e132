"""Certificates that are replaced while the listener serves."""

import asyncio
import ssl
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme
import uvloop

from gateway.listener import Tls
from gateway.listener.tls import context
from tests.listener.conftest import PATIENCE


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    """Two authorities, each with a server's and a client's certificate."""
    root = tmp_path_factory.mktemp("tls")

    def made(name):
        authority = trustme.CA()
        path = root / f"{name}.pem"
        authority.cert_pem.write_to_path(path)
        pairs = {}
        for who in ("127.0.0.1", "client.example"):
            issued = authority.issue_cert(who)
            pem, key = root / f"{name}-{who}.pem", root / f"{name}-{who}.key"
            issued.cert_chain_pems[0].write_to_path(pem)
            issued.private_key_pem.write_to_path(key)
            pairs[who] = pem, key
        return SimpleNamespace(ca=path, server=pairs["127.0.0.1"], client=pairs["client.example"])

    return made("one"), made("other")


def tls(server, clients=None):
    mode = "optional" if clients is None else "required"
    return Tls(*server.server, None if clients is None else clients.ca, mode)


def trusting(authority, shown=None):
    made = ssl.create_default_context(cafile=str(authority.ca))
    if shown is not None:
        made.load_cert_chain(*shown.client)
    return made


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


async def status(connect, listener, given):
    client = await connect(listener, ssl=given)
    return (await client.get()).status


async def test_the_next_connection_gets_the_new_certificate_and_an_open_one_goes_on(
    listen, connect, echo, authorities
):
    one, other = authorities
    listener = await listen(echo, tls=tls(one))
    before = await connect(listener, ssl=trusting(one))
    url = listener.urls
    await listener.secure(context(tls(other)))
    assert listener.urls == url
    assert (await before.get()).status == 200
    assert await status(connect, listener, trusting(other)) == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        await connect(listener, ssl=trusting(one))


async def test_an_authority_that_is_not_trusted_any_more_is_not_by_a_resumed_session_either(
    listen, connect, echo, authorities
):
    one, other = authorities
    listener = await listen(echo, tls=tls(one, clients=one))
    shown = trusting(one, shown=one)
    assert await status(connect, listener, shown) == 200
    await listener.secure(context(tls(one, clients=other)))
    # The same context: it offers the session that it has.
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        await status(connect, listener, shown)
    assert await status(connect, listener, trusting(one, shown=other)) == 200


async def test_certificates_of_clients_can_be_asked_for_from_now_on_and_no_more(
    listen, connect, authorities
):
    seen = []

    def noted(exchange):
        seen.append(exchange.request.certificate is not None)
        exchange.respond(204, [], b"")

    one, _ = authorities
    listener = await listen(noted, tls=tls(one))
    for clients in (None, one, None):
        await listener.secure(context(tls(one, clients)))
        assert await status(connect, listener, trusting(one, shown=one)) == 204
    assert seen == [False, True, False]


async def test_nobody_who_connects_meanwhile_is_refused(listen, connect, echo, authorities):
    if not isinstance(asyncio.get_running_loop(), uvloop.Loop):
        pytest.skip("asyncio's own loop accepts in two turns, and a close between loses one")
    one, _ = authorities
    listener = await listen(echo, tls=tls(one))
    given, over = trusting(one), asyncio.Event()

    async def visits():
        count = 0
        while not over.is_set():
            assert await status(connect, listener, given) == 200
            count += 1
        return count

    visiting = [asyncio.ensure_future(visits()) for _ in range(3)]
    for _ in range(20):
        await listener.secure(context(tls(one)))
        await asyncio.sleep(0)
    over.set()
    assert min(await asyncio.gather(*visiting)) > 0


async def test_no_descriptor_is_left_behind_and_the_port_is_free_at_the_end(
    listen, connect, echo, authorities
):
    one, _ = authorities
    listener = await listen(echo, tls=tls(one))

    first = descriptors()
    for _ in range(5):
        await listener.secure(context(tls(one)))
    async with asyncio.timeout(PATIENCE):
        while descriptors() > first:  # uvloop closes handles in its next turns
            await asyncio.sleep(0)
    await listener.drain(0)
    with pytest.raises(OSError):
        await connect(listener, ssl=trusting(one))
