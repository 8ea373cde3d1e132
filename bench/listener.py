"""CPU of the listener alone, against aiohttp's server, and against no socket at all.

    python bench/listener.py [--requests 20000] [--connections 32] [--rounds 3] [--idle 2000]

A child process answers every request with the same 425 bytes of JSON from a synchronous handler, on
uvloop: our listener, then aiohttp's low-level server. Prints user and system CPU microseconds a
request of that process, and resident bytes an idle connection, read from /proc. The first table has
no process and no socket: bytes go in to a connection on a transport that keeps what is written, so
no system call is counted.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from aiohttp import web
from processes import Process, python

from gateway.http import Exchange
from gateway.listener import Limits, serve
from gateway.listener.connection import Connection
from gateway.listener.service import Service

BODY = (b'{"id":"p1","name":"' + b"x" * 425)[:423] + b'"}'
FIELDS = (
    b"Host: bench.example\r\nUser-Agent: bench/1.0\r\nAccept: application/json\r\n"
    b"Accept-Encoding: gzip, br\r\nAuthorization: Bearer 0123456789abcdef0123456789abcdef\r\n"
)
GET = b"GET /v1/products/p1?view=full HTTP/1.1\r\n" + FIELDS + b"X-Request-Id: 0123456789\r\n\r\n"
SMALL = b'{"userId":"u1","items":[{"productId":"p1","quantity":2}]}'
POST = (b"POST /v1/orders HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n" % (FIELDS, len(SMALL))) + SMALL
REPLY = [("content-type", "application/json"), ("x-request-id", "0123456789")]


def answer(exchange: Exchange) -> None:
    """Reads the body, and answers."""

    def then(_body: bytes) -> None:
        exchange.respond(200, REPLY, BODY)

    exchange.collect(1 << 20, then, lambda _error: exchange.abort())


async def ours() -> str:
    limits = Limits(connections_per_address=10_000)
    listener = await serve(lambda: answer, addresses=["127.0.0.1:0"], limits=limits)
    return listener.urls[0]


async def aiohttps() -> str:
    async def handle(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.Response(body=BODY, headers=dict(REPLY))

    server = await asyncio.get_running_loop().create_server(
        web.Server(handle, access_log=None), "127.0.0.1", 0
    )
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def child(kind: str) -> None:
    """Serves until it is ended."""

    async def main() -> None:
        print("listening on", await {"ours": ours, "aiohttp": aiohttps}[kind](), flush=True)
        await asyncio.Event().wait()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


class Transport(asyncio.Transport):
    """Keeps the size of what is written."""

    written = 0

    def write(self, data: bytes) -> None:
        self.written += len(data)

    def is_closing(self) -> bool:
        return False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing waits here."""


async def within(next_request: Callable[[int], bytes], count: int) -> float:
    """Returns microseconds of CPU a request, from bytes in to bytes out."""
    connection = Connection(Service(lambda: answer, Limits(), ()))
    transport = Transport()
    connection.connection_made(transport)
    requests = [next_request(n) for n in range(count)]
    begun = time.process_time()
    for data in requests:
        connection.data_received(data)
    took = time.process_time() - begun
    if transport.written < count * len(BODY):
        raise SystemExit("not every request was answered")
    connection.connection_lost(None)
    return took / count * 1e6


def masked(data: bytes) -> bytes:
    """A text frame as a client sends it, masked with nothing."""
    return b"\x81\xfe" + len(data).to_bytes(2) + bytes(4) + data


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def echoed(count: int) -> float:
    """Returns microseconds of CPU a WebSocket message of 128 bytes, in and out again."""

    def accept(exchange: Exchange) -> None:
        socket = exchange.websocket()
        socket.listen(socket.send_text, lambda _code, _reason: None)

    connection = Connection(Service(lambda: accept, Limits(), ()))
    transport = Transport()
    connection.connection_made(transport)
    connection.data_received(HANDSHAKE)
    await asyncio.sleep(0)
    message = masked(b"x" * 128)
    begun = time.process_time()
    for _ in range(count):
        connection.data_received(message)
    took = time.process_time() - begun
    if transport.written < count * 132:
        raise SystemExit("not every message was answered")
    connection.connection_lost(None)
    return took / count * 1e6


