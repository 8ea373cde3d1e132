"""One HTTP/2 connection to a backend: the thin asyncio driver of `gateway.wire.http2_client`.

It writes once in a loop iteration, whatever was asked for in it, and closes when the peer breaks
the protocol, does not answer a ping, or does not acknowledge our settings. Which calls it carries
is the channel's business.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final, Protocol, cast

from gateway.upstream.channel.keepalive import Verdict, Watch
from gateway.upstream.spec import Keepalive
from gateway.wire.failure import ConnectionFailed
from gateway.wire.frames import ErrorCode
from gateway.wire.hpack import Decoder
from gateway.wire.http2_client import ClientConnection
from gateway.wire.settings import Limits
from gateway.wire.stream import Stream

_SETTINGS_PATIENCE: Final = 20.0  # seconds for the peer to acknowledge our settings
_LINGER: Final = 1.0  # seconds for the peer to take what is still to be said
_PING: Final = b"gateway\0"
_DEAF: Final = 30.0  # seconds that a backend may leave what it is sent unread

# Bytes that wait for the socket, above which no calls are added: the backend does not read.
_HIGH_WATER: Final = 1024 * 1024


class Owner(Protocol):
    """Who has the connection: a channel."""

    def opened(self, connection: NativeConnection) -> None:
        """Hears that the connection takes calls, or takes more than before."""

    def draining(self, code: ErrorCode, debug: bytes) -> None:
        """Hears that a connection takes no more calls, and finishes those that it has."""

    def lost(self, connection: NativeConnection) -> None:
        """Hears that it is over, before its streams are told."""


class Carried(Protocol):
    """A stream of this driver's, when its connection is lost."""

    def connection_lost(self, cause: str, *, unsent: bool, broken: bool) -> None:
        """Ends, or goes elsewhere; `unsent` if nothing of it has left this side."""


