"""Many sockets with several streams each, on which little is said: is all of it there, in order?

Every note names its stream and says how many came before it on it; each must come back once, and
after the one before it. Which stream is next is drawn by lot from a part of them that moves on, so
that streams have more than one note.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from processes import Process
from rest import Columns
from socket_client import Socket, Watch, greeted, many
from socket_echo import percentiles
from socket_forms import MultiplexedText

COLUMNS: Columns = (
    ("sockets", ">7"),
    ("streams", ">7"),
    ("notes/s", ">7"),
    ("notes", ">6"),
    ("lost", ">4"),
    ("out of order", ">12"),
    ("p50 µs", ">7"),
    ("p99 µs", ">7"),
    ("CPU of a core", ">13"),
    ("CPU µs a note", ">13"),
    ("RSS MiB", ">7"),
)
STREAMS = 10
_LATELY = 64  # streams that take part at a time
_FORM = MultiplexedText()


@dataclass(slots=True)
class Lane:
    """A stream: notes that were sent, and that came back."""

    socket: Socket
    id: int
    sent: int = 0
    back: int = 0


@dataclass(slots=True)
class Notes:
    """What was sent and what came back, on all streams.

    Attributes:
        lanes: The streams.
        taken: Seconds that each note took.
        disordered: Notes that were not the next of their stream.
    """

    lanes: list[Lane] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)
    disordered: int = 0
    _sent_at: dict[str, float] = field(default_factory=dict)

    def send(self, number: int) -> None:
        """Sends a note on a stream."""
        lane = self.lanes[number]
        text = f"{number} {lane.sent} " + "x" * 100
        lane.sent += 1
        self._sent_at[text] = time.perf_counter()
        lane.socket.send(_FORM.message(lane.id, _FORM.body(text)))

    def came(self, text: str) -> None:
        """Takes note of one that came back."""
        self.taken.append(time.perf_counter() - self._sent_at.pop(text))
        number, position, _ = text.split(" ")
        lane = self.lanes[int(number)]
        self.disordered += int(position) != lane.back
        lane.back += 1

    @property
    def missing(self) -> int:
        """How many have not come back."""
        return len(self._sent_at)


class Crowd:
    """The sockets, with their streams open."""

    def __init__(self, process: Process) -> None:
        self.watch = Watch()
        self.notes = Notes()
        self._process = process
        self._sockets: list[Socket] = []
        self._heads = 0

    async def open(self, count: int) -> None:
        """Opens so many sockets, and their streams."""
        self._sockets = await self.watch.over(many(count, lambda _: self._one()), 300)
        await self.watch.until(lambda: self._heads == count * STREAMS)
        self.notes.lanes = [
            Lane(socket, id_) for id_ in range(1, STREAMS + 1) for socket in self._sockets
        ]

    async def close(self) -> None:
        await asyncio.gather(*(each.close() for each in self._sockets))

    async def _one(self) -> Socket:
        socket = await greeted(self._process, self.watch, _FORM)
        socket.received = self._received
        for id_ in range(1, STREAMS + 1):
            socket.send(_FORM.open(id_))
        return socket

    def _received(self, payload: bytes) -> None:
        heard = _FORM.read(payload)
        if heard.kind == "message":
            self.notes.came(_FORM.text(heard.body))
        elif heard.kind == "headers":
            self._heads += 1
        elif heard.kind != "credit":
            self.watch.fail(f"unexpected: {heard}")


async def _say(notes: Notes, rate: int, count: int) -> None:
    """Sends so many notes, so many a second, each at its time."""
    lot, began = random.Random(1), time.perf_counter()
    for sent in range(count):
        # Late or not, what comes back has its turn before the next is sent.
        await asyncio.sleep(max(0, began + sent / rate - time.perf_counter()))
        number = sent // 2 + lot.randrange(_LATELY)
        notes.send(number % len(notes.lanes))
    await asyncio.sleep(0.5)


async def rows(
    process: Process, sockets: int, rates: tuple[tuple[int, int], ...]
) -> AsyncIterator[list[str]]:
    """Measures each rate, for so many seconds; yields the rows of the table as they are made."""
    crowd = Crowd(process)
    await crowd.open(sockets)
    notes = crowd.notes
    for rate, seconds in rates:
        await crowd.watch.over(asyncio.sleep(1))
        notes.taken.clear()
        notes.disordered = 0
        count, cpu, began = rate * seconds, process.cpu(), time.perf_counter()
        await crowd.watch.over(_say(notes, rate, count), 3 * seconds + 10)
        cpu, took = process.cpu() - cpu, time.perf_counter() - began
        p50, p99 = percentiles(notes.taken)
        yield [
            f"{sockets:,}",
            f"{len(notes.lanes):,}",
            f"{rate:,}",
            f"{count:,}",
            str(notes.missing),
            str(notes.disordered),
            f"{p50 * 1e6:.0f}",
            f"{p99 * 1e6:.0f}",
            f"{cpu / took:.1%}",
            f"{cpu / count * 1e6:.0f}",
            f"{process.rss() / 2**20:.0f}",
        ]
    await crowd.close()
