"""Memory of WebSockets that are open and say nothing: resident bytes of the gateway, each.

A tenth as many sockets are opened first, so that what is made once, or in large pieces, is there.
Each kind has a gateway of its own, for memory that others have freed would hide it. Sockets stay
until each was pinged, for a ping is the first thing that an idle socket's life brings.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from processes import Process
from rest import Columns
from socket_client import Socket, Watch, connect, greeted, many
from socket_echo import NOTE
from socket_forms import Form, MultiplexedText, PlainText
from socket_peers import gateway

COLUMNS: Columns = (
    ("sockets", ">7"),
    ("each of them", "<38"),
    ("at rest MiB", ">11"),
    ("then MiB", ">9"),
    ("bytes each", ">10"),
    ("after a ping", ">12"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What has happened on each socket.

    Attributes:
        name: What the table says.
        form: How it speaks.
        features: What `hello` asks for.
        calls: How many streams it opens; a note has come back on each.
    """

    name: str
    form: Form
    features: tuple[str, ...] = ()
    calls: int = 0


KINDS = (
    Kind("hello and welcome", MultiplexedText()),
    Kind("the same, to be resumed", MultiplexedText(), ("resume",)),
    Kind("a stream, on which a note came back", MultiplexedText(), calls=1),
    Kind("plain, its call: a note came back", PlainText(), calls=1),
)


class Crowd:
    """Sockets of one kind to one gateway."""

    def __init__(self, process: Process, kind: Kind) -> None:
        self._process = process
        self._kind = kind
        self._watch = Watch()
        self._sockets: list[Socket] = []

    async def grow(self, count: int) -> int:
        """Opens so many more; returns the gateway's memory then."""
        opening = many(count, lambda _: self._one())
        self._sockets += await self._watch.over(opening, 300)
        return self._process.rss()

    async def pinged(self, seconds: float) -> int:
        """Waits until each was pinged; returns the gateway's memory then."""
        await self._watch.until(lambda: all(each.pings for each in self._sockets), seconds)
        await self._watch.over(asyncio.sleep(0.5))
        return self._process.rss()

    async def close(self) -> None:
        await asyncio.gather(*(each.close() for each in self._sockets))

    async def _one(self) -> Socket:
        kind, form = self._kind, self._kind.form
        back: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def received(payload: bytes) -> None:
            heard = form.read(payload)
            if heard.kind == "message" and not back.done() and form.text(heard.body) == NOTE:
                back.set_result(None)
            elif heard.kind not in {"headers", "credit"}:
                self._watch.fail(f"unexpected: {heard}")

        if form.multiplexed:
            socket = await greeted(self._process, self._watch, form, *kind.features)
            socket.received = received
        else:
            socket = await connect(self._process, self._watch, form, received)
        if kind.calls:
            if form.multiplexed:
                socket.send(form.open(1))
            socket.send(form.message(1, form.body(NOTE)))
            await self._watch.over(back)
        return socket


async def rows(folder: Path, backend: str, count: int) -> AsyncIterator[list[str]]:
    """Measures each kind; yields the rows of the table as they are made."""
    ping = 2 + count // 800  # seconds; so that few are pinged before all are there
    for kind in KINDS:
        with gateway(folder, backend, ping=ping, resume=30) as process:
            rest = process.rss()
            crowd = Crowd(process, kind)
            few = await crowd.grow(count // 10)
            all_there = await crowd.grow(count)
            later = await crowd.pinged(3 * ping)
            await crowd.close()
        yield [
            f"{count:,}",
            kind.name,
            f"{rest / 2**20:.1f}",
            f"{later / 2**20:.1f}",
            f"{(all_there - few) / count:,.0f}",
            f"{(later - few) / count:,.0f}",
        ]
