import asyncio
import json

import pytest

from gateway.listener import Page, admin
from gateway.listener.admin import Asked
from gateway.listener.faults import Fault, Refused
from gateway.listener.operations import (
    FAILED,
    NOT_ASKED_RIGHT,
    NOT_NOW,
    NOT_THERE,
    OperationError,
    pages,
)
from gateway.state.usage.counts import NUMBERS


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
        "/healthz": lambda: (200, "text/plain", b"ok\n"),
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


@pytest.fixture
async def operated(connect):
    heard = []

    async def ask(name, arguments):
        heard.append((name, dict(arguments)))
        if reason := arguments.get("fail"):
            raise OperationError(reason, "It is so.")
        return {"purged": 1}

    listener = await admin("127.0.0.1:0", pages(ask))
    client = await connect(listener)
    client.heard = heard
    yield client
    await listener.drain(0)


async def test_an_operation_is_done_with_its_arguments(operated):
    reply = await asked(operated, "POST", "/cache/purge?tag=a%2Fb")
    assert (reply.status, json.loads(reply.body)) == (200, {"purged": 1})
    assert operated.heard == [("purge", {"tag": "a/b"})]


@pytest.mark.parametrize(
    ("reason", "status"), [(NOT_ASKED_RIGHT, 400), (NOT_THERE, 404), (NOT_NOW, 503), (FAILED, 500)]
)
async def test_an_operation_that_is_not_done_says_why(operated, reason, status):
    reply = await asked(operated, "POST", f"/cache/purge?fail={reason}")
    assert (reply.status, reply.reason, reply.error["message"]) == (status, reason, "It is so.")


USED = {
    "period": "2026-11",
    "by": ["plan"],
    "rows": [{"plan": "=free", **dict.fromkeys(NUMBERS, 2)}],
}


@pytest.fixture
async def usage(connect):
    async def ask(name, arguments):
        assert name == "usage"
        assert arguments == {"by": "plan"}
        return USED

    listener = await admin("127.0.0.1:0", pages(ask))
    yield await connect(listener)
    await listener.drain(0)


@pytest.mark.parametrize(
    ("form", "content_type", "line"),
    [
        ("json", "application/json", b'"rows": [{"plan": "=free", "calls": 2'),
        ("csv", "text/csv; charset=utf-8; header=present", b"2026-11,'=free,2,2,2,2,2,2\r\n"),
        (
            "prometheus",
            "text/plain; version=0.0.4; charset=utf-8",
            b'gateway_usage_calls_total{plan="=free"} 2\n',
        ),
    ],
)
async def test_usage_has_forms(usage, form, content_type, line):
    reply = await asked(usage, "GET", f"/usage?by=plan&format={form}")
    assert (reply.status, reply.header("content-type")) == (200, content_type)
    assert line in reply.body


@pytest.mark.parametrize(
    ("form", "told"), [("json", b'"a\\ud800"'), ("csv", b",a?,"), ("prometheus", b'"a?"')]
)
async def test_a_name_that_no_text_can_hold_does_not_hide_the_others(connect, form, told):
    async def ask(name, arguments):
        del name, arguments
        return {**USED, "rows": [{**USED["rows"][0], "plan": "a\ud800"}]}

    listener = await admin("127.0.0.1:0", pages(ask))
    try:
        reply = await asked(await connect(listener), "GET", f"/usage?format={form}")
    finally:
        await listener.drain(0)
    assert reply.status == 200
    assert told in reply.body


async def test_usage_is_json_unless_it_is_asked_for_otherwise(usage):
    assert json.loads((await asked(usage, "GET", "/usage?by=plan")).body) == USED


async def test_a_form_that_there_is_not_lists_those_there_are(usage):
    reply = await asked(usage, "GET", "/usage?format=xml")
    assert (reply.status, reply.error["message"]) == (
        400,
        "format: expected one of json, csv, prometheus.",
    )
