"""Two thousand clients that send or read slowly, while others are served as if there were none."""

import asyncio
import resource

import pytest

SLOW = 2_000
PROMPT = 200
BODY = bytes(300_000)


@pytest.fixture
def descriptors():
    """Lets this process have a socket for each side of every connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * (SLOW + PROMPT) + 200
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Slow(asyncio.Protocol):
    """Sends its request a byte at a time, and reads its reply a little at a time."""

    def __init__(self, request, reads):
        self.request = request
        self.reads = reads
        self.at = 0
        self.got = 0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport

    def step(self):
        if self.transport.is_closing():
            return
        if self.at < len(self.request):
            self.transport.write(self.request[self.at : self.at + 1])
            self.at += 1
        elif self.reads:
            self.transport.resume_reading()

    def data_received(self, data):
        self.got += len(data)
        if self.reads and not self.transport.is_closing():
            self.transport.pause_reading()

    def connection_lost(self, exc):
        if not self.ended.done():
            self.ended.set_result(None)


async def stream(exchange):
    exchange.start(200, [])
    while True:
        await exchange.write(BODY)


def handler(exchange):
    if exchange.request.path == "/stream":
        exchange.spawn(stream(exchange))
        return
    exchange.collect(
        1_000,
        lambda body: exchange.respond(200, [], body),
        lambda error: exchange.respond(408, [], error.fault.name.encode()),
    )


REQUESTS = {
    "slow fields": (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000, False),
    "slow body": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + b"x" * 900,
        False,
    ),
    "slow reading": (b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n", True),
}


async def test_slow_clients_slow_nobody_else(listen, connect, descriptors):
    listener = await listen(
        handler,
        connections=3 * SLOW,
        connections_per_address=3 * SLOW,
        header_timeout=60.0,
        body_timeout=60.0,
    )
    loop = asyncio.get_running_loop()
    port = int(listener.urls[0].rsplit(":", 1)[1])
    kinds = list(REQUESTS.values())
    slow = []
    for n in range(SLOW):
        request, reads = kinds[n % len(kinds)]
        one = Slow(request, reads)
        await loop.create_connection(lambda one=one: one, "127.0.0.1", port)
        slow.append(one)
    for one in slow:  # all but their last bytes: a head that is nearly there, or is, or a body
        sent = one.request.find(b"x" * 100) + 1 or len(one.request)
        one.transport.write(one.request[:sent])
        one.at = sent
    while listener.connections < SLOW:
        await asyncio.sleep(0)
    prompt = [await connect(listener) for _ in range(10)]
    for n in range(PROMPT):
        for one in slow[n % 10 :: 10]:
            one.step()
        reply = await prompt[n % 10].get()
        assert (reply.status, reply.body) == (200, b"")
    # The slow are still there, each where it was.
    assert listener.connections == SLOW + len(prompt)
    assert all(one.got == 0 for one in slow if not one.reads)
    for one in slow:
        one.transport.abort()
    async with asyncio.timeout(60):
        await asyncio.gather(*(one.ended for one in slow))
        while listener.connections > len(prompt) or listener._service.tasks:
            await asyncio.sleep(0)
    assert (await prompt[0].get()).status == 200
