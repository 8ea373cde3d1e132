import pytest

from gateway.listener import Page, admin


@pytest.fixture
async def client(connect):
    def broken():
        raise LookupError

    routes = {
        "/healthz": lambda: (200, "text/plain", b"ok\n"),
        "/readyz": lambda: Page(503, "text/plain", b"draining\n"),
        "/broken": broken,
    }
    listener = await admin("127.0.0.1:0", routes)
    yield await connect(listener)
    await listener.drain(0)


async def test_a_page(client):
    reply = await client.get("/healthz")
    assert (reply.status, reply.body, reply.header("content-type")) == (200, b"ok\n", "text/plain")
    assert reply.header("cache-control") == "no-store"


async def test_a_page_s_status_is_its_own(client):
    assert (await client.get("/readyz?verbose")).status == 503


async def test_head(client):
    await client.send(b"HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await client.reply("HEAD")).header("content-length") == "3"
    assert (await client.get("/healthz")).status == 200


async def test_no_such_page_lists_those_there_are(client):
    reply = await client.get("/")
    assert (reply.status, reply.reason) == (404, "ROUTE_NOT_FOUND")
    assert "/broken, /healthz, /readyz" in reply.error["message"]


async def test_only_get_and_head(client):
    await client.send(b"POST /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    reply = await client.reply()
    assert (reply.status, reply.reason) == (405, "METHOD_NOT_ALLOWED")
    assert reply.header("allow") == "GET, HEAD"


async def test_a_page_that_fails_is_500(client):
    assert (await client.get("/broken")).reason == "INTERNAL"
