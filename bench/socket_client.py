"""A client of WebSockets that costs little, and trusts nothing that it is sent.

One `asyncio` protocol: the handshake, frames either way, pings answered. Frames that are sent often
are made once (`frame`). What should not happen (a refusal, a close, a fragment) fails `Watch`,
which whoever waits for something waits for too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from processes import Process
from socket_forms import Form, Heard, Multiplexed

_MASK = bytes.fromhex("37fa213d")  # RFC 6455's own example, 5.7
_CLOSE, _PING, _PONG = 8, 9, 10
_HEAD = (
    "GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{more}"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_AT_ONCE = 50  # sockets that are being opened
T = TypeVar("T")


class BrokenError(Exception):
    """Something went wrong on a socket; the text says what."""


def frame(opcode: int, payload: bytes) -> bytes:
    """Makes a frame of a client's, masked (RFC 6455, 5.2)."""
    size = len(payload)
    long = size >= 126
    head = bytes((0x80 | opcode, 0x80 | (126 if long else size)))
    head += size.to_bytes(2, "big") if long else b""
    mask = (_MASK * (size // 4 + 1))[:size]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")
    return head + _MASK + mixed.to_bytes(size, "big")


class Watch:
    """Fails when the first of many sockets does."""

    def __init__(self) -> None:
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._failed.add_done_callback(
            lambda failed: failed.exception()
        )  # others may have ended it

    def fail(self, text: str) -> None:
        if not self._failed.done():
            self._failed.set_exception(BrokenError(text))

    async def over(self, awaited: Awaitable[T], seconds: float = 60) -> T:
        """Waits for something.

        Raises:
            BrokenError: A socket failed, or it takes too long.
        """
        task = asyncio.ensure_future(awaited)
        await asyncio.wait(
            {task, self._failed}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if self._failed.done():
            task.cancel()
            self._failed.result()
        if not task.done():
            task.cancel()
            raise BrokenError(f"nothing for {seconds:.0f} s")
        return task.result()

    async def until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Waits until something holds.

        Raises:
            BrokenError: A socket failed, or it takes too long.
        """

        async def holds() -> None:
            while not condition():  # noqa: ASYNC110  asked seldom, not told by each message
                await asyncio.sleep(0.01)

        await self.over(holds(), seconds)


class Socket(asyncio.Protocol):
    """One WebSocket.

    Attributes:
        received: Is told each message.
        pings: How many came.
    """

    def __init__(self, watch: Watch, form: Form, received: Callable[[bytes], None]) -> None:
        self.received = received
        self.pings = 0
        self.transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watch = watch
        self._form = form
        self._buffer = b""
        self._closing = False
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self, payload: bytes) -> None:
        """Sends a message."""
        self.transport.write(frame(self._form.opcode, payload))

    async def close(self) -> None:
        """Ends it."""
        self._closing = True
        self.transport.abort()
        await self._lost

    # asyncio.Protocol.

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        name = self._form.subprotocol
        more = f"Sec-WebSocket-Protocol: {name}\r\n" if name else ""
        transport.write(_HEAD.format(path=self._form.path, more=more).encode())

    def connection_lost(self, _: Exception | None) -> None:
        self._lost.set_result(None)
        if not self._closing:
            self._watch.fail("a connection was lost")

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data
        at = 0 if self.opened.done() else self._head(data)
        end = len(data)
        while end - at >= 2:
            first, size, start = data[at], data[at + 1], at + 2
            if size == 126:
                start = at + 4
                size = int.from_bytes(data[at + 2 : at + 4], "big")
            elif size == 127:
                start = at + 10
                size = int.from_bytes(data[at + 2 : at + 10], "big")
            if start + size > end:
                break
            at = start + size
            self._frame(first, data[start:at])
        self._buffer = data[at:]

    def _head(self, data: bytes) -> int:
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            return 0
        if not data.startswith(b"HTTP/1.1 101"):
            self._watch.fail(f"no upgrade: {data[:200]!r}")
        self.opened.set_result(None)
        return end

    def _frame(self, first: int, payload: bytes) -> None:
        if first == 0x80 | self._form.opcode:
            self.received(payload)
        elif first == 0x80 | _PING:
            self.pings += 1
            self.transport.write(frame(_PONG, payload))
        elif first == 0x80 | _CLOSE:
            self._watch.fail(f"closed: {int.from_bytes(payload[:2], 'big')} {payload[2:]!r}")
        else:
            self._watch.fail(f"an unexpected frame: {first:#x} {payload[:100]!r}")


async def connect(
    process: Process, watch: Watch, form: Form, received: Callable[[bytes], None]
) -> Socket:
    """Opens a WebSocket; of the multiplexed form it has not said hello."""
    host, _, port = process.address.rpartition(":")
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(lambda: Socket(watch, form, received), host, int(port))
    await watch.over(socket.opened)
    return socket


async def greeted(process: Process, watch: Watch, form: Multiplexed, *features: str) -> Socket:
    """Opens a WebSocket of the multiplexed form and says hello; `received` is to be set."""
    answered: asyncio.Future[Heard] = asyncio.get_running_loop().create_future()
    socket = await connect(
        process, watch, form, lambda payload: answered.set_result(form.read(payload))
    )
    socket.send(form.hello(*features))
    heard = await watch.over(answered)
    if heard.kind != "welcome":
        raise BrokenError(f"no welcome: {heard}")
    return socket


async def many(count: int, one: Callable[[int], Awaitable[T]]) -> list[T]:
    """Makes so many of something, some at a time."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def limited(number: int) -> T:
        async with turn:
            return await one(number)

    return await asyncio.gather(*map(limited, range(count)))