class Client(asyncio.Protocol):
    """Sends one request after another on a connection, while there are any left."""

    def __init__(self, request: bytes, left: list[int]) -> None:
        self.request, self.left = request, left
        self.done = asyncio.get_running_loop().create_future()
        self.received = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        if self.left[0] == 0:
            self.transport.close()
            return
        self.left[0] -= 1
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if self.received.endswith(BODY):
            if not self.received.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"unexpected reply: {self.received!r}")
            self.received = b""
            self.send()

    def connection_lost(self, _error: Exception | None) -> None:
        self.done.set_result(None)


async def send(address: str, request: bytes, count: int, connections: int) -> None:
    host, _, port = address.rpartition(":")
    left = [count]
    clients = [Client(request, left) for _ in range(connections)]
    for client in clients:
        await asyncio.get_running_loop().create_connection(lambda c=client: c, host, int(port))
    await asyncio.gather(*(client.done for client in clients))


def measure(process: Process, request: bytes, count: int, connections: int) -> float:
    """Returns microseconds of CPU of a process, a request."""
    before = process.cpu()
    asyncio.run(send(process.address, request, count, connections))
    return (process.cpu() - before) / count * 1e6


def idle(process: Process, count: int) -> float:
    """Returns bytes of resident memory of a process, a connection that is idle after a request."""
    host, _, port = process.address.rpartition(":")
    held: list[socket.socket] = []

    def more(wanted: int) -> int:
        while len(held) < wanted:
            held.append(socket.create_connection((host, int(port))))
            held[-1].sendall(GET)
            while not held[-1].recv(65_536).endswith(BODY):
                pass
        return process.rss()

    before = more(count // 10)
    after = more(count + count // 10)
    for each in held:
        each.close()
    return (after - before) / count


IN_PROCESS = {
    "GET, fields seen before": lambda _: GET,
    "GET, fields never seen": lambda n: GET.replace(b"Id: 0123456789", b"Id: %010d" % n),
    "POST, fields seen before": lambda _: POST,
    "POST, fields never seen": lambda n: POST.replace(b"bench/1.0", b"bench/%d" % (n + 10**6)),
    "eight pipelined GETs": lambda _: GET * 8,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=int, default=2_000, help="needs twice as many descriptors")
    parser.add_argument("--child", choices=["ours", "aiohttp"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child)
        return
    print(f"{'no sockets':28}{'µs a request':>14}")
    for name, make in IN_PROCESS.items():
        runs = [uvloop.run(within(make, options.requests)) for _ in range(options.rounds)]
        print(f"{name:28}{min(runs):14.1f}")
    runs = [uvloop.run(echoed(options.requests)) for _ in range(options.rounds)]
    print(f"{'WebSocket, 128 bytes echoed':28}{min(runs):14.1f}")
    print(f"\n{'over loopback':28}{'listener':>12}{'aiohttp':>12}{'ratio':>8}")
    me = str(Path(__file__).resolve())
    with python(me, "--child", "ours") as one, python(me, "--child", "aiohttp") as other:
        for name, request in (("GET", GET), ("POST", POST)):
            best = []
            for process in (one, other):
                measure(process, request, 500, options.connections)
                best.append(
                    min(
                        measure(process, request, options.requests, options.connections)
                        for _ in range(options.rounds)
                    )
                )
            print(f"{name:28}{best[0]:9.1f} µs{best[1]:9.1f} µs{best[0] / best[1]:8.2f}")
        mine, theirs = idle(one, options.idle), idle(other, options.idle)
        print(f"{'an idle connection':28}{mine:10.0f} B{theirs:10.0f} B{mine / theirs:8.2f}")


if __name__ == "__main__":
    main()
