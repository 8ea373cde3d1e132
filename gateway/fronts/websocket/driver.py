"""The driver of one socket: bytes in and out, time, and who the client is.

What frames mean is decided in `Connection` and `Session`; what streams do is `SessionCalls`'. Here
the client is read no faster than it may send and than it takes what it is sent, and is written to
while it takes something.
"""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import Final

from gateway.call import RpcError
from gateway.chain import as_error
from gateway.errors import error
from gateway.fronts.http_errors import draining
from gateway.fronts.roster import Told
from gateway.fronts.websocket import codes, frames
from gateway.fronts.websocket.calls import SessionCalls
from gateway.fronts.websocket.connection import NEVER, Connection, State
from gateway.fronts.websocket.frames import Framing, Resumed, Welcome
from gateway.fronts.websocket.identity import Credentials, Identity
from gateway.fronts.websocket.relay_records import Arrival
from gateway.fronts.websocket.sockets import Sockets
from gateway.fronts.websocket.tokens import check, token_of
from gateway.http import Request, SocketClosed, WebSocket
from gateway.http.websocket import NORMAL, Message, size_of

RESUME: Final = "resume"
"""The feature of `hello` that asks for a session that can be resumed."""


class SocketDriver:
    """Drives one socket (`connection.Host`, `calls.Outlet`).

    Args:
        socket: An open WebSocket that nobody listens to yet.
        request: Its handshake.
        framing: That of its subprotocol.
        shared: What sockets share.
    """

    __slots__ = (
        "_calls",
        "_connection",
        "_flushing",
        "_framing",
        "_hello",
        "_holds",
        "_left",
        "_loop",
        "_options",
        "_received_bytes",
        "_request",
        "_rest",
        "_sent_bytes",
        "_serving",
        "_sessions",
        "_socket",
        "_timer",
        "_waiting",
    )

    def __init__(
        self,
        socket: WebSocket,
        request: Request,
        framing: Framing,
        shared: Sockets,
    ) -> None:
        self._socket = socket
        self._request = request
        self._framing = framing
        options = shared.options
        self._serving = partial(shared.serving, request)
        self._sessions = shared.sessions
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._calls: SessionCalls | None = None
        self._hello: Message = ""
        self._holds = 0
        self._flushing = False
        self._waiting = False
        self._timer: asyncio.TimerHandle | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._received_bytes = self._sent_bytes = 0
        self._connection = Connection(
            framing,
            options.times,
            options.rates,
            self,
            now=self._loop.time(),
            chance=random.random(),  # noqa: S311  it spreads reconnections
        )
        self._arm()
        self._left = shared.sessions.roster.enter("multiplexed", request, self._told)
        socket.listen(self._received, self._closed, self._draining)
        socket.when_stalled(options.times.stall, self._connection.too_slow)

    # What the socket tells.

    def _received(self, message: Message) -> None:
        if self._connection.state is State.NEW:
            self._hello = message
        self._received_bytes += size_of(message)
        wait = self._connection.receive(message, self._loop.time())
        self.flush()
        if wait > 0:
            self._hold()
            self._rest = self._loop.call_later(wait, self._release)

    def _closed(self, code: int, _reason: str) -> None:
        self._left()
        self._connection.closed()
        for timer in (self._timer, self._rest):
            if timer is not None:
                timer.cancel()
        self._leave_session(ended=codes.is_for_good(code))

    def _draining(self) -> None:
        seconds = self._options.drain_timeout()
        self._connection.leave("draining", self._loop.time(), seconds, for_good=True)
        self.flush()
        self._arm()

    def _told(self) -> Told:
        calls = self._calls
        streams = [] if calls is None else list(calls.session.streams.values())
        numbers = {
            "streams": len(streams),
            "credit": sum(each.outflow.credit for each in streams),
            "received": self._received_bytes,
            "sent": self._sent_bytes,
        }
        return Told(None if calls is None else calls.identity.principal, numbers)

    # connection.Host.

    def greet(self, hello: frames.Hello) -> None:
        """See connection.Host."""
        self._hold()
        self._socket.spawn(self._greet(hello))

    def renew(self, token: str) -> None:
        """See connection.Host."""
        self._hold()
        self._socket.spawn(self._renew(token))

    def ping(self) -> None:
        """See connection.Host."""
        if self._socket.writable:
            self._connection.alone = True
            self._socket.ping(self._ponged)

    @property
    def hears(self) -> bool:
        """See connection.Host."""
        return not self._holds

    def expire(self) -> None:
        """See connection.Host."""
        if self._calls is not None:
            self._calls.stop_all(error("TOKEN_EXPIRED", "The token of the socket has expired."))

    def abandon(self) -> None:
        """See connection.Host."""
        if self._calls is not None:
            self._calls.stop_all(draining())

    def close(self, code: int, reason: str) -> None:
        """See connection.Host."""
        self._write(everything=True)
        self._socket.close(code, reason)
        self._leave_session(ended=code >= codes.BAD_FRAME)

    def taken_over(self) -> None:
        """Closes the socket without ending its session: another one has it."""
        self._calls = None
        self._connection.close(codes.AWAY, "taken over")

    # Who the client is.

    async def _greet(self, hello: frames.Hello) -> None:
        try:
            shown = self._shown(token_of(self._request) or hello.token)
            identity = await self._options.authenticate(shown)
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            self._refuse(as_error(failure))
            return
        if self._socket.record is not None:
            self._socket.record.client = identity.principal
        if self._connection.state is State.CHECKING and await self._is_elsewhere(hello):
            # From now on another worker drives the socket, by the relay that listens to it.
            self._closed(NORMAL, "")
            return
        self._hello = ""
        if self._connection.state is State.CHECKING:  # else a session would be taken by nobody
            self._begin(hello, shown, identity)
            self._release()

    async def _is_elsewhere(self, hello: frames.Hello) -> bool:
        """Has another worker drive the socket, if one has the session."""
        session, elsewhere = hello.session, self._sessions.elsewhere
        if not session or elsewhere is None or not self._is_resumable(hello):
            return False
        arrival = Arrival(
            self._request, self._socket.subprotocol, self._framing.subprotocol, session
        )
        return await elsewhere.take(arrival, self._socket, self._hello)

    def _is_resumable(self, hello: frames.Hello) -> bool:
        return self._options.resume > 0 and RESUME in hello.features

    async def _renew(self, token: str) -> None:
        try:
            shown = self._shown(token)
            identity = await self._options.authenticate(shown)
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            self._refuse(as_error(failure))
            return
        if self._calls is not None:
            if not identity.is_of(self._calls.identity):
                self._connection.close(codes.FORBIDDEN, "the token is another subject's")
                return
            self._calls.known_by(shown, identity)
        self._connection.renewed(identity.lasts, self._loop.time())
        self._release()
        self.flush()
        self._arm()

    def _shown(self, token: str | None) -> Credentials:
        return Credentials.of(self._request, None if token is None else check(token))

    def _refuse(self, failure: RpcError) -> None:
        self._connection.close(codes.of_refusal(failure), failure.status.message)

    def _begin(self, hello: frames.Hello, shown: Credentials, identity: Identity) -> None:
        options = self._options
        resumable = self._is_resumable(hello)
        resumed: list[Resumed] = []
        calls = self._found(hello) if resumable else None
        if calls is not None:
            if not identity.is_of(calls.identity):
                self._connection.close(codes.FORBIDDEN, "the session is another subject's")
                return
            if isinstance(calls.outlet, SocketDriver):
                calls.outlet.taken_over()
            self._sessions.attached(calls)
            calls.known_by(shown, identity)
            resumed = calls.session.restore(hello.seen, hello.granted)
        else:
            # To whom one would be given back, could not be said.
            resumable = resumable and identity.is_told_apart
            calls = SessionCalls(
                self._serving,
                self._framing,
                options.limits,
                id_=self._sessions.new_id(),
                resumable=resumable,
                shown=shown,
                identity=identity,
            )
            if resumable:
                self._sessions.add(calls)
        self._calls = calls
        calls.outlet, calls.record = self, self._socket.record
        calls.session.is_away = False
        here = {each.id for each in resumed}
        limits = calls.session.limits  # those that it was begun with, whatever a reload says
        welcome = Welcome(
            session=calls.id,
            ping=options.times.ping,
            streams=limits.streams,
            message_size=limits.message_size,
            credit=limits.credit,
            buffer=limits.buffer,
            session_buffer=limits.session_buffer,
            opens=options.rates.opens,
            token=identity.lasts,
            resume=options.resume if resumable else None,
            resumed=resumed,
            lost=[id_ for id_ in hello.seen if id_ not in here],
            last_id=calls.session.last_id,
        )
        self._connection.welcome(calls.session, welcome, self._loop.time())
        self.flush()
        self._arm()

    def _found(self, hello: frames.Hello) -> SessionCalls | None:
        """Returns the session that a client comes back to, if it is here."""
        calls = self._sessions.find(hello.session) if hello.session else None
        if calls is None or calls.framing is not self._framing:
            return None
        # What another host name serves is not found at this one.
        return calls if calls.serving() is self._serving() else None

    def _leave_session(self, *, ended: bool) -> None:
        calls, self._calls = self._calls, None
        if calls is None:
            return
        calls.outlet = None
        if calls.session.resumable and not ended:
            calls.session.is_away = True
            self._sessions.detached(calls, self._options.resume)
        else:
            self._sessions.end(calls)

    # Writing.

    def flush(self) -> None:
        """Writes what is to be written, as far as the client takes it."""
        if self._flushing:
            return
        if self._calls is not None and self._calls.session.has_output:
            self._flushing = True
            try:
                self._write()
            finally:
                self._flushing = False
        self._connection.settle()
        if not self._waiting and not self._socket.writable and self._socket.is_open:
            self._waiting = True
            self._hold()
            self._socket.spawn(self._when_drained())

    def _write(self, *, everything: bool = False) -> None:
        calls, socket = self._calls, self._socket
        if calls is None or not socket.is_open:
            return
        send = socket.send_binary if self._framing.binary else socket.send_text
        session = calls.session
        while (everything or socket.writable) and (frame := session.next()) is not None:
            send(frame)
            self._sent_bytes += len(frame)

    async def _when_drained(self) -> None:
        try:
            await self._socket.drained()
        except SocketClosed:
            return
        self._waiting = False
        self._release()
        # Who fills the socket again at once would never hear that the client cancels.
        await asyncio.sleep(0)
        self.flush()

    # Reading no further for a while: for one reason or several.

    def _hold(self) -> None:
        self._holds += 1
        self._socket.pause()

    def _release(self) -> None:
        self._holds -= 1
        if not self._holds:
            self._socket.resume()

    # Time.

    def _arm(self) -> None:
        """Sets the timer to what is due next, where it isn't."""
        due = self._connection.due()
        timer = self._timer
        if timer is not None:
            if timer.when() <= due:
                return
            timer.cancel()
        self._timer = None if due == NEVER else self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._connection.tick(self._loop.time())
        self.flush()
        if self._connection.state is not State.CLOSED:
            self._arm()

    def _ponged(self, _: float) -> None:
        self._connection.ponged()
