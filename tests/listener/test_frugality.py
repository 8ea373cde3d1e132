"""What a request costs: writes, timers, tasks and memory are counted, times are not."""

import asyncio
import gc
import tracemalloc

import pytest

from gateway.listener import Limits
from gateway.listener.connection import Connection
from gateway.listener.forwarded import proxies
from gateway.listener.link import HIGH_WATER
from gateway.listener.service import Service
from tests.listener.fakes import Forgetful, Transport

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\nX-Request-Id: %d\r\n\r\n"


@pytest.fixture
def accept():
    """Makes connections of one listener, on transports without sockets."""
    services = {}

    def one(handler, transport=None):
        service = services.setdefault(handler, Service(lambda: handler, Limits(), proxies(())))
        connection = Connection(service)
        transport = Transport() if transport is None else transport
        connection.connection_made(transport)
        return connection, transport

    return one


def answer(exchange):
    exchange.respond(200, [("content-type", "text/plain")], b"hello")


async def test_a_request_is_answered_before_the_loop_turns(accept):
    connection, transport = accept(answer)
    connection.data_received(GET % (1, 1))
    assert [data[-5:] for data in transport.writes] == [b"hello"]
    assert len(asyncio.all_tasks()) == 1


async def test_so_is_one_with_its_body(accept):
    def handler(exchange):
        exchange.collect(10, lambda body: exchange.respond(200, [], body), exchange.abort)

    connection, transport = accept(handler)
    connection.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
    assert transport.writes[0].endswith(b"\r\n\r\nhi")


async def test_a_thousand_requests_share_one_timer(accept, monkeypatch):
    loop = asyncio.get_running_loop()
    made = []
    real = loop.call_at

    def counted(*args, **kwargs):
        made.append(args)
        return real(*args, **kwargs)

    service = Service(lambda: answer, Limits(), proxies(()), loop=Counting(loop, counted))
    connection = Connection(service)
    connection.connection_made(Transport())
    for n in range(1000):
        connection.data_received(GET % (n, n))
    assert len(made) == 1
    connection.connection_lost(None)


class Counting:
    """A loop whose timers are counted."""

    def __init__(self, loop, call_at):
        self.time = loop.time
        self.call_at = call_at
        self.call_soon = loop.call_soon
        self.call_later = loop.call_later


async def test_pipelined_requests_are_answered_in_few_writes(accept):
    connection, transport = accept(answer)
    connection.data_received(b"".join(GET % (n, n) for n in range(33)))
    while sum(data.count(b"hello") for data in transport.writes) < 33:
        await asyncio.sleep(0)
    assert len(transport.writes) == 3  # the first at once, then as many as may be begun together


async def test_small_parts_of_a_stream_leave_as_one_write(accept):
    async def work(exchange):
        exchange.start(200, [])
        for _ in range(100):
            await exchange.write(b"part")
        await exchange.finish()

    connection, transport = accept(lambda exchange: exchange.spawn(work(exchange)))
    connection.data_received(GET % (1, 1))
    while connection.service.tasks:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    (data,) = transport.writes
    assert data.endswith(b"4\r\npart\r\n0\r\n\r\n")
    assert data.count(b"part") == 100


async def test_large_parts_let_others_go_first(accept):
    turns = 0

    async def work(exchange):
        exchange.start(200, [])
        for _ in range(10):
            await exchange.write(bytes(HIGH_WATER + 1))
        await exchange.finish()

    connection, transport = accept(lambda exchange: exchange.spawn(work(exchange)))
    connection.data_received(GET % (1, 1))
    while connection.service.tasks:
        turns += 1
        await asyncio.sleep(0)
    assert turns > 10
    assert len(transport.writes) >= 10


async def test_a_reply_that_is_not_taken_holds_back_the_next_request(accept):
    class Slow(Transport):
        def write(self, data):
            super().write(data)
            connection.pause_writing()

    connection, transport = accept(answer, Slow())
    connection.data_received(GET % (1, 1) + GET % (2, 2))
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(transport.writes) == 1
    connection.resume_writing()
    while len(transport.writes) < 2:
        await asyncio.sleep(0)
    connection.connection_lost(None)


async def test_an_idle_connection_is_small(accept):
    def one():
        connection, _ = accept(answer, Forgetful())
        connection.data_received(GET % (1, 1))
        return connection

    held = [one() for _ in range(10)]
    gc.collect()
    tracemalloc.start()
    held += [one() for _ in range(500)]
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / 500 < 2048
    for connection in held:
        connection.connection_lost(None)


async def test_memory_is_flat_over_many_requests(accept):
    connection, transport = accept(answer, Forgetful())
    for n in range(2_000):
        connection.data_received(GET % (n, n))
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for n in range(100_000):
        connection.data_received(GET % (n, n + 10_000))
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert transport.count == 102_000
    # What is remembered of fields was not yet traced, and is replaced by what is.
    assert after - before < 2_000_000
    connection.connection_lost(None)
