"""Between the workers of one gateway: a socket goes to the worker that has its session.

The kernel gives a connection to any worker, so a client that comes back seldom finds its session
where it arrives. The session's id says which worker has it; to that one the socket is relayed, over
a Unix socket in a folder that only this gateway's user can enter. The worker with the session
drives the socket as it does its own; the one with the connection passes messages on, and waits
where either side does not take them.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gateway.fronts.websocket.codes import AWAY
from gateway.fronts.websocket.relay_records import Kind, closed, closing, handshake
from gateway.fronts.websocket.relayed import Link, RelayedSocket
from gateway.http import Request, SocketClosed, WebSocket
from gateway.http.websocket import Message

_WORKER: Final = re.compile(r"[1-9][0-9]{0,3}")
_PATIENCE: Final = 2.0  # seconds to reach another worker of the same machine


class Relay:
    """One worker's place among the others.

    Args:
        folder: Where all of them listen.
        worker: This one's number.
        adopt: Drives a socket whose session is here.
    """

    __slots__ = ("_adopt", "_empty", "_folder", "_server", "_sockets", "_worker")

    def __init__(
        self, folder: Path, worker: int, adopt: Callable[[WebSocket, Request], None]
    ) -> None:
        self._folder = folder
        self._worker = worker
        self._adopt = adopt
        self._server: asyncio.AbstractServer | None = None
        self._sockets: set[RelayedSocket] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    async def open(self) -> None:
        """Listens to the other workers.

        Raises:
            OSError: It can't: the folder's name is too long for a Unix socket, or it is gone.
        """
        path = self._path(self._worker)
        path.unlink(missing_ok=True)  # that of a process of the same number, which died
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self._accepted, path)

    async def drain(self, seconds: float) -> None:
        """Has the sockets that others relay end, for so many seconds; then closes."""
        for socket in list(self._sockets):
            socket.drain()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), seconds)
        for socket in list(self._sockets):
            socket.close(AWAY, "going away")
            socket.link.close()
        if self._server is not None:
            self._server.close()

    async def take(self, session: str, socket: WebSocket, request: Request, hello: Message) -> bool:
        """Has another worker drive a socket; returns whether one does.

        Args:
            session: The session that the client comes back to.
            socket: The client's; paused.
            request: Its handshake.
            hello: What it has said so far.
        """
        owner, _, _ = session.partition(".")
        if _WORKER.fullmatch(owner) is None or int(owner) == self._worker:
            return False
        path = self._path(int(owner))
        loop = asyncio.get_running_loop()
        relaying = _Relaying(socket)
        try:
            async with asyncio.timeout(_PATIENCE):
                await loop.create_unix_connection(lambda: relaying.link, str(path))
        except OSError:  # TimeoutError is one: that worker is gone, or does not answer
            return False
        relaying.begin(request, hello)
        return True

    def _accepted(self) -> Link:
        socket = RelayedSocket(self._adopted, self._left)
        self._sockets.add(socket)
        self._empty.clear()
        return socket.link

    def _adopted(self, socket: RelayedSocket, request: Request) -> None:
        self._adopt(socket, request)

    def _left(self, socket: RelayedSocket) -> None:
        self._sockets.discard(socket)
        if not self._sockets:
            self._empty.set()

    def _path(self, worker: int) -> Path:
        return self._folder / f"{worker}.sock"


class _Relaying:
    """A client's socket, and the link to the worker that drives it."""

    __slots__ = ("link", "socket")

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.link = Link(self._record, self._lost)

    def begin(self, request: Request, hello: Message) -> None:
        """Tells the owner of the client, and passes on what it says from now on."""
        self.link.send(Kind.OPENED, handshake(request, self.socket.subprotocol))
        self.socket.listen(self._said, self._closed, self._draining)
        self._said(hello)

    # What the client's socket tells.

    def _said(self, message: Message) -> None:
        if isinstance(message, str):
            self.link.send(Kind.TEXT, message.encode())
        else:
            self.link.send(Kind.BINARY, message)
        if self.link.full:
            self.socket.pause()
            self.socket.spawn(self._go_on_reading())

    def _closed(self, code: int, reason: str) -> None:
        self.link.send(Kind.CLOSED, closing(code, reason))
        self.link.close()

    def _draining(self) -> None:
        self.link.send(Kind.DRAINING)

    async def _go_on_reading(self) -> None:
        await self.link.drained()
        self.socket.resume()

    # What the owner tells.

    def _record(self, kind: Kind, payload: bytes) -> None:
        socket = self.socket
        match kind:
            case Kind.TEXT:
                socket.send_text(payload)
                self._wait_for_client()
            case Kind.BINARY:
                socket.send_binary(payload)
                self._wait_for_client()
            case Kind.CLOSE:
                socket.close(*closed(payload))
            case Kind.ABORT:
                socket.abort()
            case Kind.PING:
                socket.ping(lambda _: self.link.send(Kind.PONG))
            case Kind.WATCH:
                socket.when_stalled(float(payload), lambda: self.link.send(Kind.STALLED))
            case _:
                raise AssertionError(f"{kind} is the relay's to send")

    def _wait_for_client(self) -> None:
        if not self.socket.writable and self.socket.is_open:
            self.link.pause()
            self.socket.spawn(self._go_on_writing())

    async def _go_on_writing(self) -> None:
        try:
            await self.socket.drained()
        except SocketClosed:
            return
        self.link.resume()

    def _lost(self) -> None:
        self.socket.close(AWAY, "going away")
