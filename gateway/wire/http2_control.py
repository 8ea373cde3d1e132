"""Frames that carry no message: what each does to a connection (RFC 9113 sections 6.3 to 6.9).

Each is a function of the connection, the stream's identifier, the flags and the payload; the table
at the end says which. Each raises ConnectionFailed where the RFC wants an error of the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from gateway.wire import frames
from gateway.wire.failure import ConnectionFailed
from gateway.wire.frames import (
    ACK,
    ErrorCode,
    error_code,
    read_settings,
    read_two_words,
    read_word,
)
from gateway.wire.settings import refusal
from gateway.wire.stream import Origin, Reset, all_sent

if TYPE_CHECKING:
    from gateway.wire.http2 import Connection


def priority(connection: Connection, number: int, _: int, payload: bytes) -> None:
    """Takes PRIORITY, which says nothing any more (section 5.3)."""
    connection.flood.count()
    _on_a_stream(number, "PRIORITY")
    if len(payload) != 5 and (stream := connection.streams.get(number)):
        connection.stream_error(stream, ErrorCode.FRAME_SIZE_ERROR, "PRIORITY is not 5 bytes")


def rst_stream(connection: Connection, number: int, _: int, payload: bytes) -> None:
    """Takes RST_STREAM: the stream is over."""
    _on_a_stream(number, "RST_STREAM")
    _of_size(len(payload) == 4, "RST_STREAM is not 4 bytes")
    stream = connection.streams.pop(number, None)
    if stream is None:
        connection.check_absent(number, frames.RST_STREAM)
        return
    connection.outgoing.drop(stream)
    if not stream.remote_closed:
        code = error_code(read_word(payload)[0])
        stream.reset(Reset(code, Origin.PEER, f"RST_STREAM with {code.name}"))


def settings(connection: Connection, number: int, flags: int, payload: bytes) -> None:
    """Takes SETTINGS, or the acknowledgement of ours."""
    _on_the_connection(number, "SETTINGS")
    if flags & ACK:
        _of_size(not payload, "SETTINGS that acknowledge and set")
        connection.acknowledged = True
        return
    _of_size(len(payload) % 6 == 0, "SETTINGS with half a setting")
    connection.flood.count()
    # Before what the new settings set free: the peer counts by the old ones until it reads this.
    connection.outgoing.put(frames.SETTINGS_ACK)
    values: dict[int, int] = {}
    for identifier, value in read_settings(payload):
        if wrong := refusal(identifier, value, from_server=connection.from_server):
            raise ConnectionFailed(*wrong)
        values[identifier] = value
    _apply(connection, values)
    connection.ready = True
    connection.owner.settled()


def _apply(connection: Connection, values: dict[int, int]) -> None:
    """Applies the last value of each (section 6.5.3); windows last, since they set frames free."""
    outgoing = connection.outgoing
    if (most := values.get(frames.MAX_CONCURRENT_STREAMS)) is not None:
        connection.most_streams = most
    if (size := values.get(frames.MAX_FRAME_SIZE)) is not None:
        outgoing.max_frame = size
    if (window := values.get(frames.INITIAL_WINDOW_SIZE)) is not None:
        unsent = [stream for stream in connection.streams.values() if not all_sent(stream)]
        if not outgoing.resize_streams(unsent, window):
            raise ConnectionFailed(ErrorCode.FLOW_CONTROL_ERROR, "a window over 2^31-1")


def push_promise(_: Connection, __: int, ___: int, ____: bytes) -> None:
    """Refuses PUSH_PROMISE: our settings forbid a server to send it, and the RFC any client."""
    raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE, which nobody may send")


def ping(connection: Connection, number: int, flags: int, payload: bytes) -> None:
    """Answers PING, or passes its answer on."""
    _on_the_connection(number, "PING")
    _of_size(len(payload) == 8, "PING is not 8 bytes")
    if flags & ACK:
        connection.flood.count()
        connection.owner.pong(payload)
        return
    # Servers that measure the link ask whenever the last answer has come (grpc-go does so all the
    # time). That is no flood: one has several that were not answered yet.
    if connection.pinged == connection.outgoing.batch:
        connection.flood.count()
    connection.pinged = connection.outgoing.batch
    connection.outgoing.put(frames.ping(payload, ack=True))


def goaway(connection: Connection, number: int, _: int, payload: bytes) -> None:
    """Takes GOAWAY: no new streams; those above the last were not processed."""
    _on_the_connection(number, "GOAWAY")
    _of_size(len(payload) >= 8, "GOAWAY has not 8 bytes")
    connection.flood.count()
    last, value = read_two_words(payload)
    code = error_code(value)
    connection.gone = True
    last &= frames.MAX_STREAM_ID
    for above in [number for number in connection.streams if number > last]:
        stream = connection.streams.pop(above, None)
        if stream is not None:  # else the end of another ended it too
            connection.outgoing.drop(stream)
            text = f"GOAWAY with {code.name}"
            stream.reset(Reset(ErrorCode.REFUSED_STREAM, Origin.PEER, text))
    connection.owner.going_away(code, payload[8:])


def window_update(connection: Connection, number: int, _: int, payload: bytes) -> None:
    """Takes WINDOW_UPDATE, of the connection or of a stream."""
    _of_size(len(payload) == 4, "WINDOW_UPDATE is not 4 bytes")
    increment = read_word(payload)[0] & frames.MAX_WINDOW
    if not number:
        if not increment:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE by nothing")
        if not connection.outgoing.widen(increment):
            raise ConnectionFailed(ErrorCode.FLOW_CONTROL_ERROR, "a window over 2^31-1")
        return
    stream = connection.streams.get(number)
    if stream is None:
        connection.check_absent(number, frames.WINDOW_UPDATE)
    elif not increment:
        connection.stream_error(stream, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE by nothing")
    elif not all_sent(stream) and not connection.outgoing.widen_stream(stream, increment):
        connection.stream_error(stream, ErrorCode.FLOW_CONTROL_ERROR, "a window over 2^31-1")


def _on_a_stream(number: int, name: str) -> None:
    if not number:
        raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, f"{name} on stream 0")


def _on_the_connection(number: int, name: str) -> None:
    if number:
        raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, f"{name} on a stream")


def _of_size(fits: bool, otherwise: str) -> None:  # noqa: FBT001  a condition, as of an assertion
    if not fits:
        raise ConnectionFailed(ErrorCode.FRAME_SIZE_ERROR, otherwise)


TAKE: Final[Mapping[int, Callable[[Connection, int, int, bytes], None]]] = {
    frames.PRIORITY: priority,
    frames.RST_STREAM: rst_stream,
    frames.SETTINGS: settings,
    frames.PUSH_PROMISE: push_promise,
    frames.PING: ping,
    frames.GOAWAY: goaway,
    frames.WINDOW_UPDATE: window_update,
}
