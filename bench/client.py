"""CPU of a call by the gateway's client alone, against bare grpc.aio, in turns in one run.

    python bench/client.py [--quick] [--rounds N] [--calls N] [--markdown]

One process calls `bench/backend.py`: unary calls with a deadline of 5 s and three entries of
metadata, one at a time and 64 at once, with and without the header fields that a sidecar adds to
every reply; and messages on open streams of two directions, which the backend echoes. Through

    native     the gateway's own HTTP/2, by its channel's interface (`gateway.upstream.channel`)
    grpcio     the same interface on grpc.aio
    grpc.aio   bare, as its users call it

Prints CPU microseconds (user and system, all threads of this process) a call, or a message there
and back: the median of the rounds, the lowest and the highest. Every reply is compared.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import grpc.aio
import uvloop
from cases import ECHO, SERVICE, product
from machine import machine
from processes import python

from gateway.call import Call, Deadline, Metadata, Reply, RpcError, StreamCall
from gateway.upstream.channel import Channel
from gateway.upstream.endpoints import Endpoint
from gateway.upstream.spec import ChannelSpec

METHOD = f"{SERVICE}/GetProduct"
REQUEST = b"\n\x05p0001"
ENTRIES = (
    ("authorization", "Bearer 0123456789abcdef0123456789abcdef"),
    ("x-request-id", "6f1c2ad4-7f5e-4f5a-9d40-0c3f1e7a9b11"),
    ("accept-language", "en"),
)
TIMEOUT = 5.0

TRANSPORTS = {
    "native": ("gateway.upstream.channel.native", "NativeChannel"),
    "grpcio": ("gateway.upstream.channel.grpcio", "GrpcioChannel"),
}


@dataclass(frozen=True, slots=True)
class Work:
    """What is measured: so many calls, or messages on streams, so many of them at once."""

    name: str
    at_once: int
    streams: int = 0  # 0: unary calls
    istio: bool = False
    share: float = 1.0  # of the calls: what is slow by itself gets fewer


WORK = (
    Work("unary, 64 at once", 64),
    Work("unary, one at a time", 1, share=0.25),
    Work("unary, 64 at once, sidecar", 64, istio=True),
    Work("unary, one at a time, sidecar", 1, istio=True, share=0.25),
    Work("message, 64 on one stream", 64, streams=1),
    Work("message, 1 on each of 64 streams", 1, streams=64),
    Work("message, one at a time", 1, streams=1, share=0.25),
)


class Bare:
    """grpc.aio as its users call it."""

    def __init__(self, address: str, expected: bytes) -> None:
        self._channel = grpc.aio.insecure_channel(address)
        self._unary = self._channel.unary_unary(f"/{METHOD}")
        self._streams = self._channel.stream_stream(f"/{ECHO}")
        self._expected = expected

    async def unary(self, calls: int, at_once: int) -> None:
        left = iter(range(calls))

        async def one_after_another() -> None:
            for _ in left:
                reply = await self._unary(REQUEST, timeout=TIMEOUT, metadata=ENTRIES)
                assert reply == self._expected

        await asyncio.gather(*(one_after_another() for _ in range(at_once)))

    async def stream(self, messages: int, at_once: int) -> None:
        call = self._streams(metadata=ENTRIES)
        for _ in range(at_once):
            await call.write(self._expected)
        for sent in range(at_once, messages + at_once):
            assert await call.read() == self._expected
            if sent < messages:
                await call.write(self._expected)
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF

    async def close(self) -> None:
        await self._channel.close()


class Ours:
    """A channel of the gateway's, by its interface."""

    def __init__(self, make: Callable[..., Channel], address: str, expected: bytes) -> None:
        endpoint = Endpoint.parse(address)
        self._channel = make(ChannelSpec(), endpoint)
        self._expected = expected

    async def unary(self, calls: int, at_once: int) -> None:
        loop = asyncio.get_running_loop()
        channel, expected, over = self._channel, self._expected, loop.create_future()
        started = answered = 0

        def start() -> None:
            nonlocal started
            started += 1
            metadata, deadline = Metadata(ENTRIES), Deadline(loop.time() + TIMEOUT)
            channel.start(Call(METHOD, REQUEST, metadata, deadline), done)

        def done(reply: Reply | RpcError) -> None:
            nonlocal answered
            answered += 1
            if isinstance(reply, RpcError) or reply.message != expected:
                if not over.done():
                    over.set_exception(AssertionError(f"unexpected reply: {reply!r}"))
            elif started < calls:
                start()
            elif answered == calls:
                over.set_result(None)

        for _ in range(at_once):
            start()
        await over

    async def stream(self, messages: int, at_once: int) -> None:
        call = Echoed(ECHO, metadata=Metadata(ENTRIES))
        call.expect(self._expected, messages, at_once)
        await self._channel.stream(call)
        assert call.received == messages

    async def close(self) -> None:
        await self._channel.close(0)


