"""One attempt: a unary call given to one node, until that has ended it or it is given up."""

from __future__ import annotations

from typing import Protocol

from gateway.call import Call, Cancel, Code, Reply, RpcError
from gateway.record import AttemptRecord, CallRecord
from gateway.upstream.attempts.traced import traced
from gateway.upstream.channel import NotSentError
from gateway.upstream.node import Node


class Owner(Protocol):
    """Who has attempts: a call."""

    def ended(self, attempt: Attempt, result: Reply | RpcError) -> None:
        """Hears how one ended that was not given up."""

    def move(self, attempt: Attempt) -> None:
        """Hears that the node of one was taken out."""


class Attempt(AttemptRecord):
    """One attempt, which is its own record: what is noted of it is there once it has ended.

    Attributes:
        node: Who has it; unset once it has ended.
        began: When, on the loop's clock.
        ended: When the node ended it, likewise; unset of one that it has not.
        again: Whether it is one beyond the first of its call, and so counts at the breaker.
        seconds: How many it has, where its call has more; else None.
    """

    __slots__ = (
        "_cancel",
        "_owner",
        "_record",
        "again",
        "node",
        "seconds",
    )

    def __init__(  # not its record's, which takes down an end
        self, owner: Owner, node: Node, began: float, *, again: bool, seconds: float | None
    ) -> None:
        self.node = node
        self.began = began
        self.again = again
        self.seconds = seconds
        self.span = None
        self._owner: Owner | None = owner
        self._cancel: Cancel | None = None
        self._record: CallRecord | None = None

    @property
    def started(self) -> bool:
        """Whether it is the node's by now, and can be given up."""
        return self._cancel is not None

    def start(self, call: Call) -> None:
        """Gives the call to the node, which may end it before this returns."""
        node, record = self.node, call.record
        if record is not None:
            self._record = record
            record.tries(node.channel.address, self.began)
            if record.span is not None:
                call, self.span = traced(call, record)
        node.started()
        cancel = node.channel.start(call, self._over)
        if self._owner is not None:  # who has not heard of its end yet
            self._cancel = cancel

    def give_up(self, outrun: float | None) -> None:
        """Cancels the call at the node.

        Args:
            outrun: Now, where another attempt was faster; None where nobody wants an answer.
        """
        self._owner = None
        cancel, self._cancel = self._cancel, None
        if cancel is not None:
            cancel()
        node = self.node
        node.movable.discard(self)
        if self._record is not None:
            self.ended = node.clock()
            self._note(self._record, None)
        if outrun is None:
            node.left()
        else:
            node.outrun(self.began, outrun)
        del self.node  # as in `_over`

    def move(self) -> None:
        """See Movable."""
        if self._owner is not None:
            self._owner.move(self)

    def _over(self, result: Reply | RpcError) -> None:
        owner = self._owner
        if owner is None:  # it was given up
            return
        node = self.node
        # What the node made of it holds this, and what is noted of its call: let go, and none of
        # them waits for a garbage collector.
        self._cancel = self._owner = None
        self.ended = node.clock()
        # Before the node hears of it, which may take itself out and move what it has.
        node.movable.discard(self)
        if self._record is not None:
            self._note(self._record, result)
        owner.ended(self, result)
        del self.node  # what keeps the record for long is not to keep an endpoint that is gone

    def _note(self, record: CallRecord, result: Reply | RpcError | None) -> None:
        """Has the call's record take it down; None for one that was given up."""
        self._record = None
        node = self.node
        code: Code | None = None
        failure: RpcError | None = None
        seen = True
        if isinstance(result, Reply):
            code = Code.OK
        elif result is not None:
            code, failure = result.status.code, result
            seen = not isinstance(result, NotSentError)
        out = node.out_for if node.out else ()
        self.ends(record.upstream, node.channel.address, self.ended, code, failure, seen, out)
        record.tried(self)
