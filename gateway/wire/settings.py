"""Settings of an HTTP/2 connection (RFC 9113 section 6.5): ours as given, the peer's as checked."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.wire.frames import (
    ENABLE_PUSH,
    HEADER_TABLE_SIZE,
    INITIAL_WINDOW_SIZE,
    LARGEST_MAX_FRAME,
    MAX_FRAME_SIZE,
    MAX_HEADER_LIST_SIZE,
    MAX_WINDOW,
    SMALLEST_MAX_FRAME,
    ErrorCode,
)

KIB = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection allows its peer. Sizes in bytes.

    Attributes:
        stream_window: What may arrive on a stream before this side gives some of it back.
        connection_window: The same of the connection; not less than 65,535.
        frame_size: The largest frame.
        header_list: The largest field section, as it arrives and 32 bytes a field.
        continuations: CONTINUATION frames of one field block.
        nuisances: Frames that bring nothing (PING, SETTINGS, empty DATA, what concerns streams that
            are over) within `nuisance_seconds`.
    """

    stream_window: int = 64 * KIB
    connection_window: int = KIB * KIB
    frame_size: int = SMALLEST_MAX_FRAME
    header_list: int = 64 * KIB
    continuations: int = 32
    nuisances: int = 1000
    nuisance_seconds: float = 10.0

    def announced(self) -> dict[int, int]:
        """Returns the settings to send to a peer that is a server."""
        return {
            HEADER_TABLE_SIZE: 0,
            ENABLE_PUSH: 0,
            INITIAL_WINDOW_SIZE: self.stream_window,
            MAX_FRAME_SIZE: self.frame_size,
            MAX_HEADER_LIST_SIZE: self.header_list,
        }


def refusal(identifier: int, value: int, *, from_server: bool) -> tuple[ErrorCode, str] | None:
    """Returns why a peer may not set this (section 6.5.2), or None."""
    if identifier == INITIAL_WINDOW_SIZE and value > MAX_WINDOW:
        return ErrorCode.FLOW_CONTROL_ERROR, "SETTINGS_INITIAL_WINDOW_SIZE is over 2^31-1"
    if identifier == MAX_FRAME_SIZE and not SMALLEST_MAX_FRAME <= value <= LARGEST_MAX_FRAME:
        return ErrorCode.PROTOCOL_ERROR, "SETTINGS_MAX_FRAME_SIZE is not 2^14 to 2^24-1"
    if identifier == ENABLE_PUSH and (value > 1 or (value and from_server)):
        return ErrorCode.PROTOCOL_ERROR, "SETTINGS_ENABLE_PUSH is not 0"
    return None
