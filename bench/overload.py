"""What a backend with too many calls still answers in time, with and without adaptive concurrency.

    python bench/overload.py

The backend works on 8 calls at once, 50 ms each, first come first served, and does not notice that
a caller has given up, as most do not. Callers come twice as fast as it can answer, whether or not
they are answered, one of ten with high priority; each has 500 ms. Prints, of each tenth of a run,
the answers in time as a part of what the backend can do; then, of all of it, those of high priority
that were answered, and how long answers and refusals took. All processes share the machine.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import grpc.aio
import yaml
from machine import machine

ROOT = Path(__file__).resolve().parents[1]
SERVERS, SECONDS = 8, 0.05
CAPACITY = SERVERS / SECONDS
RUN, WARM_UP = 20.0, 5.0
PATH = "/v1/products/p1"


async def backend() -> tuple[grpc.aio.Server, int, asyncio.Task[list[None]]]:
    """Returns a server, its port, and what works on its calls."""
    queue: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()

    async def work() -> None:
        while True:
            call = await queue.get()
            await asyncio.sleep(SECONDS)
            if not call.done():
                call.set_result(None)

    async def answer(_request: bytes, _context: object) -> bytes:
        call: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.put_nowait(call)
        await call
        return b""

    handlers = {"GetProduct": grpc.unary_unary_rpc_method_handler(answer)}
    server = grpc.aio.server()
    service = "shop.catalog.v1.CatalogService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, port, asyncio.gather(*(work() for _ in range(SERVERS)))


def config(port: int, *, adaptive: bool) -> dict[str, object]:
    """Returns a gateway's config before the backend."""
    return {
        "listener": {"address": "127.0.0.1:0", "trusted_proxies": ["127.0.0.1"]},
        "admin": False,
        "schema": {"protos": [str(ROOT / "protos")]},
        "upstreams": {"shop": {"services": ["shop.catalog.*"], "endpoints": [f"127.0.0.1:{port}"]}},
        "policies": [{"methods": ["*"], "timeout": "500ms"}],
        "graphql": False,
        "adaptive_concurrency": {
            "enabled": adaptive,
            "min": 1,
            "queue": 50,
            "max_wait": "250ms",
            "priority_header": "x-priority",
        },
    }


class Run:
    """What became of the calls of one run."""

    def __init__(self) -> None:
        self.answered: list[tuple[float, float]] = []  # when, and how long it took
        self.refused: list[float] = []
        self.high = [0, 0]  # answered, of all

    async def ask(self, client: aiohttp.ClientSession, began: float, *, high: bool) -> None:
        """Makes a call."""
        headers = {"x-priority": "high"} if high else {}
        started = time.perf_counter()
        async with client.get(PATH, headers=headers) as response:
            await response.read()
            status = response.status
        took = time.perf_counter() - started
        if status == 200:
            self.answered.append((time.perf_counter() - began, took))
        else:
            self.refused.append(took)
        self.high[0] += high and status == 200
        self.high[1] += high

    def tell(self, name: str) -> None:
        """Prints it."""
        tenth = RUN / 10
        parts = [0] * 11
        for at, _ in self.answered:
            parts[min(10, int(at / tenth))] += 1
        shares = " ".join(f"{part / tenth / CAPACITY:4.2f}" for part in parts[:10])
        took = 1000 * statistics.median([each for _, each in self.answered] or [0.0])
        refused = 1000 * statistics.median(self.refused or [0.0])
        print(f"{name:10} {shares}   high {self.high[0]} of {self.high[1]}", end="   ")
        print(f"answers {took:.0f} ms, others {refused:.0f} ms (medians)")


async def measure(port: int, *, adaptive: bool) -> Run:
    """Returns what became of a run's calls."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gateway.yaml"
        path.write_text(yaml.safe_dump(config(port, adaptive=adaptive)))
        command = [sys.executable, "-m", "gateway", "serve", "--config", str(path)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=pipe)
        try:
            return await _load(await _url(process))
        finally:
            process.terminate()
            await process.wait()


async def _url(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async for line in process.stdout:
        if line.startswith(b"listening on "):
            return line.decode().split()[-1]
    raise RuntimeError("the gateway ended before it listened")


async def _load(url: str) -> Run:
    run, calls = Run(), set[asyncio.Task[None]]()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url, connector=connector) as client:
        began = time.perf_counter() + WARM_UP
        number, warm = 0, Run()
        while (now := time.perf_counter()) < began + RUN:
            due = int((now - began + WARM_UP) * 2 * CAPACITY)
            for each in range(number, due):
                of = run if now >= began else warm
                task = asyncio.create_task(of.ask(client, began, high=each % 10 == 0))
                calls.add(task)
                task.add_done_callback(calls.discard)
            number = max(number, due)
            await asyncio.sleep(0.002)
        await asyncio.gather(*calls)
    return run


async def main() -> None:
    """Prints both runs."""
    print(machine())
    for name, adaptive in (("without", False), ("adaptive", True)):
        server, port, working = await backend()
        (await measure(port, adaptive=adaptive)).tell(name)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await server.stop(0)


if __name__ == "__main__":
    asyncio.run(main())