class Echoed(StreamCall):
    """A stream that sends the next message when one has come back."""

    __slots__ = ("_left", "_may", "_message", "_waiting", "received")

    def expect(self, message: bytes, messages: int, at_once: int) -> None:
        self._message, self._left, self._may = message, messages, at_once
        self._waiting: asyncio.Future[None] | None = None
        self.received = 0

    async def receive(self) -> bytes | None:
        if self._left == 0:
            return None
        if self._may == 0:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        self._left -= 1
        self._may -= 1
        return self._message

    async def start(self, initial: Metadata) -> None:
        pass

    async def send(self, message: bytes) -> None:
        assert message == self._message
        self.received += 1
        self._may += 1
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


Client = Bare | Ours


async def run(work: Work, client: Client, calls: int) -> float:
    """Returns the CPU microseconds of a call or of a message there and back."""
    began = time.process_time()
    if work.streams:
        each = max(1, calls // work.streams)
        await asyncio.gather(*(client.stream(each, work.at_once) for _ in range(work.streams)))
        calls = each * work.streams
    else:
        await client.unary(calls, work.at_once)
    return (time.process_time() - began) / calls * 1e6


def clients(expected: bytes) -> dict[str, Callable[[str], Client]]:
    """Finds what can call; says which transport is not there."""
    found: dict[str, Callable[[str], Client]] = {}
    for name, (module, attribute) in TRANSPORTS.items():
        if importlib.util.find_spec(module) is None:
            print(f"{name} is left out: there is no {module}")
            continue
        make = getattr(importlib.import_module(module), attribute)
        found[name] = partial(Ours, make, expected=expected)
    found["grpc.aio"] = partial(Bare, expected=expected)
    return found


async def turns(
    work: Work, makes: dict[str, Callable[[str], Client]], address: str, rounds: int, calls: int
) -> dict[str, list[float]]:
    """Measures all clients in turns, each warmed up before the first."""
    calls = max(work.at_once, int(calls * work.share))
    made = {name: make(address=address) for name, make in makes.items()}
    try:
        for client in made.values():
            await run(work, client, max(work.at_once * max(1, work.streams), calls // 10))
        costs: dict[str, list[float]] = {name: [] for name in made}
        for _ in range(rounds):
            for name, client in made.items():
                costs[name].append(await run(work, client, calls))
    finally:
        close: list[Awaitable[None]] = [client.close() for client in made.values()]
        await asyncio.gather(*close)
    return costs


def line(cells: list[str], *, markdown: bool) -> str:
    if markdown:
        return "| " + " | ".join(cells) + " |"
    return f"{cells[0]:33}" + "".join(f"{cell:>18}" for cell in cells[1:])


async def measure(options: argparse.Namespace, plain: str, sidecar: str) -> None:
    expected = product().SerializeToString()
    makes = clients(expected)
    names = list(makes)
    print(line(["CPU µs", *names, "first/last"], markdown=options.markdown))
    if options.markdown:
        print(line(["---", *("---:" for _ in names), "---:"], markdown=True))
    for work in WORK:
        address = sidecar if work.istio else plain
        costs = await turns(work, makes, address, options.rounds, options.calls)
        medians = [statistics.median(costs[name]) for name in names]
        cells = [
            f"{median:.1f} ({min(costs[name]):.0f}-{max(costs[name]):.0f})"
            for name, median in zip(names, medians, strict=True)
        ]
        ratio = f"{medians[0] / medians[-1]:.2f}"
        print(line([work.name, *cells, ratio], markdown=options.markdown), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round of few calls")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=8000, help="a round; a quarter one at a time")
    parser.add_argument("--markdown", action="store_true", help="print the table for a page")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.calls = 1, 2000
    print(f"{machine()}, grpcio {grpc.__version__}")
    print(f"{options.rounds} rounds of {options.calls} calls, in turns\n")
    with python("bench/backend.py") as plain, python("bench/backend.py", "--istio") as sidecar:
        uvloop.run(measure(options, plain.address, sidecar.address))


if __name__ == "__main__":
    main()
