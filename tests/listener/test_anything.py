"""Any bytes on the socket: well-formed replies or a closed connection, and the next client is served."""

import asyncio
import logging
import re

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.listener import Limits, serve
from tests.examples import examples

HEAD = re.compile(
    rb"HTTP/1\.[01] ([1-5][0-9][0-9]) [ -~]*\r\n((?:[-!#$%&'*+.^_`|~0-9A-Za-z]+: [^\r\n]*\r\n)*)\r\n"
)
# Short, so that every connection ends soon, whatever was sent.
LIMITS = Limits(header_size=500, header_timeout=0.02, body_timeout=0.02, idle_timeout=0.02)
VALID = b"GET /after HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def handler(exchange):
    exchange.collect(
        50,
        lambda body: exchange.respond(200, [("X-Path", exchange.request.path)], body or b"none"),
        lambda error: exchange.respond(413, [], error.fault.name.encode()),
    )


@pytest.fixture(scope="module", params=[asyncio.new_event_loop, uvloop.new_event_loop])
def talk(request):
    """Sends parts on a connection of its own, and returns all that comes back."""
    with asyncio.Runner(loop_factory=request.param) as runner:
        listener = runner.run(serve(lambda: handler, addresses=["127.0.0.1:0"], limits=LIMITS))
        port = int(listener.urls[0].rsplit(":", 1)[1])

        async def one(parts):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            received = b""
            try:
                for part in parts:
                    writer.write(part)
                    await asyncio.sleep(0)
                async with asyncio.timeout(20):
                    while data := await reader.read(65_536):
                        received += data
            except ConnectionError:
                pass  # it was closed with something of ours unread
            finally:
                writer.close()
            return received

        yield lambda parts: runner.run(one(parts))
        assert runner.run(listener.drain(5)) == 0


def statuses(data):
    """Takes replies apart; fails if they are not just replies."""
    found = []
    while data:
        head = HEAD.match(data)
        assert head, data
        data = data[head.end() :]
        fields = dict(line.split(b": ", 1) for line in head[2].lower().split(b"\r\n") if line)
        status = int(head[1])
        found.append(status)
        # The reply to a HEAD announces a body that does not come.
        if status >= 200 and data and not data.startswith(b"HTTP/1."):
            length = int(fields[b"content-length"])
            assert len(data) >= length
            data = data[length:]
    return found


fragments = st.sampled_from(
    [
        b"GET ",
        b"HEAD ",
        b"POST / HTTP/1.1\r\n",
        b"/",
        b"/%ff?a=b",
        b"http://b/",
        b"*",
        b" ",
        b" HTTP/1.1\r\n",
        b" HTTP/1.0\r\n",
        b" HTTP/3.0\r\n",
        b"Host: a\r\n",
        b"Host: a\r\n\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 99\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Connection: close\r\n",
        b"Connection: keep-alive\r\n",
        b"Upgrade: websocket\r\nConnection: upgrade\r\n",
        b"Expect: 100-continue\r\n",
        b"Sec-WebSocket-Key1: 1\r\n",
        b"Cookie: " + b"c" * 300 + b"\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"hello",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"ffffffffffffffff\r\n",
        b"A: b\r\n",
        b" folded\r\n",
    ]
)
requests = st.lists(fragments | st.binary(max_size=4), max_size=14)


@given(
    st.lists(st.binary(max_size=600), max_size=3)
    | requests
    | requests.map(lambda parts: [b"".join(parts)])
)
@settings(deadline=None, max_examples=examples(2))
def test_any_bytes(talk, parts):
    for status in statuses(talk(parts)):
        assert status in {100, 200, 505} or 400 <= status < 500
    # Where the machine is so slow that nothing is sent in the time of an idle connection, another one
    # is made: it is the answer that counts.
    answers = (statuses(talk([VALID])) for _ in range(20))
    assert next(filter(None, answers), []) == [200]


def test_nothing_of_it_is_a_bug(talk, caplog):
    caplog.set_level(logging.WARNING)
    for sent in (b"\xff" * 1000, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
        assert statuses(talk([sent])) == [400]
    assert not caplog.records
