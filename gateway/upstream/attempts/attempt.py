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


class Attempt:
    """One attempt.

    Attributes:
        node: Who has it.
        began: When, on the loop's clock.
        again: Whether it is one beyond the first of its call, and so counts at the breaker.
        seconds: How many it has, where its call has more; else None.
    """

    __slots__ = (
        "_cancel",
        "_owner",
        "_record",
        "_span",
        "_under_way",
        "again",
        "began",
        "node",
        "seconds",
    )

    def __init__(
        self, owner: Owner, node: Node, began: float, *, again: bool, seconds: float | None
    ) -> None:
        self.node = node
        self.began = began
        self.again = again
        self.seconds = seconds
        self._owner = owner
        self._cancel: Cancel | None = None
        self._under_way = True
        self._record: CallRecord | None = None
        self._span: str | None = None

    @property
    def started(self) -> bool:
        """Whether it is the node's by now, and can be given up."""
        return self._cancel is not None

    def start(self, call: Call) -> None:
        """Gives the call to the node, which may end it before this returns."""
        node, record = self.node, call.record
        if record is not None:
            self._record = record
            if record.span is not None:
                call, self._span = traced(call, record)
        node.started()
        cancel = node.channel.start(call, self._ended)
        if self._under_way:
            self._cancel = cancel

    def give_up(self, outrun: float | None) -> None:
        """Cancels the call at the node.

        Args:
            outrun: Now, where another attempt was faster; None where nobody wants an answer.
        """
        self._under_way = False
        cancel, self._cancel = self._cancel, None
        if cancel is not None:
            cancel()
        node = self.node
        node.movable.discard(self)
        if self._record is not None:
            self._note(self._record, None)
        if outrun is None:
            node.left()
        else:
            node.outrun(self.began, outrun)

    def move(self) -> None:
        """See Movable."""
        self._owner.move(self)

    def _ended(self, result: Reply | RpcError) -> None:
        self._under_way = False
        # What the node made of it holds this: let go, and neither waits for a garbage collector.
        self._cancel = None
        # Before the node hears of it, which may take itself out and move what it has.
        self.node.movable.discard(self)
        if self._record is not None:
            self._note(self._record, result)
        self._owner.ended(self, result)

    def _note(self, record: CallRecord, result: Reply | RpcError | None) -> None:
        """Takes down how it ended; None for one that was given up."""
        node = self.node
        failure = result if isinstance(result, RpcError) else None
        code = failure.status.code if failure else None if result is None else Code.OK
        record.tried(
            AttemptRecord(
                record.upstream,
                node.channel.address,
                self.began,
                node.clock(),
                code,
                failure,
                seen=not isinstance(result, NotSentError),
                span=self._span,
                out=node.out_for,
            )
        )
