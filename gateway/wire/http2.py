"""An HTTP/2 connection (RFC 9113): bytes in, streams told; what is to be sent gathers.

What both roles share: frames, settings, field blocks, flow control, errors. What a role adds, it
adds in a subclass (`http2_client`). No socket, no task, no logging; a clock is asked only when a
peer sends many frames that bring nothing.

`receive` raises ConnectionFailed when the peer broke the protocol: the GOAWAY that says so is in
`outgoing` then, and the connection is to be closed. Errors of one stream end that stream, with a
RST_STREAM. Frames for streams that are over are counted and dropped (section 5.1, "closed"): since
field blocks have no shared state (see `hpack`), they need not even be decoded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import Final, NoReturn, Protocol

from gateway.wire import frames
from gateway.wire.block import PartialBlock, fragment, unpadded
from gateway.wire.failure import ConnectionFailed
from gateway.wire.flood import Flood
from gateway.wire.frames import (
    ACK,
    CONTINUATION,
    DATA,
    DEFAULT_WINDOW,
    END_HEADERS,
    END_STREAM,
    HEADER_SIZE,
    HEADERS,
    MAX_STREAM_ID,
    PADDED,
    SETTINGS,
    ErrorCode,
    read_header,
)
from gateway.wire.hpack import CompressionError, Decoder, Fields, MalformedError
from gateway.wire.http2_control import TAKE
from gateway.wire.outgoing import Outgoing
from gateway.wire.settings import Limits
from gateway.wire.stream import Origin, Reset, Stream

# What may cross with a RST_STREAM on its way: a head, trailers, and a RST_STREAM.
_CROSSING: Final = 3


class Owner(Protocol):
    """Who a connection tells of what concerns no single stream."""

    def settled(self) -> None:
        """Hears of new settings of the peer; first when the connection is ready for use."""

    def going_away(self, code: ErrorCode, debug: bytes) -> None:
        """Hears that the peer takes no more streams."""

    def pong(self, payload: bytes) -> None:
        """Hears the answer to a ping."""


class Section(Enum):
    """What a field section is to its stream."""

    INTERIM = "nothing that the stream is told"
    HEAD = "the head of its message"
    TRAILERS = "its trailers"


class Connection(ABC):
    """One HTTP/2 connection, of either role.

    Attributes:
        owner: Who is told of what concerns no single stream.
        limits: What the peer is allowed.
        streams: Those that are not over, by identifier.
        outgoing: What is to be sent.
        flood: Counts frames that bring nothing.
        pinged: In which batch of `outgoing` the answer to the peer's last ping stands.
        most_streams: How many streams of this side the peer allows.
        ready: Whether the peer's first SETTINGS has come.
        acknowledged: Whether the peer has acknowledged our settings.
        gone: Whether the peer, or an error, has ended the taking of new streams.
        from_server: Whether the peer is a server.
    """

    __slots__ = (
        "_block",
        "_decoder",
        "_half",
        "_rest",
        "_stream_half",
        "_unreturned",
        "_window",
        "acknowledged",
        "flood",
        "gone",
        "limits",
        "most_streams",
        "outgoing",
        "owner",
        "pinged",
        "ready",
        "streams",
    )

    from_server: bool

    def __init__(
        self, owner: Owner, decoder: Decoder, limits: Limits, clock: Callable[[], float]
    ) -> None:
        self.owner = owner
        self.limits = limits
        self.streams: dict[int, Stream] = {}
        self.outgoing = Outgoing()
        self.flood = Flood(limits.nuisances, limits.nuisance_seconds, clock)
        self.pinged = -1
        self.most_streams = MAX_STREAM_ID
        self.ready = False
        self.acknowledged = False
        self.gone = False
        self._decoder = decoder
        self._rest = b""
        self._block: PartialBlock | None = None
        # What may still arrive on the connection, what is to be given back, and when it is.
        self._window = limits.connection_window
        self._unreturned = 0
        self._half = limits.connection_window // 2
        self._stream_half = limits.stream_window // 2

    def _open_window(self) -> None:
        """Announces settings and the connection's window, the first that this side says."""
        self.outgoing.put(frames.settings(self.limits.announced()))
        if more := self.limits.connection_window - DEFAULT_WINDOW:
            self.outgoing.put(frames.window_update(0, more))

    # What the owner asks for.

    def receive(self, data: bytes) -> None:
        """Takes what was received, and tells streams and owner.

        Raises:
            ConnectionFailed: The peer broke the protocol.
        """
        if self._rest:
            data = self._rest + data
        at, size = 0, len(data)
        most = self.limits.frame_size
        try:
            while size - at >= HEADER_SIZE:
                high, low, kind, flags, number = read_header(data, at)
                length = high << 8 | low
                if length > most:
                    _too_long(length)
                start = at + HEADER_SIZE
                at = start + length
                if at > size:
                    at = start - HEADER_SIZE
                    break
                number &= MAX_STREAM_ID
                if self._block is not None or not self.ready:
                    self._unusual(kind, flags, number, data[start:at])
                # What nearly all frames are: those of messages, without padding or priority.
                elif kind == DATA:
                    self._data(number, flags, data[start:at])
                elif kind == HEADERS and flags & ~END_STREAM == END_HEADERS:
                    self._headers(number, flags, data[start:at], length)
                else:
                    self._frame(kind, flags, number, data[start:at])
        except ConnectionFailed as failed:
            self.fail(failed.code)
            raise
        finally:
            self._rest = data[at:] if at < size else b""

    def fail(self, code: ErrorCode) -> None:
        """Says GOAWAY; the connection is to be closed when that is written."""
        self.gone = True
        self.outgoing.put(frames.goaway(self._last_processed(), code))

    def ping(self, payload: bytes) -> None:
        """Sends a PING of 8 bytes; `Owner.pong` hears the answer."""
        self.outgoing.put(frames.ping(payload))

    def send(self, stream: Stream, data: bytes, *, end: bool) -> bool:
        """Sends content on an open stream; see `Outgoing.send`. Of one that is over, nothing."""
        if self.streams.get(stream.id) is not stream:
            return True
        return self.outgoing.send(stream, data, end=end)

    def consumed(self, stream: Stream, size: int) -> None:
        """Gives back what a paced stream's owner has consumed (section 6.9.1).

        Of a stream that is over, or whose peer has said all, nothing.
        """
        if stream.remote_closed or self.streams.get(stream.id) is not stream:
            return
        stream.unreturned += size
        if stream.unreturned >= self._stream_half:
            self._give_back(stream)

    def cancel(self, stream: Stream, code: ErrorCode = ErrorCode.CANCEL) -> bool:
        """Ends a stream that this side has no more use for; it is told nothing more.

        Returns:
            Whether nothing of it had left this side.
        """
        if self.streams.pop(stream.id, None) is None:
            return False
        if self.outgoing.drop(stream):
            return True
        self.outgoing.put(frames.rst_stream(stream.id, code))
        self.flood.allow(_CROSSING)
        return False

    # What a role decides.

    @abstractmethod
    def check_absent(self, number: int, kind: int) -> None:
        """Passes a frame for a stream that is over; what never was is an error of the connection.

        Raises:
            ConnectionFailed: The stream is idle (section 5.1).
        """

    @abstractmethod
    def _section(self, stream: Stream, fields: Fields, *, end: bool) -> Section:
        """Takes a field section of an open stream in, and says what it is.

        Raises:
            MalformedError: It may not stand where it does (section 8.1.1).
        """

    @abstractmethod
    def _ended(self, stream: Stream) -> None:
        """Notes that the peer has said all on a stream."""

    @abstractmethod
    def _last_processed(self) -> int:
        """Returns the last of the peer's streams that was processed, for GOAWAY."""

    # Frames.

    def _unusual(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        """Takes a frame within a field block, or the first of all."""
        if self._block is not None:
            self._continuation(kind, flags, number, payload)
        elif kind != SETTINGS or flags & ACK:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "the first frame is not SETTINGS")
        else:
            self._frame(kind, flags, number, payload)

    def _frame(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if kind == HEADERS:
            _on_a_stream(number)
            payload = fragment(flags, payload)
            if flags & END_HEADERS:
                self._headers(number, flags, payload, len(payload))
            else:
                self._block = PartialBlock(number, flags, payload)
        elif kind in TAKE:
            TAKE[kind](self, number, flags, payload)
        elif kind == CONTINUATION:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "CONTINUATION of nothing")
        else:
            self.flood.count()  # unknown types are ignored (section 4.1)

    def _continuation(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        block, limits = self._block, self.limits
        if block is None or kind != CONTINUATION or number != block.stream:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "a frame within a field block")
        most = limits.header_list
        if block.add(flags, payload, most_frames=limits.continuations, most=most):
            self._block = None
            self._headers(number, block.flags, block.whole(), block.size)

    def _data(self, number: int, flags: int, payload: bytes) -> None:
        size = len(payload)
        if not number:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "DATA on stream 0")
        self._window -= size
        if self._window < 0:
            raise ConnectionFailed(ErrorCode.FLOW_CONTROL_ERROR, "more than the window allows")
        self._unreturned += size
        if self._unreturned >= self._half:
            self.outgoing.put(frames.window_update(0, self._unreturned))
            self._window += self._unreturned
            self._unreturned = 0
        if flags & PADDED:
            payload = unpadded(payload)
        stream = self.streams.get(number)
        if stream is None:
            self.check_absent(number, DATA)
            if not payload:
                self.flood.count()
            return
        end = flags & END_STREAM
        stream.receive_window -= size
        if stream.remote_closed:
            self.stream_error(stream, ErrorCode.STREAM_CLOSED, "DATA after END_STREAM")
        elif not stream.head_seen:
            self.stream_error(stream, ErrorCode.PROTOCOL_ERROR, "DATA before HEADERS")
        elif stream.receive_window < 0:
            self.stream_error(stream, ErrorCode.FLOW_CONTROL_ERROR, "more than the window allows")
        elif stream.length_left >= 0 and not _fits(stream, len(payload), end):
            self.stream_error(stream, ErrorCode.PROTOCOL_ERROR, "content-length is not the length")
        else:
            if not end:
                # Padding is consumed at once (section 6.9.1).
                stream.unreturned += size - len(payload) if stream.paced else size
                if stream.unreturned >= self._stream_half:
                    self._give_back(stream)
                if not payload:
                    self.flood.count()
            if payload:
                stream.data(payload)
            if end and self.streams.get(number) is stream:
                self._ended(stream)
                stream.end()

    def _headers(self, number: int, flags: int, block: bytes, size: int) -> None:
        """Takes a whole field block; `size` is what it had before it was cut, if it was."""
        stream = self.streams.get(number)
        if stream is None:
            _on_a_stream(number)
            self.check_absent(number, HEADERS)
            return
        if stream.remote_closed:
            self.stream_error(stream, ErrorCode.STREAM_CLOSED, "HEADERS after END_STREAM")
            return
        most = self.limits.header_list
        try:
            fields = self._decoder.decode(block) if size <= most else None
            if fields is None or fields.size > most:
                text = "the field section is too large"
                self.stream_error(stream, ErrorCode.ENHANCE_YOUR_CALM, text)
                return
            section = self._section(stream, fields, end=bool(flags & END_STREAM))
        except CompressionError as failure:
            raise ConnectionFailed(ErrorCode.COMPRESSION_ERROR, str(failure)) from failure
        except MalformedError as failure:
            self.stream_error(stream, ErrorCode.PROTOCOL_ERROR, str(failure))
            return
        if section is Section.TRAILERS:
            stream.trailers(fields)
        elif section is Section.HEAD:
            stream.head(fields, end=bool(flags & END_STREAM))

    def stream_error(self, stream: Stream, code: ErrorCode, text: str) -> None:
        """Ends a stream for what the peer did wrong (section 5.4.2)."""
        told = not stream.remote_closed
        self.cancel(stream, code)
        if told:
            stream.reset(Reset(code, Origin.HERE, text))

    def _give_back(self, stream: Stream) -> None:
        self.outgoing.put(frames.window_update(stream.id, stream.unreturned))
        stream.receive_window += stream.unreturned
        stream.unreturned = 0


def _on_a_stream(number: int) -> None:
    if not number:
        raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "HEADERS on stream 0")


def _too_long(length: int) -> NoReturn:
    raise ConnectionFailed(ErrorCode.FRAME_SIZE_ERROR, f"a frame of {length} bytes")


def _fits(stream: Stream, size: int, end: int) -> bool:
    """Counts content against `content-length` (section 8.1.1)."""
    stream.length_left -= size
    return stream.length_left == 0 if end else stream.length_left >= 0
