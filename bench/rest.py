"""CPU of the whole REST path, against the same written the obvious way, in one run.

    python bench/rest.py [--requests 4000] [--connections 32]

Starts the example backends, a gateway, and `bench/obvious.py` (aiohttp, grpc.aio and json_format
by hand) as processes of their own, and sends each the same requests in turns over loopback. Prints
user and system CPU microseconds a request of the process under test, the ratio, and requests a
second, which on a shared machine says less. The backend and this client are not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
TICK = os.sysconf("SC_CLK_TCK")
ORDER = b'{"userId":"u1","items":[{"productId":"p1","quantity":2}]}'
CASES = {
    "GET one product": b"GET /v1/products/p1 HTTP/1.1\r\nHost: bench\r\n\r\n",
    "GET a list of 50": b"GET /v1/products?page_size=50 HTTP/1.1\r\nHost: bench\r\n\r\n",
    "POST an order": b"POST /v1/orders:preview HTTP/1.1\r\nHost: bench\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(ORDER), ORDER),
}


@contextmanager
def running(arguments: list[str], ready: str) -> Iterator[tuple[int, list[str]]]:
    """Runs a process until the block ends; gives its id and what it printed until it was ready."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, text=True, env=environ
    ) as process:
        try:
            lines = []
            for line in process.stdout:
                lines.append(line.strip())
                if line.startswith(ready):
                    break
            else:
                raise SystemExit(f"{arguments} did not start")
            yield process.pid, lines
        finally:
            process.terminate()
            process.communicate()


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Client(asyncio.Protocol):
    """Sends one request after another on a connection, while there are any left."""

    def __init__(self, request: bytes, left: list[int], done: asyncio.Future) -> None:
        self.request, self.left, self.done = request, left, done
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
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) >= length:
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"unexpected reply: {self.received!r}")
            self.received = b""
            self.send()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def send(port: int, request: bytes, count: int, connections: int) -> None:
    loop = asyncio.get_running_loop()
    left = [count]
    ended = [loop.create_future() for _ in range(connections)]
    for each in ended:
        await loop.create_connection(lambda e=each: Client(request, left, e), "127.0.0.1", port)
    await asyncio.gather(*ended)


def measure(
    pid: int, port: int, request: bytes, count: int, connections: int
) -> tuple[float, float]:
    """CPU microseconds a request, and requests a second."""
    before, began = cpu(pid), time.monotonic()
    asyncio.run(send(port, request, count, connections))
    took = time.monotonic() - began
    return (cpu(pid) - before) / count * 1e6, count / took


def port_of(line: str) -> int:
    return int(line.rpartition(":")[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        _, lines = stack.enter_context(running(["-m", "services_mock", "--port", "0"], "ready"))
        backend = next(line.split()[-1] for line in lines if line.startswith("serving"))
        config = folder / "gateway.yaml"
        config.write_text(
            "listener: {address: 127.0.0.1:0}\nadmin: false\n"
            f"schema: {{protos: [{ROOT / 'protos'}]}}\n"
            f"upstreams: {{shop: {{services: ['shop.*'], endpoints: ['{backend}']}}}}\n"
        )
        serve = ["-m", "gateway", "serve", "--config", str(config)]
        gateway, lines = stack.enter_context(running(serve, "listening"))
        ours = port_of(lines[-1])
        obvious, lines = stack.enter_context(
            running([str(ROOT / "bench" / "obvious.py"), backend], "listening")
        )
        theirs = port_of(lines[-1])
        print(
            f"{'':20}{'gateway':>10}{'obvious':>10}{'ratio':>8}{'gateway/s':>12}{'obvious/s':>12}"
        )
        for name, request in CASES.items():
            for pid, port in ((gateway, ours), (obvious, theirs)):
                measure(pid, port, request, 300, options.connections)
            mine, my_rate = measure(gateway, ours, request, options.requests, options.connections)
            other, rate = measure(obvious, theirs, request, options.requests, options.connections)
            print(
                f"{name:20}{mine:7.0f} µs{other:7.0f} µs{mine / other:8.2f}"
                f"{my_rate:12.0f}{rate:12.0f}"
            )


if __name__ == "__main__":
    main()
