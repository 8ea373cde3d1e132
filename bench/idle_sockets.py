"""Memory of WebSockets that are open and say nothing: the listener's share of each.

    python bench/idle_sockets.py [--count 10000] [--tls-count 2000] [--offer]

A child process upgrades every request, on uvloop, and keeps the WebSocket. Prints its resident
bytes a socket, read from /proc, after a tenth as many have warmed it up: in clear text and by TLS,
just opened, and after a message each way and a ping, which is when buffers are made that stay.
With --offer, permessage-deflate is offered and taken.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import socket
import ssl
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

import trustme
from machine import machine
from processes import Process, python

from gateway.http import Exchange
from gateway.listener import Limits, Tls, serve

PACKING = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: bench.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Origin: https://bench.example\r\nUser-Agent: bench/1.0\r\n%b"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
MESSAGE = b"\x81\xfe\x00\x80" + bytes(4) + b"x" * 128  # masked with nothing
PONG = b"\x8a\x81" + bytes(4) + b"1"  # to the first ping
ECHO = b"\x89\x011" + b"\x81\x7e\x00\x80" + b"x" * 128


def accept(exchange: Exchange) -> None:
    """Upgrades; a message is answered by a ping and itself."""
    accepted = exchange.websocket(compressed=True)
    if accepted is None:
        raise RuntimeError("the handshake is not right")

    def echo(message: str | bytes) -> None:
        accepted.ping(lambda _seconds: None)
        accepted.send_text(message)

    accepted.listen(echo, lambda _code, _reason: None)


def child(tls: Tls | None) -> None:
    """Serves until it is ended."""

    async def main() -> None:
        limits = Limits(connections=100_000, connections_per_address=100_000)
        listener = await serve(lambda: accept, addresses=["127.0.0.1:0"], tls=tls, limits=limits)
        gc.freeze()
        print("listening on", listener.urls[0], flush=True)
        await asyncio.Event().wait()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


class Sockets:
    """WebSockets to a process, opened one after another and kept."""

    def __init__(self, process: Process, trusting: ssl.SSLContext | None, fields: bytes) -> None:
        self._host, _, port = process.address.rpartition(":")
        self._port = int(port)
        self._process = process
        self._trusting = trusting
        self._handshake = HANDSHAKE % fields
        self._open: list[socket.socket] = []

    def grow(self, wanted: int) -> int:
        """Opens more, until there are so many; returns the process's memory then."""
        while len(self._open) < wanted:
            one = socket.create_connection((self._host, self._port))
            if self._trusting is not None:
                one = self._trusting.wrap_socket(one, server_hostname="127.0.0.1")
            one.sendall(self._handshake)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += one.recv(4096)
            if not head.startswith(b"HTTP/1.1 101"):
                raise SystemExit(f"unexpected reply: {head!r}")
            self._open.append(one)
        return self._process.rss()

    def speak(self) -> int:
        """Has a message and a ping answered on each; returns the process's memory then."""
        for one in self._open:
            one.sendall(MESSAGE)
            answer = b""
            while len(answer) < len(ECHO):
                answer += one.recv(4096)
            if answer != ECHO:
                raise SystemExit(f"unexpected answer: {answer!r}")
            one.sendall(PONG)
        return self._process.rss()

    def close(self) -> None:
        """Closes all of them."""
        for one in self._open:
            one.close()


def measure(
    process: Process, count: int, trusting: ssl.SSLContext | None, *, packed: bool
) -> tuple[float, float]:
    """Returns bytes a socket: just opened, and after a message (0 where that is packed)."""
    sockets = Sockets(process, trusting, PACKING if packed else b"")
    few = sockets.grow(count // 10)
    many = sockets.grow(count // 10 + count)
    spoken = many if packed else sockets.speak()
    sockets.close()
    return (many - few) / count, (spoken - few) / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--tls-count", type=int, default=2_000)
    parser.add_argument("--offer", action="store_true", help="offer permessage-deflate")
    parser.add_argument("--child", nargs="?", const="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        child(Tls(Path(options.child)) if options.child else None)
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)  # here and, by inheritance, the child's
    wanted = max(options.count, options.tls_count) * 11 // 10 + 100
    if most != resource.RLIM_INFINITY and wanted > most:
        raise SystemExit(f"{wanted} open files are needed, {most} allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    print(machine())
    print(f"{'idle WebSockets':24}{'opened':>12}{'having spoken':>16}")
    me = str(Path(__file__).resolve())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        authority = trustme.CA()
        pem = folder / "server.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        for name, count, context, arguments in (
            ("clear text", options.count, None, ()),
            ("TLS", options.tls_count, trusting, (str(pem),)),
        ):
            with python(me, "--child", *arguments) as process:
                opened, spoken = measure(process, count, context, packed=options.offer)
            print(f"{f'{count:,}, {name}':24}{opened:10,.0f} B{spoken:14,.0f} B", flush=True)


if __name__ == "__main__":
    main()
