"""One socket at work: reads and writes what its dialogue says, until it ends.

A link decides nothing: it moves payloads, keeps the timer of the silence, and tells its owner of
what concerns more than this socket. Writing waits for room in the socket, reading never waits for
writing, so that two sides that write much can't block each other; what waits to be written is
bounded by the credit of streams.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from gateway.client.closing import ABNORMAL, BAD_FRAME, NORMAL
from gateway.client.dialogue import Dialogue
from gateway.client.exchange import Exchange
from gateway.client.frames import Hello, ProtocolError, Welcome
from gateway.client.framing import Framing
from gateway.client.liveness import Verdict
from gateway.client.session import Session

_REASON: Final = 100  # bytes; RFC 6455, section 5.5, leaves room for 123


@dataclass(frozen=True, slots=True)
class Closed:
    """How a socket ended: the code and reason of the close; 1006 is an end without one."""

    code: int
    reason: str


class Owner(Protocol):
    """Who has links."""

    def welcomed(self, link: Link, welcome: Welcome) -> Session:
        """Returns the session that the link carries from now on."""

    def token_expiring(self, link: Link) -> None:
        """Hears that the link needs a new token."""

    def token_taken(self) -> None:
        """Hears that the new token is good."""


class Link:
    """One socket.

    Args:
        socket: An open one, just dialed.
        framing: What it speaks.
        hello: The first frame.
        named: The streams that the hello names; None where it names no session.
        owner: Who is told.

    Attributes:
        named: As given.
        welcome: Done once the welcome has come.
        closed: Done once the socket is closed.
        moved: Set when to connect again: after a goaway, or the end.
        reconnect_in: Seconds that a goaway asks to wait; None before one.
        since: When the welcome came, on the loop's clock.
    """

    def __init__(
        self,
        socket: ClientConnection,
        framing: Framing,
        hello: Hello,
        named: Mapping[int, Exchange] | None,
        owner: Owner,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = socket
        self._text = framing.text
        self._owner = owner
        self._dialogue = Dialogue(framing, hello, self)
        self._wanted = asyncio.Event()
        self._retired = self._stopping = False
        self._timer: asyncio.TimerHandle | None = None
        self.named = named
        self.welcome: asyncio.Future[None] = self._loop.create_future()
        self.closed: asyncio.Future[Closed] = self._loop.create_future()
        self.moved = asyncio.Event()
        self.reconnect_in: float | None = None
        self.since = self._loop.time()

    @property
    def session(self) -> Session | None:
        """What it carries."""
        return self._dialogue.session

    # The work.

    async def run(self) -> None:
        """Reads and writes until the socket is closed; cancelling this closes it at once."""
        writer = asyncio.create_task(self._write())
        closed = Closed(ABNORMAL, "")
        try:
            closed = await self._read()
        finally:
            self._socket.transport.abort()
            if self._timer is not None:
                self._timer.cancel()
            writer.cancel()
            await asyncio.wait([writer])
            self.closed.set_result(closed)
            self.moved.set()
        if not writer.cancelled():
            writer.result()

    async def _read(self) -> Closed:
        try:
            while True:
                data = await self._socket.recv()
                self._dialogue.receive(data, self._loop.time())
                self.wake()
        except ProtocolError as wrong:
            await self._socket.close(BAD_FRAME, str(wrong)[:_REASON])
            return Closed(BAD_FRAME, str(wrong))
        except ConnectionClosed as end:
            return _how(end)

    async def _write(self) -> None:
        try:
            while not self._done():
                payload = self._dialogue.next_payload(self._loop.time())
                if payload is None:
                    self._wanted.clear()
                    if not self._done():
                        await self._wait()
                else:
                    await self._socket.send(payload, text=self._text)
            await self._socket.close(NORMAL)
        except ConnectionClosed:
            return  # the reader says how, once it has read what came before
        except BaseException:
            self._socket.transport.abort()
            raise

    async def _wait(self) -> None:
        """Waits until there may be something to write."""
        due = self._dialogue.due
        timer = None if due is None else self._loop.call_at(due, self.wake)
        await self._wanted.wait()
        if timer is not None:
            timer.cancel()

    def _done(self) -> bool:
        """Whether nothing is left to do here."""
        session = self.session
        if self._stopping:
            return self._dialogue.silent
        return self._retired and (session is None or session.idle)

    def _look(self) -> None:
        if self._dialogue.look(self._loop.time()) is Verdict.DEAD:
            self._socket.transport.abort()
            return
        self.wake()
        self._wind()

    def _wind(self) -> None:
        assert self._dialogue.liveness is not None
        self._timer = self._loop.call_at(self._dialogue.liveness.due, self._look)

    # What the owner asks for.

    def wake(self) -> None:
        """Has the writer look for something to write."""
        self._wanted.set()

    def auth(self, token: str) -> None:
        """Sends a new token."""
        self._dialogue.auth(token)
        self.wake()

    def retire(self) -> None:
        """Closes the socket as soon as no stream of its session is left."""
        self._retired = True
        self.wake()

    def release(self) -> None:
        """Lets the session go, and closes: another link carries it."""
        self._dialogue.release()
        self.retire()

    def stop(self) -> None:
        """Closes the socket as soon as all is written that waits."""
        self._stopping = True
        self.wake()

    # What the dialogue tells (`dialogue.Listener`).

    def welcomed(self, welcome: Welcome) -> Session:
        """Asks the owner for the session, and begins to listen to the silence."""
        self.since = self._loop.time()
        self._wind()
        session = self._owner.welcomed(self, welcome)
        self.welcome.set_result(None)
        return session

    def going_away(self, seconds: float) -> None:
        """Has the owner connect again."""
        self.reconnect_in = seconds
        self.moved.set()

    def token_expiring(self) -> None:
        """Has the owner ask for a token."""
        self._owner.token_expiring(self)

    def token_taken(self) -> None:
        """Tells the owner."""
        self._owner.token_taken()


def _how(end: ConnectionClosed) -> Closed:
    """Returns how a socket was closed: by whoever was first to say so."""
    said = end.sent if end.sent is not None and not end.rcvd_then_sent else end.rcvd
    return Closed(ABNORMAL, "") if said is None else Closed(said.code, said.reason)
