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

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from gateway.wire import frames
from gateway.wire.frames import (
    ACK,
    CONTINUATION,
    DATA,
    DEFAULT_WINDOW,
    END_HEADERS,
    END_STREAM,
    HEADER_SIZE,
    HEADERS,
    PADDED,
    PRIORITIZED,
    ErrorCode,
    error_code,
    read_header,
    read_settings,
    read_two_words,
    read_word,
)
from gateway.wire.hpack import CompressionError, Decoder, Fields, MalformedError
from gateway.wire.outgoing import Outgoing
from gateway.wire.settings import Limits, refusal
from gateway.wire.stream import Origin, Reset, Stream

_FIELD_OVERHEAD: Final = 32  # section 6.5.2, MAX_HEADER_LIST_SIZE


class ConnectionFailed(Exception):  # noqa: N818  it is the peer's failure, told to whoever drives
    """The peer broke the protocol (section 5.4.1): nothing more can be understood of it.

    Attributes:
        code: What it is told by GOAWAY.
    """

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code


class Owner(Protocol):
    """Who a connection tells of what concerns no single stream."""

    def settled(self) -> None:
        """Hears of new settings of the peer; first when the connection is ready for use."""

    def going_away(self, code: ErrorCode, debug: bytes) -> None:
        """Hears that the peer takes no more streams."""

    def pong(self, payload: bytes) -> None:
        """Hears the answer to a ping."""


