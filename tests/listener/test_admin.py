import asyncio
import json

import pytest

from gateway.listener import Page, admin
from gateway.listener.admin import Asked
from gateway.listener.faults import Fault, Refused


@pytest.fixture
async def client(connect):
    def broken():
        raise LookupError

    async def echoed(query):
        await asyncio.sleep(0)
        if "wrong" in query:
            raise Refused(Fault(400, "BAD_REQUEST", "That is wrong."))
        return Page(200, "text/plain", json.dumps(query).encode())

    async def failing(_):
        raise LookupError

    routes = {
        "/healthz": lambda: Page(200, "text/plain", b"ok\n"),
        "/readyz": lambda: Page(503, "text/plain", b"draining\n"),
        "/broken": broken,
        "/echo": Asked(echoed),
        "/change": Asked(echoed, changes=True),
        "/failing": Asked(failing),
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
    assert "/broken, /change, /echo, /failing, /healthz, /readyz" in reply.error["message"]


async def test_only_get_and_head(client):
    await client.send(b"POST /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    reply = await client.reply()
    assert (reply.status, reply.reason) == (405, "METHOD_NOT_ALLOWED")
    assert reply.header("allow") == "GET, HEAD"


async def test_a_page_that_fails_is_500(client):
    assert (await client.get("/broken")).reason == "INTERNAL"


async def test_a_page_that_waits_takes_the_query(client):
    reply = await asked(client, "GET", "/echo?a=1&b=x%20y+z&c=")
    assert json.loads(reply.body) == {"a": "1", "b": "x y z", "c": ""}
    assert json.loads((await asked(client, "GET", "/echo")).body) == {}
    assert json.loads((await asked(client, "GET", "/echo?")).body) == {}


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("a=1&a=2", id="a parameter twice"),
        pytest.param("a", id="a name without a value"),
        pytest.param("a=%ff", id="not UTF-8"),
        pytest.param("&".join(f"a{each}=" for each in range(65)), id="more than 64 parameters"),
    ],
)
async def test_a_query_that_can_t_be_read_is_refused(client, query):
    reply = await asked(client, "GET", f"/echo?{query}")
    assert (reply.status, reply.reason) == (400, "BAD_REQUEST")


async def test_a_page_that_waits_may_refuse_and_may_fail(client):
    reply = await asked(client, "GET", "/echo?wrong=1")
    assert (reply.status, reply.error["message"]) == (400, "That is wrong.")
    reply = await asked(client, "GET", "/failing")
    assert (reply.status, reply.reason) == (500, "INTERNAL")


async def asked(client, method, path, *fields):
    lines = "".join(f"{field}\r\n" for field in fields)
    await client.send(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:9090\r\n{lines}\r\n".encode())
    return await client.reply(method)


async def test_what_changes_something_is_asked_by_post(client):
    assert json.loads((await asked(client, "POST", "/change?a=1")).body) == {"a": "1"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_what_changes_something_is_not_asked_by(client, method):
    reply = await asked(client, method, "/change")
    assert (reply.status, reply.header("allow")) == (405, "POST")


@pytest.mark.parametrize(
    "field",
    [
        "Origin: https://evil.example",
        "Origin: null",
        "Origin: http://a",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
        "Sec-Fetch-Site: same-origin",
    ],
)
async def test_no_page_of_a_browser_may_change_anything(client, field):
    # Not one of the same origin either: there is none, but a name may have been bound to it anew.
    reply = await asked(client, "POST", "/change", field)
    assert (reply.status, reply.reason) == (403, "CROSS_SITE_REQUEST")


def naming(host):
    return f"GET /echo HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


@pytest.mark.parametrize("host", ["localhost:9090", "LOCALHOST", "127.0.0.1", "[::1]:9090"])
async def test_one_s_own_machine_is_asked_by_an_address(client, host):
    await client.send(naming(host))
    assert (await client.reply()).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:9090", "localhost.evil.example", "127.0.0.1.evil.example"],
)
async def test_no_name_that_a_site_has_bound_to_this_machine_reads_anything(client, host):
    await client.send(naming(host))
    reply = await client.reply()
    assert (reply.status, reply.reason) == (403, "CROSS_SITE_REQUEST")


async def test_whom_others_may_reach_has_names_of_all_kinds(connect):
    async def page(_):
        return Page(200, "text/plain", b"here")

    listener = await admin("0.0.0.0:0", {"/echo": Asked(page)})
    try:
        client = await connect(listener)
        await client.send(naming("gateway.shop.svc:9090"))
        assert (await client.reply()).body == b"here"
    finally:
        await listener.drain(0)
