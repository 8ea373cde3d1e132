"""The gateway's own requests: what servers may do to them, and what is told of it."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import time
from contextlib import asynccontextmanager
from itertools import chain, repeat

import pytest
import trustme
from aiohttp import web

from gateway.policies.auth.fetching import Fetcher, FetchError
from tests.policies.auth.issuer import Answer, Issuer, as_json


@pytest.fixture
async def issuer():
    async with Issuer() as each:
        yield each


@pytest.fixture
async def fetcher():
    each = Fetcher()
    yield each
    await each.close()


async def test_json_is_returned(issuer, fetcher):
    issuer.pages["/x"] = lambda _: as_json({"a": [1]})
    assert await fetcher.get(issuer.url + "/x?a=b") == ({"a": [1]}, None, issuer.url + "/x")


async def test_a_form_is_sent(issuer, fetcher):
    seen = {}

    async def answer(request):
        seen.update(await request.post(), type=request.content_type, **request.headers)
        return web.json_response({"active": True})

    application = web.Application()
    application.router.add_post("/introspect", answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/introspect"
        found = await fetcher.post(url, {"token": "a b&c"}, {"authorization": "Basic eA=="})
    finally:
        await runner.cleanup()
    assert found.json == {"active": True}
    assert seen["token"] == "a b&c"
    assert seen["type"] == "application/x-www-form-urlencoded"
    assert seen["Authorization"] == "Basic eA=="


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        (None, None),
        ("max-age=60", 60),
        ("public, Max-Age=60, must-revalidate", 60),
        ('max-age="60"', 60),
        ("no-store", 0),
        ("max-age=60, no-cache", 0),
        ("max-age=-1", None),
        ("max-age=x", None),
        ("max-age=" + "9" * 400, 9999999999),
        ("s-maxage=60", None),
    ],
)
async def test_how_long_it_may_be_kept_is_told(issuer, fetcher, field, seconds):
    headers = {} if field is None else {"cache_control": field}
    issuer.pages["/x"] = lambda _: as_json(1, **headers)
    assert (await fetcher.get(issuer.url + "/x")).max_age == seconds


@pytest.mark.parametrize(
    ("answer", "text", "status"),
    [
        pytest.param(
            as_json({}, location="/x")._replace(status=302), "answered 302", 302, id="redirect"
        ),
        pytest.param(
            as_json({}, location="/x")._replace(status=307), "answered 307", 307, id="redirect 307"
        ),
        pytest.param(as_json({})._replace(status=401), "answered 401", 401, id="unauthorized"),
        pytest.param(as_json({})._replace(status=503), "answered 503", 503, id="unavailable"),
        pytest.param(as_json({})._replace(status=201), "answered 201", 201, id="another success"),
        pytest.param(Answer(b"<html>"), "a bad document: not JSON", None, id="no JSON"),
        pytest.param(Answer(b""), "a bad document: not JSON", None, id="empty"),
        pytest.param(Answer(b'{"a":1,"a":2}'), "a member comes twice", None, id="duplicate member"),
        pytest.param(Answer(b"[" * 100), "a bad document", None, id="deep"),
        pytest.param(
            Answer(b'"' + b"x" * 600_000 + b'"'), "more than 524288 bytes", None, id="huge"
        ),
        pytest.param(
            Answer(b"", headers={"content-encoding": "gzip"}), "an encoding", None, id="packed"
        ),
    ],
)
async def test_what_is_no_answer_is_refused(issuer, fetcher, answer, text, status):
    issuer.pages["/x"] = lambda _: answer
    with pytest.raises(FetchError, match=text) as refused:
        await fetcher.get(issuer.url + "/x")
    assert refused.value.status == status
    assert issuer.asked["/x"] == 1, "no redirect is followed, and nothing is tried twice"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        pytest.param("{other}/jwks.json", id="another host"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("http://169.254.169.254/latest/meta-data/", id="the metadata of a machine"),
        pytest.param("{own}/x", id="itself"),
        pytest.param("http://[", id="no URL"),
    ],
)
async def test_no_redirect_is_followed(issuer, fetcher, location, status, monkeypatch):
    connected = []
    create = asyncio.get_running_loop().sock_connect

    async def connect(sock, address):
        connected.append(address)
        await create(sock, address)

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", connect)
    async with Issuer() as other:
        to = location.format(other=other.url, own=issuer.url)
        issuer.pages["/x"] = lambda _: as_json(other.jwks(), location=to)._replace(status=status)
        with pytest.raises(FetchError, match=f"answered {status}"):
            await fetcher.get(issuer.url + "/x")
        assert not other.asked
    assert issuer.asked == {"/x": 1}
    assert connected == [("127.0.0.1", issuer.port)]


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@asynccontextmanager
async def raw(*begin: bytes, then: bytes, pause: float = 0):
    """Serves bytes by hand, then one piece over and over; gives the URL and what was read of it."""
    sent = [0]

    async def answer(reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            for piece in chain(begin, repeat(then)):
                writer.write(piece)
                await writer.drain()
                sent[0] += len(piece)
                await asyncio.sleep(pause)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # it hung up
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks.json", sent
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("begin", "then"),
    [
        pytest.param([], b"H", id="a status line"),
        pytest.param([HEAD], b"x-a: b\r\n", id="a head"),
        pytest.param([HEAD + b"content-length: 9999\r\n\r\n"], b" ", id="a body"),
        pytest.param([HEAD + b"transfer-encoding: chunked\r\n\r\n"], b"1\r\n \r\n", id="chunks"),
        pytest.param(
            [HEAD + b"transfer-encoding: chunked\r\n\r\n1;"], b"x", id="a chunk's extension"
        ),
        pytest.param([HEAD + b"\r\n"], b" ", id="a body up to the end"),
    ],
)
async def test_what_comes_piece_by_piece_is_given_up_in_time(begin, then):
    """Every piece is there soon; the time limit is that of the whole."""
    fetcher = Fetcher(total=0.2)
    try:
        async with raw(*begin, then=then, pause=0.02) as (url, _):
            began = time.monotonic()
            with pytest.raises(FetchError, match=r"did not answer in time|the exchange failed"):
                await fetcher.get(url)
            assert time.monotonic() - began < 5
    finally:
        await fetcher.close()


@pytest.mark.parametrize(
    ("begin", "then", "text"),
    [
        pytest.param([HEAD], b"x-a: b\r\n" * 1000, "the exchange failed", id="fields"),
        pytest.param([HEAD + b"x-a: "], b"b" * 10_000, "the exchange failed", id="a field"),
        pytest.param([], b"HTTP/1.1" * 1000, "the exchange failed", id="a status line"),
        pytest.param(
            [HEAD + b"transfer-encoding: chunked\r\n\r\n"],
            b"2710\r\n" + b" " * 10_000 + b"\r\n",
            "more than 524288 bytes",
            id="chunks",
        ),
        pytest.param([HEAD + b"\r\n"], b" " * 10_000, "more than 524288 bytes", id="a body"),
    ],
)
async def test_what_never_ends_is_given_up_after_a_bounded_size(fetcher, begin, then, text):
    async with raw(*begin, then=then) as (url, sent):
        with pytest.raises(FetchError, match=text):
            await asyncio.wait_for(fetcher.get(url), 8)
        assert sent[0] < 16 << 20, "what was sent meanwhile, the buffers of two sockets included"


async def test_a_name_that_is_none_is_an_error(fetcher, monkeypatch):
    async def no_name(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", no_name)
    with pytest.raises(FetchError, match="can't be reached") as refused:
        await fetcher.get("https://id.invalid/jwks.json")
    assert refused.value.status is None


async def test_a_name_server_that_does_not_answer_is_given_up(monkeypatch):
    never = asyncio.Event()

    async def wait(*_, **__):
        await never.wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", wait)
    fetcher = Fetcher(connect=0.05)
    try:
        with pytest.raises(FetchError, match="did not answer in time"):
            await fetcher.get("https://id.invalid/jwks.json")
    finally:
        await fetcher.close()


async def test_a_slow_server_is_given_up(issuer):
    issuer.delay = 30
    fetcher = Fetcher(total=0.05)
    try:
        with pytest.raises(FetchError, match="did not answer in time"):
            await fetcher.get(issuer.url + "/jwks.json")
    finally:
        await fetcher.close()


async def test_a_cut_connection_is_an_error(issuer, fetcher):
    issuer.broken = True
    with pytest.raises(FetchError, match="the exchange failed"):
        await fetcher.get(issuer.url + "/jwks.json")


async def test_a_closed_port_is_an_error(issuer, fetcher):
    await issuer.stop()
    with pytest.raises(FetchError, match="can't be reached"):
        await fetcher.get(issuer.url + "/jwks.json")


async def test_no_cookie_is_kept(issuer, fetcher):
    seen = []

    def page(request):
        seen.append(dict(request.cookies))
        return as_json(1, set_cookie="a=b")

    issuer.pages["/x"] = page
    await fetcher.get(issuer.url + "/x")
    await fetcher.get(issuer.url + "/x")
    assert seen == [{}, {}]


async def test_connections_are_used_again(issuer, fetcher):
    ports = []

    def page(request):
        ports.append(request.transport.get_extra_info("peername"))
        return as_json(1)

    issuer.pages["/x"] = page
    await fetcher.get(issuer.url + "/x")
    await fetcher.get(issuer.url + "/x")
    assert len(set(ports)) == 1


async def test_a_certificate_must_verify(fetcher):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    application = web.Application()
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        with pytest.raises(FetchError, match="certificate that is not trusted"):
            await fetcher.get(f"https://localhost:{runner.addresses[0][1]}/jwks.json")
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    "url",
    [
        "http://gw:pass-secret@127.0.0.1:1/x?token=query-secret#secret",
        "http://gw:pass-secret@127.0.0.1:1",
        "http://[::1/secret?x=secret",
        "http://a secret@127.0.0.1:1?secret",
    ],
)
async def test_errors_hold_no_secrets(fetcher, url):
    with pytest.raises(FetchError) as refused:
        await fetcher.get(url)
    shown = str(refused.value) + repr(refused.value)
    assert "secret" not in shown.replace("/secret", "")
    assert refused.value.__cause__ is None


async def test_what_was_sent_is_in_no_error(issuer, fetcher):
    issuer.pages["/x"] = lambda _: Answer(b"top-secret")
    secret = base64.b64encode(b"gw:top-secret").decode()
    with pytest.raises(FetchError) as refused:
        await fetcher.post(issuer.url + "/x", {"token": "top-secret"}, {"authorization": secret})
    assert "secret" not in str(refused.value)
    assert secret not in str(refused.value)


async def test_it_can_be_closed_before_it_was_used_and_twice():
    fetcher = Fetcher()
    await fetcher.close()
    await fetcher.close()