class Connection:
    """One HTTP/2 connection, of either role.

    Attributes:
        streams: Those that are not over, by identifier.
        outgoing: What is to be sent.
        most_streams: How many streams of this side the peer allows.
        ready: Whether the peer's first SETTINGS has come.
        acknowledged: Whether the peer has acknowledged our settings.
        gone: Whether the peer, or an error, has ended the taking of new streams.
    """

    __slots__ = (
        "_block",
        "_block_frames",
        "_block_size",
        "_clock",
        "_decoder",
        "_limits",
        "_nuisance_since",
        "_nuisances",
        "_owner",
        "_rest",
        "_stream_half",
        "_unreturned",
        "_window",
        "acknowledged",
        "gone",
        "most_streams",
        "outgoing",
        "ready",
        "streams",
    )

    from_server: bool  # whether the peer is a server

    def __init__(
        self, owner: Owner, decoder: Decoder, limits: Limits, clock: Callable[[], float]
    ) -> None:
        self._owner = owner
        self._decoder = decoder
        self._limits = limits
        self._clock = clock
        self.streams: dict[int, Stream] = {}
        self.outgoing = Outgoing()
        self.most_streams = frames.MAX_STREAM_ID
        self.ready = False
        self.acknowledged = False
        self.gone = False
        self._rest = b""
        # A field block under way: stream, flags, fragments.
        self._block: tuple[int, int, list[bytes]] | None = None
        self._block_size = 0
        self._block_frames = 0
        self._window = limits.connection_window
        self._unreturned = 0
        self._stream_half = limits.stream_window // 2
        self._nuisances = 0
        self._nuisance_since = clock()

    def _open_window(self) -> None:
        """Announces settings and the connection's window, the first that this side says."""
        self.outgoing.put(frames.settings(self._limits.announced()))
        if more := self._limits.connection_window - DEFAULT_WINDOW:
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
        most = self._limits.frame_size
        try:
            while size - at >= HEADER_SIZE:
                high, low, kind, flags, number = read_header(data, at)
                length = high << 8 | low
                if length > most:
                    raise ConnectionFailed(ErrorCode.FRAME_SIZE_ERROR, f"a frame of {length} bytes")
                start = at + HEADER_SIZE
                end = start + length
                if end > size:
                    break
                at = end
                self._frame(kind, flags, number & frames.MAX_STREAM_ID, data[start:end])
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
        """Gives back what a paced stream's owner has consumed (section 6.9.1)."""
        stream.unreturned += size
        if stream.unreturned >= self._stream_half and not stream.remote_closed:
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
        return False

    # What a role decides.

    def _check_absent(self, number: int, kind: int) -> None:
        """Passes a frame for a stream that is over; what never was is an error of the connection.

        Raises:
            ConnectionFailed: The stream is idle (section 5.1).
        """
        raise NotImplementedError

    def _section(self, stream: Stream, fields: Fields, *, end: bool) -> None:
        """Passes a field section of an open stream on.

        Raises:
            MalformedError: It may not stand where it does (section 8.1.1).
        """
        raise NotImplementedError

    def _ended(self, stream: Stream) -> None:
        """Notes that the peer has said all on a stream."""
        raise NotImplementedError

    def _last_processed(self) -> int:
        """Returns the last of the peer's streams that was processed, for GOAWAY."""
        raise NotImplementedError

    # Frames.

    def _frame(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if self._block is not None and kind != CONTINUATION:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "a frame within a field block")
        if not self.ready and (kind != frames.SETTINGS or flags & ACK):
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "the first frame is not SETTINGS")
        if kind == DATA:
            self._on_data(number, flags, payload)
        elif kind == HEADERS:
            self._on_headers(number, flags, payload)
        else:
            take = _FRAMES.get(kind)
            if take is None:
                self._nuisance()  # unknown types are ignored (section 4.1)
            else:
                take(self, number, flags, payload)

    def _on_data(self, number: int, flags: int, payload: bytes) -> None:
        size = len(payload)
        if not number:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "DATA on stream 0")
        self._window -= size
        if self._window < 0:
            raise ConnectionFailed(ErrorCode.FLOW_CONTROL_ERROR, "more than the window allows")
        self._unreturned += size
        if self._unreturned * 2 >= self._limits.connection_window:
            self.outgoing.put(frames.window_update(0, self._unreturned))
            self._window += self._unreturned
            self._unreturned = 0
        if flags & PADDED:
            payload = _unpadded(payload)
        stream = self.streams.get(number)
        if stream is None:
            self._check_absent(number, DATA)
            return
        end = flags & END_STREAM
        stream.receive_window -= size
        if stream.remote_closed:
            self._stream_error(stream, ErrorCode.STREAM_CLOSED, "DATA after END_STREAM")
        elif not stream.head_seen:
            self._stream_error(stream, ErrorCode.PROTOCOL_ERROR, "DATA before HEADERS")
        elif stream.receive_window < 0:
            self._stream_error(stream, ErrorCode.FLOW_CONTROL_ERROR, "more than the window allows")
        elif stream.length_left >= 0 and not _fits(stream, len(payload), end):
            self._stream_error(stream, ErrorCode.PROTOCOL_ERROR, "content-length is not the length")
        else:
            if not end:
                # Padding is consumed at once (section 6.9.1).
                stream.unreturned += size - len(payload) if stream.paced else size
                if stream.unreturned >= self._stream_half:
                    self._give_back(stream)
                if not payload:
                    self._nuisance()
            if payload:
                stream.data(payload)
            if end and self.streams.get(number) is stream:
                self._ended(stream)
                stream.end()

    def _on_headers(self, number: int, flags: int, payload: bytes) -> None:
        if not number:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "HEADERS on stream 0")
        if flags & PADDED:
            payload = _unpadded(payload)
        if flags & PRIORITIZED:
            if len(payload) < 5:
                raise ConnectionFailed(ErrorCode.FRAME_SIZE_ERROR, "HEADERS without its priority")
            payload = payload[5:]
        if flags & END_HEADERS:
            self._on_block(number, flags, payload)
        else:
            self._block = number, flags, [payload]
            self._block_size = len(payload)
            self._block_frames = 0

    def _on_continuation(self, number: int, flags: int, payload: bytes) -> None:
        if self._block is None or self._block[0] != number:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "CONTINUATION of nothing")
        _, first_flags, fragments = self._block
        self._block_frames += 1
        self._block_size += len(payload)
        if self._block_frames > self._limits.continuations:
            raise ConnectionFailed(ErrorCode.ENHANCE_YOUR_CALM, "a field block without end")
        # What is over the limit is not kept: the block ends its stream, and has no other effect.
        if self._block_size <= self._limits.header_list:
            fragments.append(payload)
        if flags & END_HEADERS:
            self._block = None
            self._on_block(number, first_flags, b"".join(fragments), size=self._block_size)

    def _on_block(self, number: int, flags: int, block: bytes, *, size: int = 0) -> None:
        """Takes a whole field block; `size` is what it had before it was cut, if it was."""
        stream = self.streams.get(number)
        if stream is None:
            self._check_absent(number, HEADERS)
            return
        if stream.remote_closed:
            self._stream_error(stream, ErrorCode.STREAM_CLOSED, "HEADERS after END_STREAM")
            return
        try:
            if max(size, len(block)) > self._limits.header_list:
                self._too_large(stream)
                return
            fields = self._decoder.decode(block)
            overhead = len(fields) * _FIELD_OVERHEAD
            if overhead + len(block) > self._limits.header_list:
                self._too_large(stream)
                return
            self._section(stream, fields, end=bool(flags & END_STREAM))
        except CompressionError as failure:
            raise ConnectionFailed(ErrorCode.COMPRESSION_ERROR, str(failure)) from failure
        except MalformedError as failure:
            self._stream_error(stream, ErrorCode.PROTOCOL_ERROR, str(failure))

    def _on_priority(self, number: int, _: int, payload: bytes) -> None:
        self._nuisance()
        if not number:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "PRIORITY on stream 0")
        if len(payload) != 5 and (stream := self.streams.get(number)):
            self._stream_error(stream, ErrorCode.FRAME_SIZE_ERROR, "PRIORITY is not 5 bytes")

    def _on_rst_stream(self, number: int, _: int, payload: bytes) -> None:
        if not number:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "RST_STREAM on stream 0")
        if len(payload) != 4:
            raise ConnectionFailed(ErrorCode.FRAME_SIZE_ERROR, "RST_STREAM is not 4 bytes")
        stream = self.streams.pop(number, None)
        if stream is None:
            self._check_absent(number, frames.RST_STREAM)
            return
        self.outgoing.drop(stream)
        if not stream.remote_closed:
            code = error_code(read_word(payload)[0])
            stream.reset(Reset(code, Origin.PEER, f"RST_STREAM with {code.name}"))

    def _on_settings(self, number: int, flags: int, payload: bytes) -> None:
        if number:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "SETTINGS on a stream")
        if flags & ACK:
            if payload:
                raise ConnectionFailed(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS that acknowledge more")
            self.acknowledged = True
            return
        if len(payload) % 6:
            raise ConnectionFailed(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS with half a setting")
        self._nuisance()
        # Before what the new settings set free: the peer counts by the old ones until it reads this.
        self.outgoing.put(frames.SETTINGS_ACK)
        for identifier, value in read_settings(payload):
            if wrong := refusal(identifier, value, from_server=self.from_server):
                raise ConnectionFailed(*wrong)
            self._apply(identifier, value)
        self.ready = True
        self._owner.settled()

    def _apply(self, identifier: int, value: int) -> None:
        if identifier == frames.MAX_CONCURRENT_STREAMS:
            self.most_streams = value
        elif identifier == frames.MAX_FRAME_SIZE:
            self.outgoing.max_frame = value
        elif identifier == frames.INITIAL_WINDOW_SIZE:
            unsent = [stream for stream in self.streams.values() if not all_sent(stream)]
            if not self.outgoing.resize_streams(unsent, value):
                raise ConnectionFailed(ErrorCode.FLOW_CONTROL_ERROR, "a window over 2^31-1")

    def _on_push_promise(self, number: int, flags: int, payload: bytes) -> None:
        raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE, which nobody may send")

    def _on_ping(self, number: int, flags: int, payload: bytes) -> None:
        if number:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "PING on a stream")
        if len(payload) != 8:
            raise ConnectionFailed(ErrorCode.FRAME_SIZE_ERROR, "PING is not 8 bytes")
        self._nuisance()
        if flags & ACK:
            self._owner.pong(payload)
        else:
            self.outgoing.put(frames.ping(payload, ack=True))

    def _on_goaway(self, number: int, _: int, payload: bytes) -> None:
        if number:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "GOAWAY on a stream")
        if len(payload) < 8:
            raise ConnectionFailed(ErrorCode.FRAME_SIZE_ERROR, "GOAWAY has not 8 bytes")
        self._nuisance()
        last, number = read_two_words(payload)
        code = error_code(number)
        self.gone = True
        for number in [number for number in self.streams if number > last & frames.MAX_STREAM_ID]:
            stream = self.streams.pop(number)
            self.outgoing.drop(stream)
            stream.reset(Reset(ErrorCode.REFUSED_STREAM, Origin.PEER, f"GOAWAY with {code.name}"))
        self._owner.going_away(code, payload[8:])

    def _on_window_update(self, number: int, _: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise ConnectionFailed(ErrorCode.FRAME_SIZE_ERROR, "WINDOW_UPDATE is not 4 bytes")
        increment = read_word(payload)[0] & frames.MAX_WINDOW
        if not number:
            if not increment:
                raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE by nothing")
            if not self.outgoing.widen(increment):
                raise ConnectionFailed(ErrorCode.FLOW_CONTROL_ERROR, "a window over 2^31-1")
            return
        stream = self.streams.get(number)
        if stream is None:
            self._check_absent(number, frames.WINDOW_UPDATE)
        elif not increment:
            self._stream_error(stream, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE by nothing")
        elif not all_sent(stream) and not self.outgoing.widen_stream(stream, increment):
            self._stream_error(stream, ErrorCode.FLOW_CONTROL_ERROR, "a window over 2^31-1")

    # Ends.

    def _stream_error(self, stream: Stream, code: ErrorCode, text: str) -> None:
        """Ends a stream for what the peer did wrong (section 5.4.2)."""
        told = not stream.remote_closed
        self.cancel(stream, code)
        if told:
            stream.reset(Reset(code, Origin.HERE, text))

    def _too_large(self, stream: Stream) -> None:
        self._stream_error(stream, ErrorCode.ENHANCE_YOUR_CALM, "the field section is too large")

    def _give_back(self, stream: Stream) -> None:
        self.outgoing.put(frames.window_update(stream.id, stream.unreturned))
        stream.receive_window += stream.unreturned
        stream.unreturned = 0

    def _nuisance(self) -> None:
        """Counts a frame that brings nothing; too many in a short time end the connection."""
        self._nuisances += 1
        if self._nuisances > self._limits.nuisances:
            now = self._clock()
            if now - self._nuisance_since < self._limits.nuisance_seconds:
                raise ConnectionFailed(ErrorCode.ENHANCE_YOUR_CALM, "too many frames for nothing")
            self._nuisances, self._nuisance_since = 0, now


def all_sent(stream: Stream) -> bool:
    """Returns whether this side has sent all that it had to say on a stream."""
    return stream.local_closed and stream.unsent is None


def _unpadded(payload: bytes) -> bytes:
    """Returns a payload less its padding (section 6.1)."""
    if not payload or payload[0] >= len(payload):
        raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "more padding than payload")
    return payload[1 : len(payload) - payload[0]]


def _fits(stream: Stream, size: int, end: int) -> bool:
    """Counts content against `content-length` (section 8.1.1)."""
    stream.length_left -= size
    return stream.length_left == 0 if end else stream.length_left >= 0


_FRAMES: Final[Mapping[int, Callable[[Connection, int, int, bytes], None]]] = {
    frames.PRIORITY: Connection._on_priority,  # noqa: SLF001  a table of this module's own
    frames.RST_STREAM: Connection._on_rst_stream,  # noqa: SLF001
    frames.SETTINGS: Connection._on_settings,  # noqa: SLF001
    frames.PUSH_PROMISE: Connection._on_push_promise,  # noqa: SLF001
    frames.PING: Connection._on_ping,  # noqa: SLF001
    frames.GOAWAY: Connection._on_goaway,  # noqa: SLF001
    frames.WINDOW_UPDATE: Connection._on_window_update,  # noqa: SLF001
    frames.CONTINUATION: Connection._on_continuation,  # noqa: SLF001
}
