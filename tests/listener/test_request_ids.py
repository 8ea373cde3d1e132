"""Refusals of HTTP itself have a request id, as every other reply has."""

import pytest

from gateway.listener.faults import Refused
from gateway.listener.head import HeadReader, given_id

MINE = b"X-Request-Id: mine-1\r\n"
REFUSED = [
    pytest.param(b"GET / HTTP/1.1\r\n", 400, id="no Host"),
    pytest.param(b"GET a HTTP/1.1\r\nHost: a\r\n", 400, id="a bad target"),
    pytest.param(b"G@T / HTTP/1.1\r\nHost: a\r\n", 400, id="a bad method"),
    pytest.param(b"WISH / HTTP/1.1\r\nHost: a\r\n", 400, id="a method that the parser refuses"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nExpect: luck\r\n", 417, id="an expectation"),
    pytest.param(b"GET / HTTP/2.0\r\nHost: a\r\n", 505, id="a version"),
]


@pytest.mark.parametrize(("head", "status"), REFUSED)
async def test_the_clients_own_is_repeated(dial, echo, head, status):
    client = await dial(echo)
    await client.send(head + MINE + b"\r\n")
    reply = await client.reply()
    assert (reply.status, reply.header("x-request-id")) == (status, "mine-1")
    assert reply.reason, "the body has it too"


@pytest.mark.parametrize(("head", "status"), REFUSED)
async def test_one_is_made_for_a_client_without(dial, echo, head, status):
    client = await dial(echo)
    await client.send(head + b"\r\n")
    reply = await client.reply()
    assert reply.status == status
    assert len(reply.header("x-request-id")) == 32
    assert reply.reason


@pytest.mark.parametrize(
    "value", [b"", b"two words", b"a" * 129, b"caf\xe9", b"a\x01", b"a\rX-A: b"]
)
async def test_one_is_made_where_the_clients_own_is_unfit(dial, echo, value):
    client = await dial(echo)
    await client.send(b"GET / HTTP/1.1\r\nx-request-id: " + value + b"\r\n\r\n")
    reply = await client.reply()
    assert reply.status == 400
    assert len(reply.header("x-request-id")) == 32


async def test_a_head_that_is_late(dial, echo):
    client = await dial(echo, header_timeout=0.05)
    await client.send(b"GET / HTTP/1.1\r\n")
    reply = await client.reply()
    assert (reply.status, reply.reason) == (408, "HEADER_TIMEOUT")
    assert len(reply.header("x-request-id")) == 32


async def test_a_head_that_is_too_large(dial, echo):
    client = await dial(echo, header_size=100)
    await client.send(b"GET / HTTP/1.1\r\nA: " + b"a" * 100)
    reply = await client.reply()
    assert (reply.status, reply.reason) == (431, "HEADERS_TOO_LARGE")
    assert len(reply.header("x-request-id")) == 32


async def test_too_many_connections(listen, connect, echo):
    listener = await listen(echo, connections=1)
    first = await connect(listener)
    assert (await first.get()).status == 200
    reply = await (await connect(listener)).reply()
    assert (reply.status, reply.reason) == (503, "TOO_MANY_CONNECTIONS")
    assert len(reply.header("x-request-id")) == 32


async def test_a_bug_of_the_handler(dial, caplog):
    def handler(exchange):
        raise LookupError("a bug")

    reply = await (await dial(handler)).get("/", "x-request-id: mine-2")
    assert (reply.status, reply.reason) == (500, "INTERNAL")
    assert reply.header("x-request-id") == "mine-2"
    assert "a bug" in caplog.text


def test_the_first_of_two_counts_as_in_a_right_request():
    head = b"GET / HTTP/1.1\r\nx-request-id: a\r\nX-REQUEST-ID: b\r\n\r\n"
    with pytest.raises(Refused):
        HeadReader().read(head, "http", "")
    assert given_id(head) == "a"


def test_a_long_field_is_read_once():
    """Were it tried at each of its spaces, a head within the limits would take seconds."""
    spaces = b" " * 1_000_000
    assert given_id(b"GET /\r\nx-request-id:" + spaces + b"a b\r\n\r\n") is None
    assert given_id(b"GET /\r\nx-request-id:" + spaces + b"a" + spaces + b"\r\n\r\n") == "a"
