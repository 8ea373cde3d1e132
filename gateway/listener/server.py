"""The listener: its sockets, its connections, and its orderly end."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.http import Handler, Request
from gateway.http.exchange import DRAINING
from gateway.listener.addresses import Address, bind, inode_of, parse, release, url
from gateway.listener.connection import Connection
from gateway.listener.cors import Cors
from gateway.listener.exchange import OVER
from gateway.listener.forwarded import proxies
from gateway.listener.limits import BACKLOG, Limits
from gateway.listener.packing import Packing
from gateway.listener.service import Service, log
from gateway.listener.tls import Tls, context
from gateway.record import RequestRecord

_LAST_WORDS: Final = 1.0  # seconds: for a cancelled task to say so, and for sockets to close


@dataclass(frozen=True, slots=True)
class _Bound:
    server: asyncio.Server
    sock: socket.socket
    """What it listens on; closed with it."""
    address: Address | None
    """None for a socket that was given, whose file is not this listener's."""
    inode: int


class Listener:
    """Accepts connections, and has their requests handled.

    Attributes:
        urls: Where clients find it, once it is open: `http://127.0.0.1:43211`, `unix:/path`.
    """

    def __init__(
        self,
        handler: Callable[[], Handler],
        *,
        addresses: Sequence[str],
        tls: Tls | None = None,
        limits: Limits | None = None,
        trusted_proxies: Iterable[str] = (),
    ) -> None:
        """Makes a listener, which is not open yet. Needs a running loop.

        Args:
            handler: Returns the handler of the next request: a reload changes what it returns.
            addresses: Where to listen, each `host:port`, `[ipv6]:port` or `unix:/path`; none where
                sockets are given instead.
            tls: Serves HTTPS on all of them.
            limits: What clients are allowed; None for the defaults.
            trusted_proxies: Whose `Forwarded` and `X-Forwarded-*` are believed: CIDRs, and `unix`
                for who connects by a Unix socket.

        Raises:
            ListenError: An address is none.
            TlsError: A TLS file can't be used.
            ValueError: A trusted proxy is neither a CIDR nor `unix`.
        """
        self.urls: tuple[str, ...] = ()
        self._addresses = tuple(parse(text) for text in addresses)
        self._tls = None if tls is None else context(tls)
        self._service = Service(handler, limits or Limits(), proxies(trusted_proxies))
        self._ask_for_certificates()
        self._bound: list[_Bound] = []

    @property
    def connections(self) -> int:
        """The connections that are open now."""
        return len(self._service.connections)

    @property
    def accepted(self) -> int:
        """The connections that were let in so far."""
        return self._service.census.accepted

    def under_way(self) -> Iterator[Request]:
        """Yields the requests that are being answered; not those that became WebSockets."""
        for connection in self._service.connections:
            exchange = connection.exchange
            if exchange is not None and connection.socket is None and exchange.state < OVER:
                yield exchange.request

    def observe(self, record: Callable[[Request], RequestRecord] | None) -> None:
        """Has requests noted from now on, or no more; see Service."""
        self._service.record = record

    def offer(self, codings: Sequence[str], cors: Cors | None) -> None:
        """Sets what replies may be packed in, and who may read them, for what begins from now on.

        Args:
            codings: Content codings, the best first; none to pack nothing.
            cors: What pages of other origins may do; None for nothing.

        Raises:
            ImportError: The library of a coding is not installed. Nothing is changed then.
        """
        self._service.packing = Packing(codings) if codings else None
        self._service.cors = cors

    def configure(self, limits: Limits, trusted_proxies: Iterable[str]) -> None:
        """Replaces limits and trusted proxies, for what begins from now on; drops nothing.

        Raises:
            ValueError: A trusted proxy is neither a CIDR nor `unix`. Nothing is changed then.
        """
        self._service.trusted = proxies(trusted_proxies)
        self._service.limits = limits

    async def secure(self, made: ssl.SSLContext) -> None:
        """Has connections that come from now on use another TLS; those that there are go on.

        Each socket is served anew over a descriptor of its own, before the old one is closed: none
        who connects is refused meanwhile. A context as a whole takes the place of the old one, so
        that nobody resumes a session of it, whose certificate may not be trusted any more.

        Args:
            made: What `gateway.listener.tls.context` made. Only for a listener that has TLS.

        Raises:
            OSError: A socket can't be served anew. Nothing is changed then.
        """
        assert self._tls is not None, "it has none"
        before, self._tls = self._tls, made
        fresh: list[_Bound] = []
        try:
            for one in self._bound:
                again = one.sock.dup()
                fresh.append(replace(one, server=await self._serve(again), sock=again))
        except BaseException:
            self._tls = before
            for one in fresh:
                one.server.close()
            raise
        old, self._bound = self._bound, fresh
        self._ask_for_certificates()
        for one in old:
            one.server.close()

    def _ask_for_certificates(self) -> None:
        self._service.read_certificate = None
        if self._tls is not None and self._tls.verify_mode is not ssl.CERT_NONE:
            # It loads a library of cryptography: only who asks for certificates pays for it.
            from gateway.listener import client_certificate  # noqa: PLC0415  see above

            self._service.read_certificate = client_certificate.read

    async def open(self, sockets: Iterable[socket.socket] = ()) -> None:
        """Listens on all addresses, or on none.

        Args:
            sockets: Listening already, and taken over; whoever bound them removes their files.

        Raises:
            ListenError: An address can't be listened on.
        """
        try:
            for sock in sockets:
                await self._take(sock, None)
            for address in self._addresses:
                for sock in bind(address):
                    await self._take(sock, address)
        except BaseException:
            self._close_sockets()
            raise

    async def _take(self, sock: socket.socket, address: Address | None) -> None:
        inode = 0 if address is None else inode_of(address)
        self.urls += (url(sock, secure=self._tls is not None),)
        self._bound.append(_Bound(await self._serve(sock), sock, address, inode))

    async def _serve(self, sock: socket.socket) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        handshake = self._service.limits.header_timeout if self._tls else None
        unix = sock.family == socket.AF_UNIX
        make = loop.create_unix_server if unix else loop.create_server
        # From Python 3.13 on, a server that is closed would remove the file of the next one's.
        keeps: dict[str, Any] = (
            {"cleanup_socket": False} if unix and sys.version_info >= (3, 13) else {}
        )
        return await make(
            self._connect,
            sock=sock,
            ssl=self._tls,
            ssl_handshake_timeout=handshake,
            backlog=BACKLOG,
            **keeps,
        )

    def _connect(self) -> Connection:
        return Connection(self._service)

    def _close_sockets(self) -> None:
        bound, self._bound = self._bound, []
        for one in bound:
            one.server.close()
            if one.address is not None:
                release(one.address, one.inode)

    def retire(self) -> None:
        """Sends clients elsewhere, as a drain does, and goes on serving those that come.

        Idle connections are closed, replies say `Connection: close`, WebSockets are asked to end.
        """
        self._service.draining = True
        for connection in list(self._service.connections):
            connection.drain()

    def take_again(self) -> None:
        """Takes back `retire`: clients may stay again."""
        self._service.draining = False

    async def drain(self, timeout: float) -> int:  # noqa: ASYNC109  the time is the clients', not the caller's
        """Ends: no new connections, idle ones closed, running requests and streams get `timeout`.

        Replies that begin from now on say `Connection: close`. What is not over after `timeout`
        seconds is cancelled, and then cut. Nothing is open when this returns, which is 3 seconds
        after `timeout` at the latest.

        Returns:
            How many requests were cut.
        """
        service = self._service
        service.draining = True
        service.admits = False
        self._close_sockets()
        for connection in list(service.connections):
            connection.drain()
        await self._all_closed(timeout)
        cut = [one for one in list(service.connections) if one.cut(DRAINING)]
        if cut:
            await self._all_closed(_LAST_WORDS)
        for connection in list(service.connections):
            connection.abort()
        await self._all_closed(_LAST_WORDS)
        if service.tasks:
            _, stuck = await asyncio.wait(set(service.tasks), timeout=_LAST_WORDS)
            for task in stuck:
                log.error("a request's task does not end when it is cancelled: %r", task)
        service.offload.close()
        return len(cut)

    async def _all_closed(self, seconds: float) -> None:
        service = self._service
        try:
            async with asyncio.timeout(seconds):
                while service.connections:
                    service.one_closed.clear()
                    await service.one_closed.wait()
        except TimeoutError:
            return


async def serve(
    handler: Callable[[], Handler],
    *,
    addresses: Sequence[str],
    tls: Tls | None = None,
    limits: Limits | None = None,
    trusted_proxies: Iterable[str] = (),
) -> Listener:
    """Makes a listener and opens it; see Listener."""
    listener = Listener(
        handler, addresses=addresses, tls=tls, limits=limits, trusted_proxies=trusted_proxies
    )
    await listener.open()
    return listener
