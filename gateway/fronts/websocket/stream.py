"""One stream of a session: what is on its way in either direction, and what may follow it.

`Inflow` is the client's side: request messages that wait for the backend, and what the client may
send before it is granted more. `Outflow` is the server's: frames that wait to be written, and those
that are kept until the client has them. Both only count; what follows from it is the `Session`'s.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from gateway.fronts.websocket.frames import MOST_CREDIT, End
from gateway.fronts.websocket.limits import Limits
from gateway.fronts.websocket.run import Run
from gateway.record import RequestRecord

AUTOMATIC: Final = 64
"""The credit of a client that names none."""


class Waiting(NamedTuple):
    """A frame that is to be written, or was and is kept.

    Attributes:
        frame: Its bytes.
        seq: Its number; 0 where frames are not numbered.
        costs: Whether it takes one of the credit: a message that was not written before.
        last: Whether it is the stream's status.
    """

    frame: bytes
    seq: int
    costs: bool = False
    last: bool = False


class Inflow:
    """Request messages, from the client to the backend.

    Attributes:
        allowed: Messages that the client may still send.
        granted: Messages that it was ever granted.
        seq: The highest number that has arrived.
        inbox: Messages that the backend has not taken.
        ended: Whether no more come.
        taken: Messages that were taken and are not granted anew.
        size: Bytes of the messages that are not granted anew.
    """

    __slots__ = ("_free", "_sizes", "allowed", "ended", "granted", "inbox", "seq", "size", "taken")

    def __init__(self, credit: int) -> None:
        self.allowed = credit
        self.granted = credit
        self.seq = 0
        self.inbox: list[bytes] = []
        self.ended = False
        self.taken = 0
        self.size = 0
        self._sizes: list[int] = []
        self._free = 0  # messages in the inbox that cost nothing

    def put_first(self, body: bytes) -> None:
        """Takes in the message that came with `open`, which is free."""
        self.inbox.append(body)
        self._free = 1

    def put(self, body: bytes) -> None:
        """Takes in a message."""
        self.inbox.append(body)
        self.allowed -= 1
        self._sizes.append(len(body))
        self.size += len(body)

    def take(self) -> bytes:
        """Takes out the oldest message."""
        body = self.inbox.pop(0)
        if self._free:
            self._free = 0
        else:
            self.taken += 1
        return body

    def is_due(self, limits: Limits) -> bool:
        """Whether what was taken is to be granted anew at once: it is half of what may be sent."""
        return self.taken * 2 >= limits.credit or self.size * 2 >= limits.buffer

    def grant(self) -> int:
        """Grants anew what was taken; returns the number of messages."""
        n, self.taken = self.taken, 0
        self.size -= sum(self._sizes[:n])
        del self._sizes[:n]
        self.allowed += n
        self.granted += n
        return n

    def clear(self) -> None:
        """Forgets what nobody will take."""
        self.inbox.clear()
        self._sizes.clear()
        self.size = 0


class Outflow:
    """Frames from the server to the client.

    Attributes:
        credit: Messages that may be written.
        automatic: Whether each written message is granted anew at once.
        seq: The number of the last frame, where frames are numbered.
        waiting: What is to be written, in order.
        kept: What was written and has not been acknowledged, in order.
        kept_size: Bytes of it.
        forgotten: The highest number that is kept no more though it was not acknowledged.
        sent: Messages that were ever written.
        end: The status, once it stands in `waiting`, or was written.
        queued: Whether the stream stands in the session's queue.
    """

    __slots__ = (
        "automatic",
        "credit",
        "end",
        "forgotten",
        "kept",
        "kept_size",
        "queued",
        "sent",
        "seq",
        "waiting",
    )

    def __init__(self, credit: int, *, automatic: bool) -> None:
        self.credit = credit
        self.automatic = automatic
        self.seq = 0
        self.waiting: list[Waiting] = []
        self.kept: deque[Waiting] = deque()
        self.kept_size = 0
        self.forgotten = 0
        self.sent = 0
        self.end: End | None = None
        self.queued = False

    @property
    def ended(self) -> bool:
        """Whether nothing more is put into `waiting`."""
        return self.end is not None

    @property
    def over(self) -> bool:
        """Whether it has ended, and the client is known to have all of it."""
        return self.end is not None and not self.waiting and not self.kept

    @property
    def waiting_size(self) -> int:
        """The bytes that wait to be written."""
        return sum(len(each.frame) for each in self.waiting)

    @property
    def held(self) -> int:
        """The bytes that wait for the client's grant."""
        return 0 if self.credit > 0 else self.waiting_size

    @property
    def sendable(self) -> bool:
        """Whether the next frame may be written."""
        waiting = self.waiting
        return bool(waiting) and (self.credit > 0 or not waiting[0].costs)

    def grant(self, n: int) -> None:
        """Takes a grant of the client's."""
        self.credit = min(self.credit + n, MOST_CREDIT)

    def keep(self, written: Waiting) -> None:
        """Keeps a frame until the client has it."""
        self.kept.append(written)
        self.kept_size += len(written.frame)

    def drop(self) -> bool:
        """Forgets the messages that were never written, and a status behind them.

        Their numbers are given again: one that the client never gets would look like a loss.

        Returns:
            Whether there were any.
        """
        waiting = self.waiting
        first = next((at for at, each in enumerate(waiting) if each.costs), None)
        if first is None:
            return False
        if self.seq:
            self.seq -= len(waiting) - first
        del waiting[first:]
        return True

    def acknowledge(self, seq: int) -> None:
        """Drops the frames that the client has."""
        kept = self.kept
        while kept and kept[0].seq <= seq:
            self.kept_size -= len(kept.popleft().frame)

    def forget(self) -> None:
        """Keeps nothing of what was written: without it a client can't come back to the stream."""
        self.forgotten = self.kept[-1].seq
        self.kept.clear()
        self.kept_size = 0

    def rewind(self, seq: int, granted: int) -> None:
        """Puts what the client does not have before what is to be written.

        Args:
            seq: The highest number that the client has.
            granted: Messages that it has ever granted.
        """
        self.acknowledge(seq)
        self.waiting[:0] = [each._replace(costs=False) for each in self.kept]
        self.kept.clear()
        self.kept_size = 0
        self.credit = max(0, min(granted - self.sent, MOST_CREDIT))


class Stream:
    """One stream.

    Attributes:
        id: Its number.
        inflow: What comes from the client.
        outflow: What goes to it.
        call: Its call, once it was begun.
        record: What is noted of it; None for nothing.
    """

    __slots__ = ("call", "id", "inflow", "outflow", "record")

    def __init__(self, id_: int, inflow: Inflow, outflow: Outflow) -> None:
        self.id = id_
        self.inflow = inflow
        self.outflow = outflow
        self.call: Run | None = None
        self.record: RequestRecord | None = None

    def forget(self) -> None:
        """Lets go of everything: it is nobody's any more."""
        self.call = None
        self.inflow.clear()
        self.outflow.waiting.clear()
        self.outflow.kept.clear()
