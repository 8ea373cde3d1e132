"""Between the workers of one gateway: a socket goes to the worker that has its session.

The kernel gives a connection to any worker, so a client that comes back seldom finds its session
where it arrives. The session's id says which worker has it; to that one the socket is relayed, over
a Unix socket in a folder that only this gateway's user can enter. The owner of the session is asked
first: where it does not have it any more, the socket stays where it is.

The owner drives the socket as it does its own (`relayed`); the worker with the connection passes
messages on (`relaying`). What they tell each other is in `relay_records`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gateway.fronts.websocket.codes import AWAY
from gateway.fronts.websocket.relay_link import Link
from gateway.fronts.websocket.relay_records import Arrival
from gateway.fronts.websocket.relayed import RelayedSocket
from gateway.fronts.websocket.relaying import Relaying
from gateway.http import WebSocket
from gateway.http.websocket import Message

_WORKER: Final = re.compile(r"[1-9][0-9]{0,3}")
_PATIENCE: Final = 2.0  # seconds for another worker of the same machine to answer
_MOST: Final = 10_000  # sockets that others relay here at once: each takes a descriptor
_BACKLOG: Final = 4096  # all clients of a worker that died come back at once


class Relay:
    """One worker's place among the others.

    Args:
        folder: Where all of them listen.
        worker: This one's number.
        adopt: Drives a socket if its session is here; returns whether it is.
        most: Sockets that others may relay here at once.
        patience: Seconds for another worker to answer.
    """

    __slots__ = (
        "_adopt",
        "_empty",
        "_folder",
        "_is_draining",
        "_most",
        "_patience",
        "_server",
        "_sockets",
        "_worker",
    )

    def __init__(
        self,
        folder: Path,
        worker: int,
        adopt: Callable[[WebSocket, Arrival], bool],
        *,
        most: int = _MOST,
        patience: float = _PATIENCE,
    ) -> None:
        self._folder = folder
        self._worker = worker
        self._adopt = adopt
        self._most = most
        self._patience = patience
        self._server: asyncio.AbstractServer | None = None
        self._sockets: set[RelayedSocket] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._is_draining = False

    async def open(self) -> None:
        """Listens to the other workers.

        Raises:
            OSError: It can't: the folder's name is too long for a Unix socket, or it is gone.
        """
        path = self._path(self._worker)
        path.unlink(missing_ok=True)  # that of a process of the same number, which died
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self._accepted, path, backlog=_BACKLOG)

    async def drain(self, seconds: float) -> None:
        """Takes no more sockets, and has those that others relay end, for so many seconds.

        What is left then is closed. The folder goes with the last worker, whoever made it: he may
        have been killed.
        """
        self._is_draining = True
        if self._server is not None:
            self._server.close()
            self._path(self._worker).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # others are still there
                self._folder.rmdir()
        for socket in list(self._sockets):
            socket.drain()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), seconds)
        for socket in list(self._sockets):
            socket.cut(AWAY, "going away")

    async def take(self, arrival: Arrival, socket: WebSocket, hello: Message) -> bool:
        """Has the owner of a session drive a socket; returns whether it does.

        Args:
            arrival: The client, and the session that it comes back to.
            socket: The client's; paused.
            hello: What it has said so far.
        """
        owner, _, _ = arrival.session.partition(".")
        if _WORKER.fullmatch(owner) is None or int(owner) == self._worker:
            return False
        path = self._path(int(owner))
        loop = asyncio.get_running_loop()
        relaying = Relaying(socket)
        is_adopted = False
        try:
            async with asyncio.timeout(self._patience):
                await loop.create_unix_connection(lambda: relaying.link, str(path))
                is_adopted = await relaying.is_adopted(arrival)
        except OSError:  # TimeoutError is one: that worker is gone, or does not answer
            is_adopted = False
        finally:
            if not is_adopted:
                relaying.link.close()
        if is_adopted:
            relaying.begin(hello)
        return is_adopted

    def _accepted(self) -> Link:
        socket = RelayedSocket(self._adopted, self._left)
        self._sockets.add(socket)
        self._empty.clear()
        return socket.link

    def _adopted(self, socket: RelayedSocket, arrival: Arrival) -> bool:
        if self._is_draining or len(self._sockets) > self._most:
            return False
        return self._adopt(socket, arrival)

    def _left(self, socket: RelayedSocket) -> None:
        self._sockets.discard(socket)
        if not self._sockets:
            self._empty.set()

    def _path(self, worker: int) -> Path:
        return self._folder / f"{worker}.sock"
