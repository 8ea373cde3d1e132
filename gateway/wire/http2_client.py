"""The client's side of an HTTP/2 connection: requests out, responses in (RFC 9113 section 8)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gateway.wire.failure import ConnectionFailed
from gateway.wire.frames import HEADERS, MAX_STREAM_ID, PREFACE, PRIORITY, RST_STREAM, ErrorCode
from gateway.wire.hpack import Decoder, Fields, MalformedError
from gateway.wire.http2 import Connection, Owner, Section
from gateway.wire.settings import Limits
from gateway.wire.stream import Stream, all_sent

# Section 8.2.2.
_CONNECTION_SPECIFIC: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}
)
_TRAILERS: Final = 0
_STATUS: Final = re.compile(rb"[1-9][0-9]{2}")
# RFC 9110 section 6.4.1: their content-length is that of another answer.
_WITHOUT_CONTENT: Final = frozenset({204, 304})
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")

# RFC 7541 section 6.3: a table of no size, before the first block. A peer that shrinks its table
# must be told so, and this side never uses it.
_NO_TABLE: Final = b"\x20"


class ClientConnection(Connection):
    """A connection to a server. It is open for requests once it is `ready`."""

    __slots__ = ("_next", "_reset", "_telling", "_told")

    from_server = True

    def __init__(
        self,
        owner: Owner,
        decoder: Decoder,
        limits: Limits | None = None,
        clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Makes a connection, whose preface is the first that is to be sent.

        Args:
            owner: Who is told of what concerns no single stream.
            decoder: Decodes field blocks; may be shared.
            limits: What the server is allowed.
            clock: Seconds, never going back.
        """
        super().__init__(owner, decoder, limits or Limits(), clock)
        self._next = 1
        # What `_next` was when a RST_STREAM last came for a stream that is over.
        self._reset = 1
        # Whether a block that says _NO_TABLE has left, and the last request that is to say it.
        self._told = False
        self._telling: Stream | None = None
        self.outgoing.put(PREFACE)
        self._open_window()

    @property
    def room(self) -> int:
        """How many more requests the connection takes now."""
        if self.gone or not self.ready or self._next > MAX_STREAM_ID:
            return 0
        return self.most_streams - len(self.streams)

    @property
    def used(self) -> bool:
        """Whether a request was ever made on it."""
        return self._next > 1

    def request(self, stream: Stream, block: bytes, data: bytes, *, end: bool) -> None:
        """Sends a request on a new stream. To be called only while there is `room`.

        Args:
            stream: The stream, which was never used.
            block: The field block, pseudo-headers first.
            data: The content, or its beginning.
            end: Whether that is all of it.
        """
        number = stream.id = self._next
        self._next = number + 2
        stream.receive_window = self.limits.stream_window
        self.streams[number] = stream
        if not self._told:
            block = self._without_table(stream, block)
        self.outgoing.open(stream, block, data, end=end)

    def cancel(self, stream: Stream, code: ErrorCode = ErrorCode.CANCEL) -> bool:
        """See Connection."""
        taken_back = super().cancel(stream, code)
        if stream is self._telling:  # it is over: if its block has left, that has told
            self._telling, self._told = None, not taken_back
        return taken_back

    def check_absent(self, number: int, kind: int) -> None:
        """See Connection."""
        if not number & 1 or number >= self._next:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "a frame on an idle stream")
        if kind == RST_STREAM:
            # One a request is in order: a server may answer before it has read to the end, and
            # then says that it wants no more (section 8.1).
            opened, self._reset = self._next - self._reset >> 1, self._next
            self.flood.allow(min(opened, self.limits.nuisances))
        if kind in {HEADERS, RST_STREAM, PRIORITY}:
            self.flood.count()

    def _without_table(self, stream: Stream, block: bytes) -> bytes:
        """Returns a block that says _NO_TABLE, until one has left: the first may be taken back."""
        self._told = self._telling is not None and not self.outgoing.holds(self._telling)
        if self._told:
            self._telling = None
            return block
        self._telling = stream
        return _NO_TABLE + block

    def _section(self, stream: Stream, fields: Fields, *, end: bool) -> Section:
        status = fields.status
        if status is None:
            status = fields.status = _check(fields)
        if stream is self._telling:  # answered, so its block has left; it is held no longer
            self._telling, self._told = None, True
        if stream.head_seen:
            if status != _TRAILERS:
                raise MalformedError("a second head")
            if not end:
                raise MalformedError("trailers without END_STREAM")
            if stream.length_left > 0:
                raise MalformedError("content-length is not the length")
            self._ended(stream)
            return Section.TRAILERS
        if status == _TRAILERS:
            raise MalformedError("a head without :status")
        if status < 200:  # section 8.1: interim responses say nothing to gRPC
            if end:
                raise MalformedError("an interim response with END_STREAM")
            self.flood.count()
            return Section.INTERIM
        if end and fields.length > 0 and status not in _WITHOUT_CONTENT:
            raise MalformedError("content-length is not the length")
        stream.head_seen = True
        if end:
            self._ended(stream)
        else:
            stream.length_left = fields.length
        return Section.HEAD

    def _ended(self, stream: Stream) -> None:
        stream.remote_closed = True
        if all_sent(stream):
            del self.streams[stream.id]
        else:
            # A whole response to part of a request: nobody wants the rest (section 8.1).
            self.cancel(stream, ErrorCode.NO_ERROR)

    def _last_processed(self) -> int:
        return 0  # a server opens no streams: push is off


def _check(fields: Fields) -> int:
    """Returns a section's status, or 0 of trailers (sections 8.2.2 and 8.3.2); notes its length.

    Raises:
        MalformedError: It is neither a response's head nor its trailers.
    """
    status = _TRAILERS
    for at, field in enumerate(fields.lines):
        name = field.name
        if name[0] == ":":
            value = field.value
            if name != ":status" or at or not _STATUS.fullmatch(value):
                raise MalformedError("a pseudo-header that a response does not have")
            status = int(value)
        elif name in _CONNECTION_SPECIFIC:
            raise MalformedError(f"the field {name} is not one of HTTP/2")
        elif name == "content-length":
            if not _LENGTH.fullmatch(field.value):
                raise MalformedError("content-length is no number")
            length = int(field.value)
            if fields.length not in {-1, length}:
                raise MalformedError("content-length twice, and not the same")
            fields.length = length
    return status
