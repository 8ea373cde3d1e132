"""The request side of a streaming call: messages from the client, at the backend's pace.

What was sent is kept, up to a bound, until the backend is known to have the call: a call that a
backend never saw can then be sent again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from gateway.call import StreamCall
from gateway.upstream.channel.request import too_large
from gateway.wire.grpc import prefixed

if TYPE_CHECKING:
    from gateway.upstream.channel.native_stream import StreamRun

_KEPT: Final = 64 * 1024
"""Bytes that are kept to be sent again."""

# A client may have messages at hand, and a backend a window without end: after so many bytes the
# loop gets its turn, to write them and to hear that the backend does not read. A message costs
# some, however small it is.
_TURN: Final = 64 * 1024
_EACH: Final = 512


class Requests:
    """The requests of one call. Only while they are carried it knows whose: the run has it.

    Attributes:
        any_taken: Whether a message was taken from the client.
    """

    __slots__ = (
        "_call",
        "_ended",
        "_kept",
        "_most",
        "_room",
        "_size",
        "_turn",
        "any_taken",
    )

    def __init__(self, call: StreamCall, most: int) -> None:
        self.any_taken = False
        self._call = call
        self._most = most
        self._kept: list[bytes] | None = []
        self._size = 0
        self._turn = 0
        self._ended = False
        self._room: asyncio.Future[None] | None = None

    @property
    def whole(self) -> bool:
        """Whether all that was sent is kept."""
        return self._kept is not None

    def said(self) -> tuple[bytes, bool]:
        """Returns what was sent so far, and whether that is all."""
        return b"".join(self._kept or ()), self._ended

    def forget(self) -> None:
        """Keeps nothing any more: the backend has the call."""
        self._kept = None

    def go_on(self) -> None:
        """Hears that the backend takes more."""
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    async def carry(self, run: StreamRun) -> None:
        """Carries messages until the client has half-closed, or the call is over."""
        try:
            while (message := await self._call.receive()) is not None:
                self.any_taken = True
                if refused := too_large(len(message), self._most):
                    run.stop(refused)
                    return
                await self._send(run, prefixed(message))
                if run.over:
                    return
            await self._send(run, b"", end=True)
        except Exception as failure:  # noqa: BLE001  handed to the task that owns the call
            if not run.over:
                run.stop(failure)

    async def _send(self, run: StreamRun, data: bytes, *, end: bool = False) -> None:
        self._ended = end
        connection = run.connection
        if self._kept is not None:
            self._kept.append(data)
            self._size += len(data)
            if self._size > _KEPT and connection is not None:
                self._kept = None
        if connection is None:  # the call is being sent again, and this with it
            await self._wait()
            return
        sent = connection.http.send(run, data, end=end)
        connection.schedule()
        if not sent:
            await self._wait()
            self._turn = 0
            return
        self._turn += len(data) + _EACH
        if self._turn > _TURN:
            self._turn = 0
            await asyncio.sleep(0)
        if connection.blocked:
            await connection.unblocked()

    async def _wait(self) -> None:
        self._room = asyncio.get_running_loop().create_future()
        try:
            await self._room
        finally:
            self._room = None
