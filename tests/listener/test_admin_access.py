"""Who may ask the admin listener: by its token, where it has one."""

import asyncio
from contextlib import suppress

import pytest

from gateway.listener import Page, admin
from gateway.listener.admin import Asked
from gateway.listener.admin_access import is_own

TOKEN = "of operators: ü"


async def page(_):
    return Page(200, "text/plain", b"told")


@pytest.fixture
async def client(connect):
    routes = {
        "/healthz": lambda: Page(200, "text/plain", b"ok"),
        "/readyz": Asked(page, is_open=True),
        "/told": Asked(page),
        "/change": Asked(page, changes=True),
    }
    listener = await admin("127.0.0.1:0", routes, TOKEN)
    yield await connect(listener)
    await listener.drain(0)


async def asked(client, path, *fields, method="GET"):
    lines = b"".join(field + b"\r\n" for field in (b"Host: 127.0.0.1:9090", *fields))
    await client.send(f"{method} {path} HTTP/1.1\r\n".encode() + lines + b"\r\n")
    return await client.reply(method)


def bearing(token, scheme="Bearer"):
    return f"Authorization: {scheme} {token}".encode()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_who_shows_the_token_may_ask(client, scheme):
    assert (await asked(client, "/told", bearing(TOKEN, scheme))).body == b"told"
    assert (await asked(client, "/change", bearing(TOKEN), method="POST")).status == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes_need_no_token(client, path):
    assert (await asked(client, path)).status == 200


async def test_who_shows_nothing_is_told_to(client):
    reply = await asked(client, "/told")
    assert (reply.status, reply.reason) == (401, "CREDENTIALS_MISSING")
    assert reply.header("www-authenticate") == 'Bearer realm="gateway admin"'


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([bearing("another")], id="another token"),
        pytest.param([bearing(TOKEN[:-1])], id="a part of it"),
        pytest.param([bearing(TOKEN + "x")], id="more than it"),
        pytest.param([bearing("")], id="none"),
        pytest.param([bearing(TOKEN, "Basic")], id="another scheme"),
        pytest.param([bearing(TOKEN), bearing("x")], id="two"),
    ],
)
async def test_who_shows_something_else_is_refused(client, fields):
    reply = await asked(client, "/told", *fields)
    assert (reply.status, reply.reason) == (401, "INVALID_CREDENTIALS")
    expected = 'Bearer realm="gateway admin", error="invalid_token"'
    assert reply.header("www-authenticate") == expected
    assert TOKEN[:10] not in reply.body.decode()


@pytest.mark.parametrize(("path", "method"), [("/", "GET"), ("/nope", "GET"), ("/told", "PUT")])
async def test_who_is_not_known_is_not_told_which_pages_there_are(client, path, method):
    reply = await asked(client, path, method=method)
    assert (reply.status, b"/change" in reply.body) == (401, False)
    reply = await asked(client, path, bearing(TOKEN), method=method)
    assert reply.status in {404, 405}


async def test_the_token_does_not_let_a_browser_in(client):
    reply = await asked(client, "/change", bearing(TOKEN), b"Origin: http://a", method="POST")
    assert (reply.status, reply.reason) == (403, "CROSS_SITE_REQUEST")


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("127.0.0.1:9090", True),
        ("127.8.0.1:9090", True),
        ("[::1]:9090", True),
        ("localhost:9090", True),
        ("0.0.0.0:9090", False),
        ("[::]:9090", False),
        ("gateway.internal:9090", False),
        ("unix:/run/admin.sock", False),
    ],
)
def test_whose_addresses_are_this_machine_s_for_itself(address, own):
    assert is_own(address) is own


# Paths with parameters, and pages that are streamed.


@pytest.fixture
async def streaming(connect):
    ended = asyncio.Event()

    async def named(parameters):
        return Page(200, "text/plain", repr(sorted(parameters.items())).encode())

    async def endless(_):
        async def parts():
            try:
                while True:
                    yield b"more"
                    await asyncio.sleep(0.001)
            finally:
                ended.set()

        return Page(200, "text/plain", parts())

    async def broken(_):
        async def parts():
            yield b"begun"
            raise LookupError

        return Page(200, "text/plain", parts())

    routes = {
        "/why/{id}": Asked(named),
        "/why/last": Asked(page),
        "/tap": Asked(endless),
        "/broken": Asked(broken),
    }
    listener = await admin("127.0.0.1:0", routes)
    client = await connect(listener)
    client.ended = ended
    yield client
    await listener.drain(0)


async def test_a_segment_of_the_path_is_a_parameter_beside_those_of_the_query(streaming):
    reply = await asked(streaming, "/why/a%2Fb%20c?x=1")
    assert reply.body == b"[('id', 'a/b c'), ('x', '1')]"


async def test_a_fixed_path_comes_first(streaming):
    assert (await asked(streaming, "/why/last")).body == b"told"


@pytest.mark.parametrize("path", ["/why/", "/why", "/why/a/b", "/why/%ff", "/who/a"])
async def test_another_path_is_none(streaming, path):
    reply = await asked(streaming, path)
    assert (reply.status, reply.reason) == (404, "ROUTE_NOT_FOUND")
    assert "/why/{id}" in reply.error["message"]


async def test_a_parameter_of_the_path_is_not_given_again_in_the_query(streaming):
    assert (await asked(streaming, "/why/a?id=b")).reason == "BAD_REQUEST"


async def test_what_is_streamed_ends_when_the_client_goes(streaming):
    await streaming.send(b"GET /tap HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head = await streaming.reader.readuntil(b"\r\n\r\n")
    assert b"200 OK" in head
    await streaming.reader.readexactly(8)
    streaming.writer.close()
    async with asyncio.timeout(10):
        await streaming.ended.wait()


async def test_of_a_stream_the_head_alone_needs_none_of_it(streaming):
    assert (await asked(streaming, "/tap", method="HEAD")).status == 200
    async with asyncio.timeout(10):
        await streaming.ended.wait()


async def test_a_stream_that_fails_does_not_pass_for_a_whole_one(streaming):
    await streaming.send(b"GET /broken HTTP/1.1\r\nHost: localhost\r\n\r\n")
    sent = b""
    async with asyncio.timeout(10):
        with suppress(ConnectionResetError):
            while part := await streaming.reader.read(1024):
                sent += part
    assert not sent.endswith(b"0\r\n\r\n")