class NativeConnection(asyncio.Protocol):
    """A connection, made by `loop.create_connection`.

    Attributes:
        http: What is said on it.
        began: When it was made, on the loop's clock.
        ready: Done when it takes calls; cancelled if it is lost before.
        blocked: Whether what was sent waits for the backend to read.
        taken: Whether somebody has use for it.
        cause: Why it was lost, for operators.
        broken: Whether it was lost since the peer does not speak HTTP/2.
    """

    def __init__(
        self,
        owner: Owner,
        loop: asyncio.AbstractEventLoop,
        decoder: Decoder,
        limits: Limits,
        keepalive: Keepalive,
    ) -> None:
        self.http = ClientConnection(self, decoder, limits, loop.time)
        self.began = loop.time()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.taken = False
        self.cause = ""
        self.broken = False
        self._owner = owner
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._scheduled = False
        self.blocked = False
        self._unblocked: asyncio.Future[None] | None = None
        self._watch = Watch(keepalive, self.began)
        self._keepalive: asyncio.TimerHandle | None = None
        self._settings: asyncio.TimerHandle | None = None
        self._lingering: asyncio.TimerHandle | None = None
        self._deaf: asyncio.TimerHandle | None = None
        self._closed: asyncio.Future[None] = loop.create_future()

    def __repr__(self) -> str:
        return f"NativeConnection({len(self.http.streams)} streams, {self.cause or 'open'})"

    @property
    def room(self) -> int:
        """How many more calls it takes now."""
        return 0 if self.blocked else self.http.room

    # The transport's calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Says the preface, or closes where TLS did not agree on HTTP/2."""
        # A cast, since uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() != "h2":
            self.give_up("TLS did not agree on HTTP/2 (ALPN)", broken=True)
            return
        self._flush()
        self._settings = self._loop.call_later(_SETTINGS_PATIENCE, self._check_settings)
        self._keepalive = self._loop.call_later(self._watch.times.time, self._check)

    def data_received(self, data: bytes) -> None:
        """Takes bytes in."""
        self._watch.heard = self._loop.time()
        try:
            self.http.receive(data)
        except ConnectionFailed as failure:
            tls = not self.http.ready and data.startswith(b"\x15\x03")
            cause = "it speaks TLS: the upstream needs `tls`" if tls else str(failure)
            self.give_up(cause, broken=not tls)
        else:
            if self.http.outgoing:
                self.schedule()

    def eof_received(self) -> None:
        """Ends it: a backend that says no more can't answer."""
        self.give_up("closed by the backend")

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends all that belongs to the connection."""
        self._over(str(exc) if exc else "closed by the backend", broken=False)
        if self._lingering is not None:
            self._lingering.cancel()
        if not self._closed.done():
            self._closed.set_result(None)

    def pause_writing(self) -> None:
        """Takes no more calls while the backend does not read, and watches that it reads at all."""
        self.blocked = True
        self._watch_reading()

    def resume_writing(self) -> None:
        """Goes on."""
        self.blocked = False
        if self._unblocked is not None:
            self._unblocked.set_result(None)
            self._unblocked = None
        if self.http.outgoing:
            self.schedule()
        self._owner.opened(self)

    # What the channel and its calls ask for.

    def schedule(self) -> None:
        """Has what is to be sent written at the end of this loop iteration."""
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def cancel(self, stream: Stream, code: ErrorCode = ErrorCode.CANCEL) -> None:
        """Ends a stream that nobody wants any more."""
        self.http.cancel(stream, code)
        if self.http.outgoing:
            self.schedule()

    def consumed(self, stream: Stream, size: int) -> None:
        """Gives back what a stream's reader has consumed."""
        self.http.consumed(stream, size)
        if self.http.outgoing:
            self.schedule()

    async def unblocked(self) -> None:
        """Waits until the backend reads what was sent."""
        while self.blocked and not self._closed.done():
            if self._unblocked is None:
                self._unblocked = self._loop.create_future()
            await asyncio.shield(self._unblocked)

    def give_up(self, cause: str, *, broken: bool = False) -> None:
        """Closes at once, after what is still to be said."""
        self._over(cause, broken=broken)
        if self._transport is not None:
            self._transport.close()
            if self._lingering is None and not self._closed.done():
                self._lingering = self._loop.call_later(_LINGER, self._transport.abort)

    async def close(self, patience: float) -> None:
        """Says goodbye, closes, and waits until it is closed, `patience` seconds at most."""
        transport = self._transport
        if transport is None:
            return
        if not self.cause:
            self.http.fail(ErrorCode.NO_ERROR)
            self.give_up("closed by the gateway")
        await asyncio.wait({self._closed}, timeout=patience)
        transport.abort()

    # What the connection hears (gateway.wire.http2.Owner).

    def settled(self) -> None:
        """See Owner."""
        if not self.ready.done():
            self.ready.set_result(None)
        self._owner.opened(self)

    def going_away(self, code: ErrorCode, debug: bytes) -> None:
        """See Owner."""
        self._owner.draining(code, debug)
        self.close_when_idle()

    def pong(self, payload: bytes) -> None:
        """See Owner; that something was heard is what counts."""

    def close_when_idle(self) -> None:
        """Closes if it takes no more calls and has none."""
        if self.http.gone and not self.http.streams and not self.cause:
            self.http.fail(ErrorCode.NO_ERROR)
            self.give_up("drained")

    # Its own.

    def _watch_reading(self) -> None:
        if self._deaf is None and self._transport is not None:
            unread = self._transport.get_write_buffer_size()
            self._deaf = self._loop.call_later(_DEAF, self._check_reading, unread)

    def _check_reading(self, unread: int) -> None:
        """Gives up on a backend that has taken nothing for so long, though it may still talk."""
        self._deaf = None
        if not self.blocked or self._transport is None:
            return
        if self._transport.get_write_buffer_size() >= unread:
            self.give_up("it does not read what it is sent")
            self._transport.abort()
        else:
            self._watch_reading()

    def _flush(self) -> None:
        self._scheduled = False
        # What the socket does not take stays where a cancelled call can be taken back.
        transport = self._transport
        if transport is None or self.blocked or not self.http.outgoing:
            return
        if not transport.is_closing():  # it may have been given up while more was read
            transport.write(self.http.outgoing.take())

    def _over(self, cause: str, *, broken: bool) -> None:
        if self.cause:
            return
        self.cause, self.broken = cause, broken
        http = self.http
        http.gone = True
        for timer in (self._keepalive, self._settings, self._deaf):
            if timer is not None:
                timer.cancel()
        streams, unsent = list(http.streams.values()), set()
        for stream in streams:
            if http.outgoing.holds(stream):
                unsent.add(stream.id)
                http.outgoing.drop(stream)
        http.streams.clear()
        self.blocked = False
        if broken or not streams:
            self._flush()
        if not self.ready.done():
            self.ready.cancel()
        if self._unblocked is not None:
            self._unblocked.set_result(None)
            self._unblocked = None
        self._owner.lost(self)
        for stream in streams:
            carried = cast("Carried", stream)
            carried.connection_lost(cause, unsent=stream.id in unsent, broken=broken)

    def _check_settings(self) -> None:
        if not self.http.acknowledged:
            self.http.fail(ErrorCode.SETTINGS_TIMEOUT)
            self.give_up("it does not acknowledge SETTINGS", broken=True)

    def _check(self) -> None:
        verdict, delay = self._watch.check(self._loop.time(), active=bool(self.http.streams))
        if verdict is Verdict.DEAD:
            self.give_up("it does not answer a keepalive ping")
            if self._transport is not None:
                self._transport.abort()
            return
        if verdict is Verdict.PING:
            self.http.ping(_PING)
            self.schedule()
        self._keepalive = self._loop.call_later(delay, self._check)
