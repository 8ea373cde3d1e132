"""A server of the multiplexed protocol, as small as it can be, in terms of the client's frames.

It speaks for one session that can be resumed. Its backend takes request messages when it is told
to, and has as many replies as it is told. What it sends waits in `out` until it is delivered.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from gateway.client.frames import (
    Cancel,
    Credit,
    End,
    Headers,
    Hello,
    Limits,
    Open,
    Reply,
    Request,
    Resumed,
    Welcome,
)

LIMITS = Limits(streams=8, message_size=1000, credit=4, buffer=30, session_buffer=50)


def welcome(**more) -> Welcome:
    """A welcome to a session that can't be resumed, unless `more` says otherwise."""
    return Welcome(**{"session": "s", "ping_ms": 25_000, "limits": LIMITS} | more)


@dataclass
class Stream:
    """One stream at the server."""

    credit: int  # granted by the client, in all
    got: list[bytes] = field(default_factory=list)  # all request messages, in order
    sizes: deque[int] = field(default_factory=deque)  # of those that were not granted anew
    free: int = 0  # messages that cost no credit: that of the open, once
    inbox: int = 0  # messages that the backend has not taken
    paid: int = 0  # messages that cost credit
    granted: int = LIMITS.credit
    in_seq: int = 0
    half_closed: bool = False
    out_seq: int = 0
    sent: int = 0  # messages that were ever numbered
    replies: deque[bytes] = field(default_factory=deque)
    kept: deque = field(default_factory=deque)  # frames that the client may not have
    end: End | None = None  # to be sent behind the replies
    over: bool = False  # the status was sent
    cancelled: bool = False


class Server:
    """The session's server side."""

    def __init__(self) -> None:
        self.streams: dict[int, Stream] = {}
        self.last_id = 0
        self.out: deque = deque()

    @property
    def ungranted(self) -> int:
        """Bytes of the messages of all streams that were not granted anew."""
        return sum(sum(stream.sizes) for stream in self.streams.values())

    # A socket.

    def hello(self, hello: Hello) -> Welcome:
        """Goes on with the session, or begins it."""
        self.out.clear()
        for id_ in [id_ for id_ in self.streams if id_ not in hello.seen]:
            self.streams.pop(id_).cancelled = True
        resumed = []
        for id_, stream in self.streams.items():
            self._acknowledge(stream, hello.seen[id_])
            stream.credit = hello.granted[id_]
            self.out.extend(stream.kept)
            resumed.append(Resumed(id_, stream.in_seq, stream.granted))
            assert stream.sent <= stream.credit
            self._pump(id_)
        lost = tuple(id_ for id_ in hello.seen if id_ not in self.streams and id_ <= self.last_id)
        assert not lost
        return welcome(resume_ms=30_000, resumed=tuple(resumed), last_id=self.last_id)

    def receive(self, frame) -> None:
        """Takes a frame, which must keep the rules."""
        if isinstance(frame, Open):
            assert frame.id > self.last_id
            self.last_id = frame.id
            assert len(self.streams) < LIMITS.streams
            stream = self.streams[frame.id] = Stream(frame.credit)
            if frame.body is not None:
                stream.got.append(frame.body)
                stream.free = stream.inbox = 1
            stream.half_closed = frame.end
            return
        assert 0 < frame.id <= self.last_id
        stream = self.streams.get(frame.id)
        if stream is None:
            return
        if isinstance(frame, Request):
            self._request(stream, frame)
        elif isinstance(frame, Credit):
            stream.credit += frame.n
            self._acknowledge(stream, frame.seq)
            if stream.over and not stream.kept:
                del self.streams[frame.id]
            else:
                self._pump(frame.id)
        elif isinstance(frame, Cancel):
            stream.cancelled = True
            stream.replies.clear()
            self._end(stream, End(frame.id, 1, "CANCELLED"))

    def _request(self, stream: Stream, frame: Request) -> None:
        if frame.seq <= stream.in_seq:
            return
        assert frame.seq == stream.in_seq + 1, "nothing is missing"
        stream.in_seq = frame.seq
        assert not stream.half_closed
        stream.half_closed = frame.end
        if stream.end is not None:
            return
        if frame.body is not None:
            size, on_all = len(frame.body), self.ungranted
            assert not stream.sizes or sum(stream.sizes) + size <= LIMITS.buffer
            assert not on_all or on_all + size <= LIMITS.session_buffer
            stream.got.append(frame.body)
            stream.inbox += 1
            stream.sizes.append(len(frame.body))
            stream.paid += 1
            assert stream.paid <= stream.granted, "credit is kept to"

    # A backend.

    def take(self, id_: int) -> bool:
        """Has the backend take one message, and grants another; False where there is none."""
        stream = self.streams.get(id_)
        if stream is None or not stream.inbox or stream.over:
            return False
        stream.inbox -= 1
        if stream.free:
            stream.free = 0
            return True
        stream.sizes.popleft()
        stream.granted += 1
        self.out.append(Credit(id_, 1, stream.in_seq))
        return True

    def reply(self, id_: int, *bodies: bytes) -> None:
        """Has the backend send messages."""
        stream = self.streams.get(id_)
        if stream is not None and stream.end is None:
            stream.replies.extend(bodies)
            self._pump(id_)

    def end(self, id_: int) -> None:
        """Has the backend end the call with OK."""
        stream = self.streams.get(id_)
        if stream is not None and stream.end is None:
            self._end(stream, End(id_, 0, "OK"))

    def _end(self, stream: Stream, end: End) -> None:
        stream.end = end
        stream.inbox = 0
        stream.sizes.clear()
        self._pump(end.id)

    def _pump(self, id_: int) -> None:
        stream = self.streams[id_]
        if stream.over:
            return
        if stream.out_seq == 0 and stream.replies:
            self._send(stream, Headers(id_, (("k", "v"),)))
        while stream.replies and stream.sent < stream.credit:
            stream.sent += 1
            self._send(stream, Reply(id_, stream.replies.popleft()))
        if stream.end is not None and not stream.replies:
            stream.over = True
            self._send(stream, stream.end)

    def _send(self, stream: Stream, frame) -> None:
        stream.out_seq += 1
        numbered = replace(frame, seq=stream.out_seq)
        stream.kept.append(numbered)
        self.out.append(numbered)

    def _acknowledge(self, stream: Stream, seq: int) -> None:
        while stream.kept and stream.kept[0].seq <= seq:
            stream.kept.popleft()
