"""What a connection is to send: frames in order, and content as the peer's windows allow it.

Nothing is written here: `take` gives all that has gathered, for one write. Flow control in this
direction is RFC 9113 sections 5.2 and 6.9.
"""

from __future__ import annotations

from typing import Final

from gateway.wire.frames import (
    DATA,
    DEFAULT_WINDOW,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    MAX_WINDOW,
    SMALLEST_MAX_FRAME,
    field_block,
    header,
)
from gateway.wire.stream import Stream

_NOTHING: Final = memoryview(b"")


class Outgoing:
    """Frames to be sent, and the windows that the peer has opened.

    Attributes:
        window: What may be sent on the connection, in bytes.
        initial_window: What may be sent on a new stream: the peer's SETTINGS_INITIAL_WINDOW_SIZE.
        max_frame: The peer's SETTINGS_MAX_FRAME_SIZE.
    """

    __slots__ = ("_batch", "_blocked", "_frames", "initial_window", "max_frame", "window")

    def __init__(self) -> None:
        self.window = DEFAULT_WINDOW
        self.initial_window = DEFAULT_WINDOW
        self.max_frame = SMALLEST_MAX_FRAME
        self._frames: list[bytes] = []
        # Counts what `take` has given away, so that it is known what has not been.
        self._batch = 0
        # Streams whose content waits for the connection's window, in the order of their turns.
        self._blocked: dict[int, Stream] = {}

    @property
    def batch(self) -> int:
        """How often `take` was called: what gathers now is the batch of this number."""
        return self._batch

    def __bool__(self) -> bool:
        return bool(self._frames)

    def take(self) -> bytes:
        """Returns what is to be sent now, and forgets it."""
        if self._blocked and self.window > 0:
            self.widen(0)  # a request that was taken back has left it
        frames, self._frames = self._frames, []
        self._batch += 1
        return frames[0] if len(frames) == 1 else b"".join(frames)

    def put(self, frame: bytes) -> None:
        """Sends a frame that no window holds back."""
        self._frames.append(frame)

    def open(self, stream: Stream, block: bytes, data: bytes, *, end: bool) -> None:
        """Sends a stream's head, and as much of `data` as may be sent now; the rest waits.

        Args:
            stream: The stream, whose identifier is set.
            block: The field block.
            data: Content.
            end: Whether the message ends with it.
        """
        frames = self._frames
        size = len(data)
        stream.opening = len(frames)
        stream.opening_batch = self._batch
        if (
            end
            and size <= self.window
            and size <= self.initial_window
            and size <= self.max_frame
            and len(block) <= self.max_frame
        ):
            self.window -= size
            stream.opening_bytes = size
            stream.local_closed = True
            number = stream.id
            frames.append(
                header(len(block), HEADERS, END_HEADERS, number)
                + block
                + header(size, DATA, END_STREAM, number)
                + data
            )
            return
        stream.send_window = self.initial_window
        flags = END_STREAM if end and not data else 0
        frames.append(field_block(stream.id, block, self.max_frame, flags))
        if data or flags:
            stream.local_closed = end
        if data:
            stream.unsent = memoryview(data)
            self._pump(stream, MAX_WINDOW)

    def send(self, stream: Stream, data: bytes, *, end: bool) -> bool:
        """Sends content; what the windows do not allow yet waits, in order.

        Returns:
            Whether all of it is on its way. If not, the stream's `writable` will tell.
        """
        waiting = stream.unsent
        stream.unsent = memoryview(data if waiting is None else bytes(waiting) + data)
        stream.local_closed = end
        sent = self._pump(stream, MAX_WINDOW)
        if sent and waiting is not None:
            self._blocked.pop(stream.id, None)
        return sent

    def widen_stream(self, stream: Stream, increment: int) -> bool:
        """Takes a WINDOW_UPDATE of a stream; returns False if the window is too large then."""
        stream.send_window += increment
        if stream.send_window > MAX_WINDOW:
            return False
        self._resume(stream)
        return True

    def widen(self, increment: int) -> bool:
        """Takes a WINDOW_UPDATE of the connection; returns False if the window is too large then.

        Streams that wait take turns, a frame each.
        """
        self.window += increment
        if self.window > MAX_WINDOW:
            return False
        blocked = self._blocked
        while blocked and self.window > 0:
            number = next(iter(blocked))
            stream = blocked.pop(number)
            if self._pump(stream, self.max_frame):
                stream.writable()
        return True

    def resize_streams(self, streams: list[Stream], initial: int) -> bool:
        """Takes a new SETTINGS_INITIAL_WINDOW_SIZE (section 6.9.2); False as in `widen`."""
        change, self.initial_window = initial - self.initial_window, initial
        for stream in streams:
            stream.send_window += change
        if any(stream.send_window > MAX_WINDOW for stream in streams):
            return False
        for stream in streams:
            self._resume(stream)
        return True

    def drop(self, stream: Stream) -> bool:
        """Sends nothing more of a stream; returns whether nothing of it has left this side.

        What is still here of its first frames is taken back then, with what they took of the
        window.
        """
        self._blocked.pop(stream.id, None)
        stream.unsent = None
        if not self.holds(stream):
            return False
        self._frames[stream.opening] = b""
        self.window += stream.opening_bytes
        return True

    def holds(self, stream: Stream) -> bool:
        """Returns whether nothing of an opened stream has left this side."""
        return stream.opening_batch == self._batch

    def _resume(self, stream: Stream) -> None:
        waits = stream.unsent is not None and stream.id not in self._blocked
        if waits and self._pump(stream, MAX_WINDOW):
            stream.writable()

    def _pump(self, stream: Stream, most: int) -> bool:
        """Sends what may be sent of a stream's content, `most` bytes; returns if that is all."""
        waiting: memoryview = stream.unsent or _NOTHING
        while True:
            size = min(len(waiting), self.window, stream.send_window, self.max_frame, most)
            if size <= 0:
                if len(waiting):
                    break
                size = 0  # the stream's window may be below it, and END_STREAM needs none
            rest = waiting[size:]
            end = stream.local_closed and not len(rest)
            if size or end:
                # Content after the first frames: the stream can't be taken back any more.
                stream.opening_batch = -1
                flags = END_STREAM if end else 0
                part = waiting[:size]
                self._frames.append(header(size, DATA, flags, stream.id) + part)
                self.window -= size
                stream.send_window -= size
                most -= size
            waiting = rest
            if not len(waiting):
                stream.unsent = None
                return True
        stream.unsent = waiting
        if stream.send_window > 0:
            self._blocked[stream.id] = stream
        return False
