"""A field block in parts: HEADERS, then CONTINUATION frames (RFC 9113 sections 4.3 and 6.10)."""

from __future__ import annotations

from gateway.wire.failure import ConnectionFailed
from gateway.wire.frames import END_HEADERS, PADDED, PRIORITIZED, ErrorCode


class PartialBlock:
    """A field block under way.

    Args:
        stream: The stream's identifier.
        flags: The flags of its HEADERS frame.
        first: The fragment in it.

    Attributes:
        size: The bytes that came, also those that were not kept.
    """

    __slots__ = ("_fragments", "_frames", "flags", "size", "stream")

    def __init__(self, stream: int, flags: int, first: bytes) -> None:
        self.stream = stream
        self.flags = flags
        self.size = len(first)
        self._fragments = [first]
        self._frames = 0

    def add(self, flags: int, fragment: bytes, *, most_frames: int, most: int) -> bool:
        """Takes a CONTINUATION frame; returns whether the block is whole.

        What is over `most` bytes is counted and not kept: such a block ends its stream, and since
        blocks share no state (see `hpack`), has no other effect.

        Raises:
            ConnectionFailed: There are more frames than allowed.
        """
        self._frames += 1
        self.size += len(fragment)
        if self._frames > most_frames:
            raise ConnectionFailed(ErrorCode.ENHANCE_YOUR_CALM, "a field block without end")
        if self.size <= most:
            self._fragments.append(fragment)
        return bool(flags & END_HEADERS)

    def whole(self) -> bytes:
        """Returns what was kept of the block."""
        return b"".join(self._fragments)


def unpadded(payload: bytes) -> bytes:
    """Returns a payload less its padding (section 6.1).

    Raises:
        ConnectionFailed: There is more padding than payload.
    """
    if not payload or payload[0] >= len(payload):
        raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "more padding than payload")
    return payload[1 : len(payload) - payload[0]]


def fragment(flags: int, payload: bytes) -> bytes:
    """Returns the fragment of a field block in a HEADERS frame (section 6.2).

    Raises:
        ConnectionFailed: Padding or priority do not fit in the frame.
    """
    if flags & PADDED:
        payload = unpadded(payload)
    if flags & PRIORITIZED:
        if len(payload) < 5:
            raise ConnectionFailed(ErrorCode.FRAME_SIZE_ERROR, "HEADERS without its priority")
        payload = payload[5:]
    return payload
