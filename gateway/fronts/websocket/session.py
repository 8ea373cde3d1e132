"""A session: its streams, their credit, and whose turn it is to be written. Sans-IO.

Frames of the client's go in (`open`, `message`, `credit`, `cancel`), with what happens to the calls
(`headers`, `send`, `end`); out come frames to be written (`next`), and words to whoever makes the
calls (`Calls`). A session knows no socket and no clock, and makes no call. It is one socket's, or,
where it can be resumed, that of several, one after the other: see `restore`.

What holds of every stream: exactly one status is written, as its last frame, and after the messages
that came before it, unless the client or a broken rule ended it. What is kept for it is bounded by
the credit of both directions. What the client sends for a stream that has ended is ignored.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from gateway.call import Code, RpcError
from gateway.errors import error
from gateway.fronts.websocket import frames
from gateway.fronts.websocket.admission import oversized, refusal, unheld
from gateway.fronts.websocket.calling import Calls
from gateway.fronts.websocket.codes import ID_USED
from gateway.fronts.websocket.frames import End, FrameError, Framing, Pairs, Resumed
from gateway.fronts.websocket.limits import Limits
from gateway.fronts.websocket.stream import AUTOMATIC, Inflow, Outflow, Stream, Waiting


class Session:
    """The streams of one session.

    Args:
        framing: How frames are written.
        limits: What the client may do.
        calls: Who makes the calls.
        resumable: Whether it can outlive a socket: frames are numbered and kept.

    Attributes:
        streams: Those that are not over, by id.
        last_id: The highest id that was seen.
        is_away: Whether the client has no socket now, and may come back.
    """

    __slots__ = (
        "_calls",
        "_control",
        "_framing",
        "_kept",
        "_owed",
        "_ready",
        "_ungranted",
        "is_away",
        "last_id",
        "limits",
        "resumable",
        "streams",
    )

    def __init__(
        self, framing: Framing, limits: Limits, calls: Calls, *, resumable: bool = False
    ) -> None:
        self.streams: dict[int, Stream] = {}
        self.last_id = 0
        self.is_away = False
        self.resumable = resumable
        self._framing = framing
        self.limits = limits
        self._calls = calls
        self._control: deque[bytes] = deque()
        self._ready: deque[Stream] = deque()
        self._ungranted = 0  # bytes of the client's messages
        self._owed: dict[int, Stream] = {}
        self._kept = 0

    # What the client says.

    def open(self, frame: frames.Open, refused: RpcError | None = None) -> None:
        """Begins a stream, or ends it at once.

        Args:
            frame: The client's.
            refused: Why it may not be; None where it may, for all that the session does not know.

        Raises:
            FrameError: The id was used before.
        """
        if frame.id <= self.last_id:
            raise FrameError(f"the id {frame.id} was used before", ID_USED)
        self.last_id = frame.id
        limits = self.limits
        credit = frame.credit
        if credit is None:
            credit = AUTOMATIC
        automatic = frame.credit is None and not self.resumable
        stream = Stream(frame.id, Inflow(limits.credit), Outflow(credit, automatic=automatic))
        if refused is None and len(self.streams) >= limits.streams:
            refused = error(
                "TOO_MANY_STREAMS", f"At most {limits.streams} streams may be open on a socket."
            )
        if refused is not None:
            # Nothing is kept of it: a client that comes back without its status is told it is lost.
            self._calls.stop(stream, refused)
            return
        self.streams[frame.id] = stream
        if frame.body is not None:
            if too_large := oversized(frame.body, limits):
                self._calls.stop(stream, too_large)
                return
            stream.inflow.put_first(frame.body)
        stream.inflow.ended = frame.end
        self._calls.begin(stream, frame)

    def message(self, frame: frames.Message) -> None:
        """Takes in a request message.

        Raises:
            FrameError: The id was never opened, or a number is missing.
        """
        stream = self._known(frame.id)
        if stream is None:
            return
        inflow = stream.inflow
        if self.resumable:
            if frame.seq <= inflow.seq and frame.seq:
                return  # it was sent again, in vain
            if frame.seq != inflow.seq + 1:
                raise FrameError(f"seq {inflow.seq + 1} of stream {frame.id} is missing")
            inflow.seq = frame.seq
        if stream.outflow.ended:
            return
        if refused := refusal(inflow, frame.body, self.limits, self._ungranted):
            self._calls.stop(stream, refused)
            return
        if frame.body is not None:
            inflow.put(frame.body)
            self._ungranted += len(frame.body)
        inflow.ended = frame.end
        self._calls.arrived(stream)

    def credit(self, frame: frames.Credit) -> None:
        """Takes a grant, and the word of what has arrived.

        Raises:
            FrameError: The id was never opened.
        """
        stream = self._known(frame.id)
        if stream is None:
            return
        outflow = stream.outflow
        outflow.grant(frame.n)
        if self.resumable:
            self._kept -= outflow.kept_size
            outflow.acknowledge(frame.seq)
            self._kept += outflow.kept_size
            if outflow.over:
                del self.streams[stream.id]
        self._queue(stream)

    def cancel(self, frame: frames.Cancel) -> None:
        """Ends a stream.

        Raises:
            FrameError: The id was never opened.
        """
        stream = self._known(frame.id)
        if stream is None:
            return
        outflow = stream.outflow
        if outflow.end is None:
            self._calls.stop(stream, error("CANCELLED", "The client cancelled the call."))
        elif outflow.drop():  # it has ended behind messages that nobody wants
            outflow.end = End(Code.CANCELLED, "The client cancelled the call.")
            self._put_status(stream, outflow.end)

    # What happens to the calls.

    def take(self, stream: Stream) -> bytes | None:
        """Returns the next request message that is there; the client may be granted others."""
        inflow = stream.inflow
        if not inflow.inbox:
            return None
        body = inflow.take()
        if not inflow.taken:
            return body
        limits = self.limits
        if not inflow.ended and (
            inflow.is_due(limits) or self._ungranted * 2 >= limits.session_buffer
        ):
            self._grant(stream)
        elif stream.id not in self._owed:
            # Less than that is granted when it has come together: a client that waits to send a
            # large message sends nothing else, so something must be. And where the client sends
            # no more on this stream, others wait for its bytes.
            self._owed[stream.id] = stream
            if len(self._owed) == 1:
                self._calls.owed()
        return body

    def grant_owed(self) -> None:
        """Grants anew what was taken some time ago."""
        owed, self._owed = self._owed, {}
        for stream in owed.values():
            if stream.inflow.taken and not stream.outflow.ended:
                self._grant(stream)

    def _grant(self, stream: Stream) -> None:
        inflow = stream.inflow
        before = inflow.size
        n = inflow.grant()
        self._ungranted -= before - inflow.size
        self.say(self._framing.credit(stream.id, n, inflow.seq))

    def headers(self, stream: Stream, metadata: Pairs) -> None:
        """Sends a stream's initial metadata."""
        outflow = stream.outflow
        if not outflow.ended:
            seq = self._number(outflow)
            self._put(stream, Waiting(self._framing.headers(stream.id, metadata, seq), seq))

    def send(self, stream: Stream, body: bytes) -> None:
        """Sends a reply message; nothing more is to be sent until it is `written`."""
        outflow = stream.outflow
        if outflow.ended:
            return
        if outflow.credit <= 0 or self.is_away:
            flows = [each.outflow for each in self.streams.values()]
            if refused := unheld(flows, len(body), self.limits, is_away=self.is_away):
                self._calls.stop(stream, refused)
                return
        seq = self._number(outflow)
        frame = self._framing.message(stream.id, body, seq)
        self._put(stream, Waiting(frame, seq, costs=True))

    def end(self, stream: Stream, end: End, *, drop: bool = False) -> None:
        """Sends a stream's status, once; what comes later is nobody's.

        Args:
            stream: The stream.
            end: Its status.
            drop: Whether the messages that still wait for credit are not to be sent.
        """
        outflow = stream.outflow
        if outflow.ended:
            return
        self._ungranted -= stream.inflow.size
        stream.inflow.clear()
        if drop:
            outflow.drop()
        outflow.end = end
        stream.call = None  # else the two would hold each other, with all that waits
        self._put_status(stream, end)

    def say(self, frame: bytes) -> None:
        """Sends a frame that is no stream's: before all others."""
        self._control.append(frame)

    # What is to be written.

    @property
    def has_output(self) -> bool:
        """Whether there may be something to be written."""
        return bool(self._ready or self._control)

    @property
    def idle(self) -> bool:
        """Whether there is no stream, and nothing to be written."""
        return not self.streams and not self._control

    def next(self) -> bytes | None:
        """Returns the frame to be written next, and counts it as written; None if there is none."""
        if self._control:
            return self._control.popleft()
        while self._ready:
            stream = self._ready.popleft()
            outflow = stream.outflow
            outflow.queued = False
            if outflow.sendable:
                return self._written(stream)
        return None

    # A session that comes back.

    def restore(self, seen: Mapping[int, int], granted: Mapping[int, int]) -> list[Resumed]:
        """Goes on after a cut: puts in what the client lacks, and drops the streams it has dropped.

        Args:
            seen: Of each stream that the client still has: the highest number it has got.
            granted: Of each: the messages it has ever granted.

        Returns:
            The streams that go on.
        """
        self._control.clear()
        self._ready.clear()
        self._kept = 0  # all of it is to be written again, or nobody's any more
        for stream in [each for each in self.streams.values() if not _goes_on(each, seen)]:
            self._calls.stop(stream, error("CANCELLED", "The client has left the call."))
            self.streams.pop(stream.id, None)
        self._control.clear()
        self._ready.clear()
        resumed = []
        for stream in list(self.streams.values()):
            outflow = stream.outflow
            outflow.queued = False
            outflow.rewind(seen[stream.id], granted.get(stream.id, 0))
            if outflow.over:
                del self.streams[stream.id]  # the client has its status
                continue
            resumed.append(Resumed(stream.id, stream.inflow.seq, stream.inflow.granted))
            self._queue(stream)
        return resumed

    def abandon(self) -> None:
        """Forgets all streams: there is nobody to tell."""
        for stream in self.streams.values():
            stream.forget()
        self.streams.clear()
        self._control.clear()
        self._ready.clear()

    # Within.

    def _known(self, id_: int) -> Stream | None:
        """Returns a stream, or None for one that has ended.

        Raises:
            FrameError: It was never opened.
        """
        stream = self.streams.get(id_)
        if stream is None and id_ > self.last_id:
            raise FrameError(f"the stream {id_} was never opened")
        return stream

    def _keep(self, outflow: Outflow, frame: Waiting) -> None:
        """Keeps what was written, as far as it may.

        The client names its own credit, so that bounds nothing; nor does it have to say what it
        has. A stream of which there is too much goes on, but is lost where the socket breaks.
        """
        outflow.keep(frame)
        self._kept += len(frame.frame)
        if self._kept > self.limits.session_buffer:
            largest = max((each.outflow for each in self.streams.values()), key=_kept_size)
            self._kept -= largest.kept_size
            largest.forget()

    def _number(self, outflow: Outflow) -> int:
        if not self.resumable:
            return 0
        outflow.seq += 1
        return outflow.seq

    def _put(self, stream: Stream, waiting: Waiting) -> None:
        stream.outflow.waiting.append(waiting)
        self._queue(stream)

    def _put_status(self, stream: Stream, end: End) -> None:
        seq = self._number(stream.outflow)
        frame = self._framing.status(stream.id, end, seq)
        if stream.id in self.streams:
            self._put(stream, Waiting(frame, seq, last=True))
        else:
            self.say(frame)

    def _queue(self, stream: Stream) -> None:
        outflow = stream.outflow
        if not outflow.queued and outflow.sendable:
            outflow.queued = True
            self._ready.append(stream)

    def _written(self, stream: Stream) -> bytes:
        outflow = stream.outflow
        frame = outflow.waiting.pop(0)
        if frame.costs:
            outflow.sent += 1
            if not outflow.automatic:
                outflow.credit -= 1
        if frame.seq:
            self._keep(outflow, frame)
        elif frame.last:
            del self.streams[stream.id]
        if outflow.waiting:
            self._queue(stream)
        elif not outflow.ended:
            self._calls.written(stream)
        return frame.frame


def _kept_size(outflow: Outflow) -> int:
    return outflow.kept_size


def _goes_on(stream: Stream, seen: Mapping[int, int]) -> bool:
    """Whether a client that comes back still has a stream, and what it lacks of it is kept."""
    return stream.id in seen and seen[stream.id] >= stream.outflow.forgotten
