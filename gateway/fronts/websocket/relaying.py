"""The relay's part: a client's socket, and the link to the worker that drives it.

It decides nothing. What the client says goes to the owner, what the owner says to the client, and
each is told when the other takes no more.
"""

from __future__ import annotations

import asyncio

from gateway.fronts.websocket.codes import AWAY
from gateway.fronts.websocket.relay_link import Link
from gateway.fronts.websocket.relay_records import Arrival, Kind, arriving, closed, closing
from gateway.http import SocketClosed, WebSocket
from gateway.http.websocket import Message


class Relaying:
    """One socket that is relayed.

    Args:
        socket: The client's; paused, until `begin`.

    Attributes:
        link: To the owner; to be connected.
    """

    __slots__ = ("_answer", "_begun", "_held", "_socket", "_waits", "link")

    def __init__(self, socket: WebSocket) -> None:
        self.link = Link(self._record, self._govern, self._lost)
        self._socket = socket
        self._answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._begun = False
        self._held = False  # whether the owner takes no more messages
        self._waits = False  # whether the owner was told that the client takes none

    async def is_adopted(self, arrival: Arrival) -> bool:
        """Tells the owner of a client; returns whether it drives its socket from now on."""
        self.link.send(Kind.ARRIVED, arriving(arrival))
        return await self._answer

    def begin(self, hello: Message) -> None:
        """Passes on what the client has said, and what it will say."""
        self._begun = True
        if not self.link.is_open:
            self._lost()
        self._socket.listen(self._said, self._closed, self._draining)
        self._said(hello)
        self._govern()

    # What the client's socket tells.

    def _said(self, message: Message) -> None:
        if isinstance(message, str):
            self.link.send(Kind.TEXT, message.encode())
        else:
            self.link.send(Kind.BINARY, message)

    def _closed(self, code: int, reason: str) -> None:
        self.link.send(Kind.CLOSED, closing(code, reason))
        self.link.close()

    def _draining(self) -> None:
        self.link.send(Kind.DRAINING)

    # What the owner tells.

    def _record(self, kind: Kind, payload: bytes) -> None:
        socket = self._socket
        match kind:
            case Kind.TEXT:
                socket.send_text(payload)
                self._look_at_client()
            case Kind.BINARY:
                socket.send_binary(payload)
                self._look_at_client()
            case Kind.HOLD | Kind.GO:
                self._held = kind is Kind.HOLD
                self._govern()
            case Kind.PING:
                socket.ping(lambda _: self.link.send(Kind.PONG))
            case Kind.WATCH:
                socket.when_stalled(float(payload), lambda: self.link.send(Kind.STALLED))
            case Kind.CLOSE:
                socket.close(*closed(payload))
            case Kind.CUT:
                socket.abort()
            case Kind.ADOPTED:
                self._answered(is_adopted=True)
            case _:
                raise AssertionError(f"{kind} is the relay's to send")

    def _answered(self, *, is_adopted: bool) -> None:
        if not self._answer.done():
            self._answer.set_result(is_adopted)

    def _lost(self) -> None:
        if self._begun:
            self._socket.close(AWAY, "going away")
        else:
            self._answered(is_adopted=False)

    # Who waits for whom.

    def _govern(self) -> None:
        """Reads the client on, or no further."""
        if not self._begun:
            return
        if self._held or self.link.full:
            self._socket.pause()
        else:
            self._socket.resume()

    def _look_at_client(self) -> None:
        """Tells the owner if the client takes nothing now."""
        if not (self._waits or self._socket.writable) and self._socket.is_open:
            self._waits = True
            self.link.send(Kind.FULL)
            self._socket.spawn(self._until_taken())

    async def _until_taken(self) -> None:
        try:
            await self._socket.drained()
        except SocketClosed:
            return
        self._waits = False
        self.link.send(Kind.TAKEN)
