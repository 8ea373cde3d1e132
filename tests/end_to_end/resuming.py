"""A client whose session outlives its sockets, written from docs/websocket.md: strict, and small.

Each of its streams sends its requests as credit allows, and hears what comes. That every number
comes once, in order, is asserted here; what the messages say is for tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import WebSocketException

from tests.end_to_end.frames import Frame
from tests.end_to_end.sockets import Socket, bare

CREDIT = 64  # of a stream that names none
BROKEN = (OSError, EOFError, WebSocketException)


@dataclass
class Talk:
    """One stream.

    Attributes:
        method: What it calls.
        first: The message in `open`.
        requests: Those after it, to come.
        heard: The messages that came.
        status: How it ended.
    """

    id: int
    method: str
    first: Any
    requests: Iterator[Any]
    credit: int = 0
    sent: int = 0  # messages, those of `open` apart
    seq: int = 0
    unseen: list[Frame] = field(default_factory=list)
    closed: bool = False
    opened: bool = False
    seen: int = 0
    granted: int = CREDIT
    owed: int = 0
    heard: list[Any] = field(default_factory=list)
    status: Frame | None = None

    def next(self) -> Frame | None:
        """Returns the next request, if there is one and it may be sent."""
        if self.closed or not self.credit:
            return None
        self.seq += 1
        frame: Frame = {"id": self.id, "seq": self.seq}
        request = next(self.requests, None)
        if request is None:
            self.closed = True
            frame["end"] = True
        else:
            frame["body"] = request
            self.sent += 1
            self.credit -= 1
        self.unseen.append(frame)
        return frame


class Resuming:
    """A session, from its first socket to the end of its streams.

    Attributes:
        resumptions: How often it went on.
    """

    def __init__(self, framing: str, talks: list[Talk]) -> None:
        self.resumptions = 0
        self._framing = framing
        self._talks = {talk.id: talk for talk in talks}
        self._session: str | None = None
        self._methods: Socket | None = None

    async def run(self, url: str) -> None:
        """Connects again and again, until all streams have ended."""
        while self._open:
            try:
                async with bare(url, self._framing) as socket:
                    await self._with(socket)
            except BROKEN:
                continue

    @property
    def _open(self) -> list[Talk]:
        return [talk for talk in self._talks.values() if talk.status is None]

    async def _with(self, socket: Socket) -> None:
        if self._methods is not None:
            socket.goes_on_with(self._methods)
        self._methods = socket
        await self._hello(socket)
        while self._open:
            for talk in self._open:
                while (frame := talk.next()) is not None:
                    await socket.say("message", **frame)
            await self._hear(socket, await socket.hear())

    async def _hello(self, socket: Socket) -> None:
        hello: Frame = {"features": ["resume"]}
        if self._session is not None:
            known = [talk for talk in self._open if talk.opened]
            hello["session"] = self._session
            hello["seen"] = {str(talk.id): talk.seen for talk in known}
            hello["granted"] = {str(talk.id): talk.granted for talk in known}
        await socket.say("hello", **hello)
        welcome = await socket.hear()
        assert welcome["t"] == "welcome"
        if self._session is None:
            self._session = welcome["session"]
            limits = welcome["limits"]
            for talk in self._talks.values():
                talk.credit = limits["credit"]
        else:
            self.resumptions += 1
            assert welcome["session"] == self._session
            last = welcome.get("last_id", 0)
            assert all(id_ > last for id_ in welcome["lost"]), welcome
            for each in welcome["resumed"]:
                talk = self._talks[each["id"]]
                talk.unseen = [frame for frame in talk.unseen if frame["seq"] > each["seq"]]
                talk.credit = each["granted"] - talk.sent
                for frame in talk.unseen:
                    await socket.say("message", **frame)
            for id_ in welcome["lost"]:
                self._talks[id_].opened = False
                assert not self._talks[id_].heard
        for talk in self._open:
            if not talk.opened:
                talk.opened = True
                await socket.open(talk.method, talk.first, id=talk.id)
                for frame in talk.unseen:
                    await socket.say("message", **frame)

    async def _hear(self, socket: Socket, frame: Frame) -> None:
        talk = self._talks[frame["id"]]
        if talk.status is not None:
            return
        kind, seq = frame["t"], frame.get("seq", 0)
        if kind == "credit":
            talk.credit += frame.get("n", 0)
            talk.unseen = [each for each in talk.unseen if each["seq"] > seq]
            return
        assert seq == talk.seen + 1, f"{frame} after {talk.seen}"
        talk.seen = seq
        if kind == "message":
            talk.heard.append(frame["body"])
            talk.owed += 1
        if kind == "status":
            talk.status = frame
        if talk.owed >= CREDIT // 4 or kind == "status":
            n, talk.owed = talk.owed, 0
            talk.granted += n
            await socket.say("credit", id=talk.id, n=n, seq=seq)
