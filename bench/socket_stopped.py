"""What the gateway holds for readers that have stopped, and what it costs those beside them.

Streams of 1,000 products (250 KB of protobuf, 424 KB of JSON) are opened beside an echo with
16 notes in flight, which goes on. They stop in two ways: the client grants one message and then no
more, on the echo's own socket or on others; or it does not read its sockets at all. What is held
is the growth of resident memory, so that all that Python adds is in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from cases import SERVICE
from processes import Process
from rest import Columns
from socket_client import Socket, Watch, greeted
from socket_echo import Echoes, percentiles
from socket_forms import Heard, MultiplexedText
from socket_peers import gateway

COLUMNS: Columns = (
    ("streams", ">7"),
    ("sockets", ">7"),
    ("how they stopped", "<38"),
    ("held KiB", ">9"),
    ("KiB a stream", ">12"),
    ("CPU µs an echo before", ">21"),
    ("beside", ">7"),
    ("p99 µs before", ">13"),
    ("beside", ">7"),
)
_EXPORT = f"{SERVICE}/ExportProducts"
_FORM = MultiplexedText()
_FIRST = 2  # id of a stream that stops; the echo's is 1


@dataclass(frozen=True, slots=True)
class Kind:
    """How streams stop.

    Attributes:
        name: What the table says.
        sockets: How many they are on; 0 for the echo's own.
        streams: On each of them; 100 are allowed.
        read: Whether the sockets are read.
    """

    name: str
    sockets: int
    streams: int
    read: bool = True


KINDS = (
    Kind("no more credit, on the echo's socket", 0, 1),
    Kind("no more credit, on the echo's socket", 0, 90),
    Kind("no more credit", 10, 90),
    Kind("the sockets are not read", 10, 90, read=False),
)


class Stopped:
    """Streams that nobody reads, beside an echo."""

    def __init__(self, process: Process, watch: Watch, kind: Kind, echoes: Echoes) -> None:
        self._process = process
        self._watch = watch
        self._kind = kind
        self._echoes = echoes
        self._heard: set[tuple[int, int]] = set()  # streams of which the one message came
        self._sockets: list[Socket] = []

    async def open(self) -> None:
        """Opens them, and has them stop."""
        kind = self._kind
        if not kind.sockets:
            self._echoes.others = self._hears(0)
            self._open_on(self._echoes.shared)
        for number in range(kind.sockets):
            socket = await greeted(self._process, self._watch, _FORM)
            self._sockets.append(socket)
            if kind.read:
                hears = self._hears(number)
                socket.received = lambda payload, hears=hears: hears(_FORM.read(payload))
            else:
                socket.transport.pause_reading()
            self._open_on(socket)
        if kind.read:
            streams = kind.streams * max(1, kind.sockets)
            await self._watch.until(lambda: len(self._heard) == streams)
        await self._settled()

    async def close(self) -> None:
        await asyncio.gather(*(each.close() for each in self._sockets))

    async def _settled(self) -> None:
        """Waits until the gateway has nothing to do any more."""
        before = -1.0
        while before != (before := self._process.cpu()):
            await self._watch.over(asyncio.sleep(0.5))

    def _open_on(self, socket: Socket) -> None:
        credit = 1 if self._kind.read else None
        for id_ in range(_FIRST, _FIRST + self._kind.streams):
            socket.send(_FORM.open(id_, _EXPORT, b"{}", credit))

    def _hears(self, socket: int) -> Callable[[Heard], None]:
        def hears(heard: Heard) -> None:
            if heard.kind == "message" and (socket, heard.id) not in self._heard:
                self._heard.add((socket, heard.id))
            elif heard.kind != "headers":
                self._watch.fail(f"unexpected: {heard}")

        return hears


async def _read_one(process: Process, watch: Watch) -> None:
    """Reads one such stream to its end, so that what is made once is there."""
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def received(payload: bytes) -> None:
        if _FORM.read(payload).kind == "status":
            ended.set_result(None)

    socket = await greeted(process, watch, _FORM)
    socket.received = received
    socket.send(_FORM.open(1, _EXPORT, b"{}"))
    await watch.over(ended)
    await socket.close()


async def _echo(echoes: Echoes, seconds: float) -> tuple[float, float]:
    """Returns the gateway's CPU of an echo, and the p99 of echoes; microseconds."""
    cpu, _ = await echoes.run(seconds)
    return cpu * 1e6, percentiles(echoes.taken)[1] * 1e6


async def rows(folder: Path, backend: str, seconds: float) -> AsyncIterator[list[str]]:
    """Measures each kind, on a gateway of its own; yields the table's rows as they are made."""
    for kind in KINDS:
        watch = Watch()
        with gateway(folder, backend) as process:
            await _read_one(process, watch)
            echoes = Echoes(process, _FORM, 1, 16)
            await echoes.open()
            cpu, slowest = await _echo(echoes, seconds)
            stopped = Stopped(process, watch, kind, echoes)
            held = process.rss()
            await stopped.open()
            held = (process.rss() - held) / 1024
            cpu_beside, slowest_beside = await _echo(echoes, seconds)
            await stopped.close()
            await echoes.close()
        streams = kind.streams * max(1, kind.sockets)
        yield [
            str(streams),
            str(kind.sockets or 1),
            kind.name,
            f"{held:,.0f}",
            f"{held / streams:.1f}",
            f"{cpu:.1f}",
            f"{cpu_beside:.1f}",
            f"{slowest:.0f}",
            f"{slowest_beside:.0f}",
        ]
