"""One client connection: one checked head, then exactly its body, then the answer, then the next.

Nothing of the next request is looked at before the present one is answered, so neither pipelining
nor a huge head can fill the memory. It owns the phases and the times: first byte, end of head,
idleness, the lingering close. What requests mean is not its business; `exchange` answers them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.http.certificate import Certificate
from gateway.listener.closing import Closing, Phase
from gateway.listener.counts import check_counts
from gateway.listener.cut import END, Cutter
from gateway.listener.exchange import NEW, OVER, HttpExchange
from gateway.listener.faults import HEADER_TIMEOUT, TOO_MANY_CONNECTIONS, Fault, Refused
from gateway.listener.forwarded import origin, passes_on, plain, trusts
from gateway.listener.head import given_id
from gateway.listener.limits import AT_ONCE, READ_AHEAD
from gateway.listener.packing import untagged
from gateway.listener.refusing import begun, note
from gateway.listener.reply import CONTINUE
from gateway.listener.service import Service
from gateway.listener.tls import asked_for

if TYPE_CHECKING:
    from gateway.listener.websocket import Socket

_HEAD, _BUSY, _SOCKET, _LINGER = Phase


class Connection(Closing):
    """One client connection.

    Attributes:
        peer: The plain address that it comes from; empty for a Unix socket.
        scheme: `http` or `https`.
        certificate: What the client's certificate says, if it showed one.
        asked: The name that the client asked TLS for; empty for none.
        exchange: The request that is being answered.
        socket: The WebSocket that it has become.
    """

    __slots__ = (
        "__weakref__", "_counts_for", "_cutter", "_pumping", "asked", "certificate", "exchange",
        "peer", "scheme", "socket",
    )  # fmt: skip

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.peer = ""
        self.scheme = "http"
        self.certificate: Certificate | None = None
        self.asked = ""
        self.exchange: HttpExchange | None = None
        self.socket: Socket | None = None
        self._counts_for: str | None = None
        self._cutter: Cutter | None = None
        self._pumping = False

    # The transport's calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Lets the connection in, or refuses it."""
        super().connection_made(transport)
        service = self.service
        service.connections.add(self)
        peername = transport.get_extra_info("peername")
        self.peer = (plain(peername[0]) or "") if isinstance(peername, tuple) else ""
        if transport.get_extra_info("sslcontext") is not None:
            self.scheme = "https"
            self.asked = asked_for(transport.get_extra_info("ssl_object"))
        if not service.admits:  # it was still shaking hands
            self.transport.close()
            return
        counts_for = "" if trusts(service.trusted, self.peer) else self.peer
        if not service.census.enter(counts_for, service.limits):
            self.refuse(TOO_MANY_CONNECTIONS)
            return
        self._counts_for = counts_for
        if service.read_certificate is not None:
            der = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
            self.certificate = None if der is None else service.read_certificate(der)
        self.expire_in(service.limits.idle_timeout)

    def data_received(self, data: bytes) -> None:
        """Takes bytes in, and lets through what may pass now."""
        phase = self._phase
        if phase is _HEAD:
            end = data.find(END) + 4
            if 4 < end <= self.service.limits.header_size and not self._received and data[0] > 13:
                # The common case: a whole head, perhaps with its body, and no empty line before it.
                if end == len(data):
                    self._begin(data)
                    return
                self._received = data[end:]
                self._begin(data[:end])
                self.govern_reading()
                return
        elif phase is _LINGER:
            self.throw_away(data)
            return
        elif phase is _SOCKET:
            if self.socket is not None:
                self.socket.received(data)
            return
        elif self.exchange is not None and self.exchange.broken:
            return  # what follows a body that makes no sense makes none either
        self.buffer().extend(data)
        if phase is _HEAD:
            self._pump()
        elif self.exchange is not None:
            self.exchange.received()
            self.govern_reading()
            if len(data) > READ_AHEAD:
                self.let_others_go_first()

    def eof_received(self) -> bool:
        """Takes the end of the client's sending for its going away, unless it may be waiting.

        Returns:
            Whether to keep the connection: there is a request that was sent whole.
        """
        if self._has_ended():
            return True
        self._lost()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends all that belongs to the connection."""
        self._phase = _LINGER
        super().connection_lost(exc)
        self._lost()
        self.drop()
        self.unwatch()
        self.service.connections.discard(self)
        self.service.one_closed.set()
        if self._counts_for is not None:
            self.service.census.leave(self._counts_for)

    def writable(self) -> None:
        """Goes on after a reply that the client was slow to take."""
        if self.socket is not None:
            self.socket.taken()
            return
        exchange = self.exchange
        if exchange is not None and exchange.state >= OVER and not exchange.unsent:
            self.answered()

    # The exchange's wishes.

    def send_continue(self) -> None:
        """Tells a client that waits for it to send the body (RFC 9110 section 10.1.1)."""
        exchange = self.exchange
        if (
            exchange is not None
            and exchange.state == NEW
            and exchange.fields.expects_continue
            and not self._received
        ):
            self.send(CONTINUE)

    def await_body(self) -> None:
        """Has a body that is read whole come."""
        self.send_continue()
        self.expect_body()
        self.govern_reading()

    def expect_body(self) -> None:
        """Sets the time for the next byte of a body that is read whole."""
        self.expire_in(self.service.limits.body_timeout)

    def answered(self) -> None:
        """Goes on to the next request, when the client has taken most of the reply to this one."""
        exchange = self.exchange
        if self.full or exchange is None or self._phase is not _BUSY:
            return
        self.exchange = None
        self.unwatch()
        if exchange.closes or self.service.draining:
            self.close(reading=exchange.body is not None or exchange.broken)
            return
        self._phase = _HEAD
        self.expire_in(self.service.limits.idle_timeout)
        if not self._received:
            self._received = b""
            if self._ended:
                self.finish()
        elif not self._pumping:
            self.loop.call_soon(self._pump)

    def upgraded(self, socket: Socket) -> None:
        """Becomes a WebSocket, when its 101 is sent."""
        self.exchange, self.socket = None, socket
        self._phase = _SOCKET
        self.never_expire()

    # Draining, and ends.

    def drain(self) -> None:
        """Closes if no request is being sent or answered."""
        if self.socket is not None:
            self.socket.drain()
        elif self._phase is _HEAD and not self._received:
            self.finish()

    def cut(self, why: str) -> bool:
        """Cancels what runs on it; returns whether something did."""
        if self.socket is not None:
            self.socket.cut()
            return True
        if self.exchange is not None:
            self.exchange.cancel(why)
            return True
        return False

    def _lost(self) -> None:
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            exchange.gone()
        lost, self.socket = self.socket, None
        if lost is not None:
            lost.lost()

    # Letting heads through.

    def _pump(self) -> None:
        """Has one request after another answered, as long as answers come at once."""
        if self._pumping or self._phase is not _HEAD:
            return
        if self._cutter is None:
            self._cutter = Cutter()
        begun = self._cutter.begun
        self._pumping = True
        self.cork()
        try:
            for _ in range(AT_ONCE):
                data = self._cutter.cut(self.buffer(), self.service.limits.header_size)
                if data is None:
                    self._await_head(begun_before=begun)
                    break
                self._begin(data)
                begun = False
                if self._phase is not _HEAD or self.transport.is_closing():
                    break
            else:
                self.loop.call_soon(self._pump)  # others first
        except Refused as refused:
            self.refuse(refused.fault, data=self._received)
        finally:
            self._pumping = False
            self.flush()
        if self._ended and self._phase is _HEAD and END not in self._received:
            self.finish()
        self.govern_reading()

    def _await_head(self, *, begun_before: bool) -> None:
        """Sets the time for the rest of a head whose first byte has come."""
        if not self._received:
            self._received = b""
        if self._cutter is not None and self._cutter.begun and not begun_before:
            self.expire_in(self.service.limits.header_timeout)

    def _begin(self, data: bytes) -> None:
        """Has one request answered."""
        service = self.service
        try:
            request, fields = service.heads.read(data, self.scheme, self.peer)
            check_counts(request, service.limits)
        except Refused as refused:
            is_head, given = data.startswith(b"HEAD "), given_id(data)
            self.refuse(refused.fault, given, head_only=is_head, data=data)
            return
        request.certificate = self.certificate
        request.server_name = self.asked
        if fields.http10:
            request.version = "1.0"
        if service.trusted:
            request.is_trusted = trusts(service.trusted, self.peer)
            client = origin(self.peer, self.scheme, fields.headers, service.trusted)
            request.peer, request.scheme = client
            if (request.certificate is not None or request.server_name) and passes_on(
                self.peer, fields.headers, service.trusted
            ):
                request.certificate, request.server_name = None, ""  # they are the proxy's
        if service.packing is not None:
            untagged(request)
        if service.cors is not None:
            request.is_let_in = service.cors.acts_as_user(request.headers)
        self.never_expire()
        self._phase = _BUSY
        exchange = self.exchange = HttpExchange(self, request, fields)
        if service.record is not None:
            exchange.record = service.record(request)
        try:
            service.handler()(exchange)
        except Exception:  # noqa: BLE001  whatever a bug raises, the client gets an answer
            exchange.bug()
        if self._ended and self.exchange is exchange:
            if self.may_wait():
                self.watch_client()
            else:
                self.abort()

    def refuse(
        self,
        fault: Fault,
        given: str | None = None,
        *,
        head_only: bool = False,
        data: bytes | bytearray = b"",
    ) -> None:
        """See Closing; `data` is what has come of a head."""
        if (record := self.service.record) is not None:
            request = begun(data, self.peer, self.scheme)
            given = note(record(request), fault, given, head_only=head_only)
        super().refuse(fault, given, head_only=head_only)

    def wants_more(self) -> bool:
        """See Closing."""
        if self._phase is _BUSY:
            return self.exchange is not None and self.exchange.reading
        if self._phase is _HEAD:  # a whole one is there, and has its turn soon, unless it is begun
            return self._cutter is not None and self._cutter.begun
        return self.socket is None or not (self.socket.held or self.socket.behind)

    # Whether the client is there.

    def may_wait(self) -> bool:
        """Decides on a client that sends no more: may it be waiting for its reply?

        To close a socket and to end one's sending look the same from here. An interim reply, which
        every client of HTTP/1.1 must be ready for (RFC 9110 section 15.2), tells: from a client
        that has gone it comes back as a reset. Where none can be sent, the client has gone.
        """
        exchange = self.exchange
        if exchange is None:
            return True  # what it sent last may stand unread
        if exchange.state >= OVER:
            return True
        if exchange.state != NEW or exchange.fields.http10 or self.scheme == "https":
            return False
        self.send(CONTINUE)
        return True

    def _has_ended(self) -> bool:
        """Takes the end of the client's sending; returns whether to keep the connection."""
        self._ended = True
        if self.scheme == "https":
            return False
        if self._phase is _SOCKET:  # its close may be among what waits for its turn
            return self.socket is not None and self.socket.behind
        exchange = self.exchange
        if exchange is None:
            return self._phase is _HEAD and END in self._received  # they are not begun yet
        self.unwatch()
        if exchange.broken or not (exchange.body is None or exchange.body.is_within(self.buffer())):
            return False
        if self.may_wait():
            self.watch_client()
            return True
        return False

    # Times.

    @property
    def stall_timeout(self) -> float:
        """See Link."""
        own = None if self.socket is None else self.socket.stall_timeout
        return super().stall_timeout if own is None else own

    def stalled(self) -> None:
        """See Link."""
        if self.socket is None:
            super().stalled()
        else:
            self.socket.stalled()

    def expired(self) -> None:
        """Ends what took too long."""
        if self._phase is _HEAD:
            if self._cutter is not None and self._cutter.begun:
                self.refuse(HEADER_TIMEOUT, data=self._received)
            else:
                self.finish()
        elif self._phase is _LINGER:
            self.transport.close()
        elif self.exchange is not None:
            self.exchange.late()
        elif self.socket is not None:
            self.socket.expired()
