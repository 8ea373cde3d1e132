"""The calls of a session's streams: each `open` is a call of its own, of any of the four kinds.

A unary call is a completion, any other a task. Either takes request messages from the stream when
the backend wants one, so that a backend that is slow is what the client's credit follows; and a
streaming backend is read on when its last message was written. A session's calls outlive a socket
where the session can be resumed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from gateway.call import Call, Deadline, RpcError
from gateway.chain import as_error
from gateway.fronts.websocket import frames
from gateway.fronts.websocket.frames import Framing
from gateway.fronts.websocket.identity import FRONT, Credentials, Identity
from gateway.fronts.websocket.limits import Limits
from gateway.fronts.websocket.metadata import carried, carrier
from gateway.fronts.websocket.run import Run
from gateway.fronts.websocket.runs import Setting, StreamRun, UnaryRun
from gateway.fronts.websocket.serving import Serving
from gateway.fronts.websocket.session import Session
from gateway.fronts.websocket.stream import Stream
from gateway.http import Request
from gateway.http.request_id import REQUEST_ID, request_id
from gateway.record import RequestRecord
from gateway.schema.method import Kind

_SOON: Final = 0.01  # seconds until a client is granted anew what is less than half of its credit


class Outlet(Protocol):
    """The socket that a session has at present."""

    def flush(self) -> None:
        """Writes what is to be written, as far as the client takes it."""


class SessionCalls:
    """A session, with the calls of its streams (`calling.Calls`).

    Args:
        serving: What the next call is made with.
        framing: How frames are written.
        limits: What the client may do.
        id_: The session's id.
        resumable: Whether it can outlive its socket.
        shown: What the client has shown.
        identity: Who the client is.

    Attributes:
        request: The last handshake, with the last token.
        identity: Who the client is, by its last token.
        outlet: The socket; None while there is none.
        record: What is noted of the last socket; None for nothing.
        session: The streams.
    """

    __slots__ = (
        "_owed",
        "framing",
        "id",
        "identity",
        "outlet",
        "record",
        "request",
        "serving",
        "session",
    )

    def __init__(
        self,
        serving: Callable[[], Serving],
        framing: Framing,
        limits: Limits,
        *,
        id_: str,
        resumable: bool,
        shown: Credentials,
        identity: Identity,
    ) -> None:
        self.serving = serving
        self.request: Request = shown.head
        self.framing = framing
        self.id = id_
        self.identity = identity
        self.outlet: Outlet | None = None
        self.record: RequestRecord | None = None
        self._owed: asyncio.TimerHandle | None = None
        self.session = Session(framing, limits, self, resumable=resumable)

    # What the session asks for.

    def begin(self, stream: Stream, opened: frames.Open) -> None:
        """See calling.Calls."""
        given = (value for key, value in opened.metadata if key.lower() == REQUEST_ID)
        named = request_id(next(given, None))
        serving = self.serving()
        record: RequestRecord | None = None
        if self.record is not None:
            record = self.record.on_socket("stream", carrier(opened, self.request))
        if record is not None:
            record.front, record.request_id, stream.record = FRONT, named, record
        try:
            run = self._run(stream, opened, serving, named)
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            known = as_error(failure)
            self.session.end(stream, serving.end_of(known, named, self.framing))
            _ended(stream, known)
            return
        stream.call = run
        run.begin()

    def arrived(self, stream: Stream) -> None:
        """See calling.Calls."""
        if stream.call is not None:
            stream.call.arrived()

    def written(self, stream: Stream) -> None:
        """See calling.Calls."""
        if stream.call is not None:
            stream.call.written()

    def owed(self) -> None:
        """See calling.Calls."""
        self._owed = asyncio.get_running_loop().call_later(_SOON, self._grant_owed)

    def stop(self, stream: Stream, failure: RpcError) -> None:
        """See calling.Calls."""
        if stream.call is not None:
            stream.call.cancel()
            end = stream.call.end_of(failure)
        else:
            end = self.serving().end_of(failure, request_id(None), self.framing)
        self.session.end(stream, end, drop=True)
        _ended(stream, failure)

    # What the driver asks for.

    def stop_all(self, failure: RpcError) -> None:
        """Ends every stream with `failure`."""
        for stream in list(self.session.streams.values()):
            self.stop(stream, failure)

    def known_by(self, shown: Credentials, identity: Identity) -> None:
        """Takes note of what the client shows anew: its calls that run go on with that."""
        self.request = shown.head
        self.identity = identity
        for stream in self.session.streams.values():
            if stream.call is not None:
                stream.call.shows(shown.head)

    def abandon(self) -> None:
        """Cancels every call: there is nobody to tell."""
        for stream in self.session.streams.values():
            if stream.call is not None:
                stream.call.cancel()
            if stream.record is not None:
                stream.record.left()
        if self._owed is not None:
            self._owed.cancel()
            self._owed = None
        self.session.abandon()

    def flush(self) -> None:
        """Writes what is to be written, if there is a socket."""
        if self.outlet is not None:
            self.outlet.flush()

    # Within.

    def _grant_owed(self) -> None:
        self._owed = None
        self.session.grant_owed()
        self.flush()

    def _run(self, stream: Stream, opened: frames.Open, serving: Serving, named: str) -> Run:
        method = serving.method(opened.method)
        now = serving.clock()
        metadata, timeout, traceparent = carried(self.request, opened, serving, named=named)
        call = Call(
            method.descriptor.name,
            metadata=metadata,
            deadline=None if timeout is None else Deadline(now + timeout),
            peer=self.request.peer,
            front=FRONT,
            request_id=named,
            traceparent=traceparent,
            head=self.request,
            record=None if stream.record is None else stream.record.call(method.descriptor.name),
        )
        setting = Setting(
            self.session,
            stream,
            self.flush,
            serving,
            method,
            serving.bodies(method, self.framing),
            self.framing,
            stream.record,
        )
        unary = method.descriptor.kind is Kind.UNARY
        return UnaryRun(setting, call) if unary else StreamRun.of(setting, call)


def _ended(stream: Stream, failure: RpcError) -> None:
    """Takes down that a stream ended with a failure."""
    if stream.record is not None:
        stream.record.failed(failure)
        stream.record.end()
