"""One client connection: lets through one checked head, then exactly its body, then waits.

Nothing behind it sees a byte of the next request before the present one is answered, so neither
pipelining nor a huge head can fill the memory. It owns the socket and the timers: first byte, end
of head, idleness, a client that takes nothing, the lingering close. What requests mean is not its
business; aiohttp's protocol behind it parses, and `exchange` answers.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Final, cast

from gateway.http.request_id import request_id
from gateway.listener.body import BadBody, Body, body_of
from gateway.listener.faults import (
    HEADER_TIMEOUT,
    HEADERS_TOO_LARGE,
    MALFORMED,
    TOO_MANY_CONNECTIONS,
    Fault,
    Refused,
    bad_request,
)
from gateway.listener.forwarded import plain, trusts
from gateway.listener.head import CHUNKED, Head, given_id, parse
from gateway.listener.limits import (
    LINGER_BYTES,
    LINGER_SECONDS,
    PIECE,
    READ_AHEAD,
    REFUSED_AT_ONCE,
)
from gateway.listener.relay import Relay
from gateway.listener.service import Service

if TYPE_CHECKING:
    from gateway.listener.exchange import AiohttpExchange

_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_TOKEN_START: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]")
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close sends a reset


class _Phase(Enum):
    HEAD = "waiting for a request's head"
    BODY = "letting a body through"
    BROKEN = "throwing away what follows a broken body"
    ANSWER = "waiting for the answer"
    LINGER = "closing, throwing away what still comes"


class Connection(asyncio.Protocol):
    """One client connection."""

    def __init__(self, service: Service) -> None:
        self.transport: asyncio.Transport
        self.head: Head
        self.peer = ""
        self.scheme = "http"
        self.exchange: AiohttpExchange | None = None
        self.body_complete = True
        self.body_broken = False
        self._service = service
        self._loop = asyncio.get_running_loop()
        self._counts_for: str | None = None
        self._engine: asyncio.Protocol | None = None
        self._phase = _Phase.HEAD
        self._received = bytearray()
        self._scanned = 0
        self._begun = False
        self._body: Body
        self._chunked = False
        self._pumping = False
        self._held = False
        self._paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._unsent = 0
        self._taken = False
        self._lingered = 0

    # The transport's calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Lets the connection in, or refuses it."""
        # A cast, since uvloop's transports are no subclasses of asyncio's.
        self.transport = transport = cast("asyncio.Transport", transport)
        service = self._service
        service.connections.add(self)
        peername = transport.get_extra_info("peername")
        self.peer = (plain(peername[0]) or "") if isinstance(peername, tuple) else ""
        self.scheme = "https" if transport.get_extra_info("sslcontext") is not None else "http"
        if service.draining:  # it was still shaking hands
            transport.close()
            return
        counts_for = "" if trusts(service.trusted, self.peer) else self.peer
        if not service.census.enter(counts_for, service.limits):
            self._refuse(TOO_MANY_CONNECTIONS)
            return
        self._counts_for = counts_for
        self._engine = service.engine()
        self._engine.connection_made(Relay(self))
        self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        """Takes bytes in, and lets through what may pass now."""
        if self._phase is _Phase.BROKEN:
            return
        if self._phase is _Phase.LINGER:
            self._lingered += len(data)
            if self._lingered > LINGER_BYTES:
                self.transport.close()
            return
        self._received += data
        self._pump()

    def eof_received(self) -> None:
        """Takes the end of the client's sending for its going away; the transport closes then."""
        self._lost()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends all that belongs to the connection."""
        self._lost()
        self._service.connections.discard(self)
        self._service.one_closed.set()
        if self._counts_for is not None:
            self._service.census.leave(self._counts_for)
        for timer in (self._timer, self._stall):
            if timer is not None:
                timer.cancel()
        if self._engine is not None:
            self._engine.connection_lost(exc)
            self._engine = None

    def pause_writing(self) -> None:
        """Passes on that the client is slow, and watches that it takes something at all."""
        if self._engine is not None:
            self._engine.pause_writing()
        self._watch_stall()

    def resume_writing(self) -> None:
        """Passes on that the client can take more."""
        self._taken = True
        if self._engine is not None:
            self._engine.resume_writing()

    # The engine's wishes, by way of its Relay.

    def hold(self) -> None:
        """Gives the engine no more to read."""
        self._held = True

    def release(self) -> None:
        """Gives the engine to read again."""
        self._held = False
        self._pump()

    def finish(self) -> None:
        """Closes once all is written, reading on for a while if the client may still be sending."""
        if self._phase is _Phase.LINGER or self.transport.is_closing():
            return
        self._clear_timer()
        if self._received or self._phase in {_Phase.BODY, _Phase.BROKEN}:
            self._linger()
        else:
            self._phase = _Phase.LINGER
            self.transport.close()
            self._watch_stall()

    def abort(self) -> None:
        """Closes at once, with a reset where the socket has one, so that no reply passes for whole.

        A Unix socket has none: there, a reply without a length looks complete when it is cut.
        """
        self._phase = _Phase.LINGER
        found = self.transport.get_extra_info("socket")
        if found is not None:
            with suppress(OSError):  # closed already
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()

    # The exchange's wishes.

    def send_continue(self) -> None:
        """Tells a client that waits for it to send the body (RFC 9110 section 10.1.1)."""
        if self.head.expects_continue and not self.body_complete and not self._received:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def answered(self) -> None:
        """Goes on to the next request. The reply is written as far as this side is concerned."""
        self.exchange = None
        # A client that has gone asks nothing more: a timer would hold its connection for long.
        if self._phase is _Phase.ANSWER and self._engine is not None:
            self._phase = _Phase.HEAD
            self._wait_for_request()
            # Not from within: the engine must end this request before it sees another.
            self._loop.call_soon(self.finish if self._service.draining else self._pump)

    # Draining.

    def drain(self) -> None:
        """Closes if no request is being sent or answered."""
        if self._phase is _Phase.HEAD and not self._begun and not self._received:
            self.finish()

    # Letting through.

    def _pump(self) -> None:
        if self._pumping:
            return
        self._pumping = True
        try:
            while self._step():
                pass
        except Refused as refused:
            self._refuse(refused.fault)
        except BadBody:
            self._break_body()
        finally:
            self._pumping = False
        self._govern_reading()

    def _step(self) -> bool:
        """Lets one head or one piece of a body through; returns whether to go on."""
        if self._engine is None or self.transport.is_closing():
            return False
        if self._phase is _Phase.HEAD:
            return self._pass_head(self._engine)
        return self._phase is _Phase.BODY and not self._held and self._pass_piece(self._engine)

    def _pass_head(self, engine: asyncio.Protocol) -> bool:
        data = self._cut_head()
        if data is None:
            return False
        self._clear_timer()
        self._begun = False
        self._scanned = 0
        try:
            head = parse(data)
        except Refused as refused:
            self._refuse(refused.fault, given_id(data), head_only=data.startswith(b"HEAD "))
            return False
        self.head = head
        self._chunked = head.length == CHUNKED
        self._body = body_of(head.length, self._service.limits.header_size)
        self.body_complete = self._body.done
        self._phase = _Phase.ANSWER if self._body.done else _Phase.BODY
        engine.data_received(data)
        return True

    def _cut_head(self) -> bytes | None:
        """Takes a whole head from what was received, or returns None while it is not there."""
        received, limit = self._received, self._service.limits.header_size
        # RFC 9112 2.2: a server should ignore empty lines before a request.
        while not self._begun and received.startswith(b"\r\n"):
            del received[:2]
        if not received or received == b"\r":
            return None
        if not self._begun:
            if not _TOKEN_START.match(received):
                raise Refused(MALFORMED)  # TLS on a plain port, most often
            self._begun = True
            self._set_timer(self._service.limits.header_timeout, self._head_is_late)
        end = received.find(b"\r\n\r\n", max(0, self._scanned - 3)) + 4
        if (end if end > 3 else len(received)) > limit:
            raise Refused(HEADERS_TOO_LARGE)
        if end > 3:
            data = bytes(received[:end])
            del received[:end]
            return data
        if _BARE_LF.search(received, max(0, self._scanned - 1)):
            raise bad_request("A line ends with LF alone; lines of HTTP end with CR LF.")
        self._scanned = len(received)
        return None

    def _pass_piece(self, engine: asyncio.Protocol) -> bool:
        data = self._body.take(self._received, PIECE)
        done = self._body.done
        if done:
            self.body_complete = True
            self._phase = _Phase.ANSWER
        if self._chunked:
            # Extensions and trailers stay here; the engine gets plain chunks.
            end = b"0\r\n\r\n" if done else b""
            data = b"%x\r\n%b\r\n%b" % (len(data), data, end) if data else end
        if data:
            engine.data_received(data)
        return bool(data) and not done

    def _govern_reading(self) -> None:
        """Leaves the socket alone while there is more than enough to work on."""
        if self.transport.is_closing():
            return
        waiting = self._held or self._phase is _Phase.ANSWER
        full = waiting and self._phase is not _Phase.LINGER and len(self._received) > READ_AHEAD
        if full and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        elif self._paused and not full:
            self._paused = False
            self.transport.resume_reading()

    # Ends.

    def _lost(self) -> None:
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            exchange.gone()

    def _break_body(self) -> None:
        """Ends a body that makes no sense; what follows it makes none either."""
        self._phase = _Phase.BROKEN
        self._received.clear()
        self.body_broken = True
        if self.exchange is not None:
            self.exchange.body_broken()

    def _refuse(self, fault: Fault, given: str | None = None, *, head_only: bool = False) -> None:
        """Answers with an error of HTTP's own, named as the client wishes if it said; closes."""
        service = self._service
        if len(service.connections) > service.limits.connections + REFUSED_AT_ONCE:
            self.transport.abort()
            return
        self.transport.write(fault.reply(request_id(given), head_only=head_only))
        self._linger()

    def _linger(self) -> None:
        self._phase = _Phase.LINGER
        self._received.clear()
        self._govern_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._set_timer(LINGER_SECONDS, self.transport.close)
        self._watch_stall()

    # Timers.

    def _set_timer(self, seconds: float, then: Callable[[], None]) -> None:
        self._clear_timer()
        self._timer = self._loop.call_later(seconds, then)

    def _clear_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait_for_request(self) -> None:
        self._set_timer(self._service.limits.idle_timeout, self.finish)

    def _head_is_late(self) -> None:
        self._refuse(HEADER_TIMEOUT)

    def _watch_stall(self) -> None:
        """Looks after a while whether the client took anything of what it was sent."""
        if self._stall is None:
            self._taken = False
            self._unsent = self.transport.get_write_buffer_size()
            seconds = self._service.limits.stream_idle_timeout
            self._stall = self._loop.call_later(seconds, self._check_stall)

    def _check_stall(self) -> None:
        self._stall = None
        unsent = self.transport.get_write_buffer_size()
        if unsent and unsent >= self._unsent and not self._taken:
            self.abort()
        elif unsent:
            self._watch_stall()
