"""A node: one endpoint of an upstream at work, with its channel and what is known of how it does.

It counts and remembers. Who takes it out and brings it back (health, outliers, resolvers), and who
picks it (balancers), decides elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Final, Protocol

from gateway.call import Metadata, Reply, RpcError
from gateway.upstream.blame import FAULTS, PATIENCE, Blame, blame_of
from gateway.upstream.channel import AnsweredError, Channel, State
from gateway.upstream.endpoints import AnyEndpoint, Listing
from gateway.upstream.latency import Latency
from gateway.upstream.orca import LOAD_REPORT

_BROKEN: Final = frozenset({State.FAILING, State.CLOSED})
_SETTLED: Final = _BROKEN | {State.READY}

# One that still connects may be a black hole; an idle one connects when called.
_RANK: Final[Mapping[State, int]] = {
    State.READY: 0,
    State.IDLE: 0,
    State.CONNECTING: 1,
    State.FAILING: 2,
    State.CLOSED: 3,
}


class Cause(Enum):
    """Why a node takes no calls."""

    HEALTH = "unhealthy"
    OUTLIER = "ejected"
    LEAVING = "draining"


class Record(Protocol):
    """Takes note of how a node's calls end (`outliers`)."""

    def ended(self, blame: Blame, seconds: float) -> None:
        """Hears of an attempt's end.

        Args:
            blame: What it says of the endpoint.
            seconds: How long the attempt took.
        """

    def spoke(self) -> None:
        """Hears of an answer, or a part of one, to a call that goes on."""


class Movable(Protocol):
    """An attempt that can be made elsewhere, for it changes nothing."""

    def move(self) -> None:
        """Gives this attempt up, and makes another on another node."""


class Node:
    """One endpoint at work.

    Attributes:
        channel: Its connections.
        clock: The loop's, in seconds.
        listing: How it is listed now: weight, zone, priority.
        latency: Of its unary calls that were answered.
        pending: Attempts in flight.
        calls: Attempts so far.
        failures: Those of them that the endpoint is to blame for.
        began: When it joined, was brought back, or was reached after it had failed, last; on the
            loop's clock. Its share grows from there (slow start).
        since: When it last began or ceased to take calls, on the same clock; at first, `began`.
        ejections: How often it was left out for failures, so far.
        patience: How many seconds an attempt must have had for its deadline to say something of the
            endpoint.
        weight: The share it is to have now, next to the others'.
        reports: Whether the load reports of its backend are asked for.
        load: The last of them (`gateway.upstream.orca`), until somebody has read it.
        state: Of its channel.
        last: Which of READY, FAILING and CLOSED that came to last; None at first. One that connects
            stands between two of them.
        out: Why it takes no calls, each with a sentence for operators; empty where it does.
        record: Takes note of how calls end, where somebody watches; else None.
        movable: Attempts in flight that go elsewhere when it is taken out.
    """

    __slots__ = (
        "_changed",
        "began",
        "calls",
        "channel",
        "clock",
        "ejections",
        "failures",
        "last",
        "latency",
        "listing",
        "load",
        "movable",
        "out",
        "patience",
        "pending",
        "record",
        "reports",
        "since",
        "state",
        "weight",
    )

    def __init__(
        self,
        listing: Listing,
        channel: Channel,
        clock: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        """Makes a node.

        Args:
            listing: How it is listed.
            channel: Its connections.
            clock: The loop's, in seconds.
            changed: Told when it may be picked more or less than before.
        """
        self.channel = channel
        self.listing = listing
        self.latency = Latency()
        self.pending = 0
        self.calls = 0
        self.failures = 0
        self.clock = clock
        self.began = self.since = clock()
        self.ejections = 0
        self.patience = PATIENCE
        self.weight = float(listing.weight)
        self.reports = False
        self.load: bytes | None = None
        self.state = channel.state
        self.last = self.state if self.state in _SETTLED else None
        self.out: dict[Cause, str] = {}
        self.record: Record | None = None
        self.movable: set[Movable] = set()
        self._changed = changed

    def __repr__(self) -> str:
        why = "/".join(cause.value for cause in self.out) or self.state.value
        return f"Node({self.channel.address}, {why}, {self.pending} pending)"

    @property
    def endpoint(self) -> AnyEndpoint:
        """Its address."""
        return self.listing.endpoint

    @property
    def rank(self) -> int:
        """How likely its connection is to carry a call; less is better."""
        return _RANK[self.state]

    @property
    def broken(self) -> bool:
        """Whether nothing can be sent to it: it failed, and was not reached since."""
        return self.last in _BROKEN

    @property
    def out_for(self) -> tuple[tuple[str, str], ...]:
        """Why it takes no calls: each cause's name, with its sentence."""
        return tuple([(cause.value, why) for cause, why in self.out.items()]) if self.out else ()

    @property
    def works(self) -> bool:
        """Whether it can take calls: nobody took it out, and its connection is not broken."""
        return not self.out and not self.broken

    def heard(self, state: State) -> None:
        """Takes note of its channel's state."""
        if state is State.READY and self.last is State.FAILING:
            self._begin_anew()
        self.state = state
        if state in _SETTLED:
            self.last = state
        self._changed()

    def listed(self, listing: Listing) -> None:
        """Takes over how it is listed now."""
        if listing != self.listing:
            self.listing = listing
            self.weight = float(listing.weight)
            self._changed()

    def take_out(self, cause: Cause, why: str) -> None:
        """Has it take no more calls; those that can be made elsewhere go there, unless it drains.

        Args:
            cause: Who takes it out; that one can bring it back.
            why: A sentence for operators.
        """
        if not self.out:
            self.since = self.clock()
        self.out[cause] = why
        self._changed()
        if cause is not Cause.LEAVING:  # which leaves its calls the time to end
            move_all(self.movable)

    def bring_back(self, cause: Cause) -> None:
        """Has it take calls again, unless there is another cause."""
        if self.out.pop(cause, None) is not None:
            if not self.out:
                self._begin_anew()
                self.since = self.began
            self._changed()

    def _begin_anew(self) -> None:
        """Forgets how slow it was: it would be left alone for that long after it is well again."""
        self.began = self.clock()
        self.latency = Latency()

    def reported(self, trailers: Metadata) -> None:
        """Keeps the load report of an answer, if it has one."""
        load = trailers.get(LOAD_REPORT)
        if isinstance(load, bytes):
            self.load = load

    def started(self) -> None:
        """Counts an attempt in."""
        self.pending += 1
        self.calls += 1

    def left(self) -> None:
        """Counts an attempt out of which nothing is known: it was cancelled, or never sent."""
        self.pending -= 1

    def outrun(self, began: float, now: float) -> None:
        """Counts an attempt out that was given up, for another was faster or its node was well.

        Its answer would have taken longer still.
        """
        self.pending -= 1
        if began >= self.began:
            self.latency.outlasted(now - began, now)

    def answered(self, began: float, now: float) -> None:
        """Takes in when a unary answer was asked for, and had; not if the node began anew since."""
        if began >= self.began:
            self.latency.took(now - began, now)

    def ended(self, result: Reply | RpcError, seconds: float) -> None:
        """Counts a unary attempt out that the endpoint ended, or did not end in time.

        Args:
            result: How.
            seconds: How long the attempt took.
        """
        if isinstance(result, RpcError):
            blame = blame_of(result, seconds, self.patience)
            if blame in FAULTS and (now := self.clock()) - seconds >= self.began:
                self.latency.failed(seconds, now)
            trailers = result.metadata
        else:
            blame = Blame.ANSWERED
            trailers = result.trailers
        self._ended(blame, seconds, trailers)

    def stream_ended(
        self, result: Metadata | RpcError, seconds: float, *, answered: bool = False
    ) -> None:
        """Counts a stream out, likewise. How long it was says nothing of how fast the endpoint is.

        Args:
            result: How; trailers are of one that ended well.
            seconds: How long it was.
            answered: Whether the endpoint had begun to answer, as far as is known beside `result`.
        """
        if isinstance(result, RpcError):
            answered = answered or isinstance(result, AnsweredError)
            blame = blame_of(result, seconds, self.patience, answered=answered)
            self._ended(blame, seconds, result.metadata)
        else:
            self._ended(Blame.ANSWERED, seconds, result)

    def _ended(self, blame: Blame, seconds: float, trailers: Metadata) -> None:
        self.pending -= 1
        self.failures += blame in FAULTS
        if self.reports:
            self.reported(trailers)
        if self.record is not None:
            self.record.ended(blame, seconds)


def move_all(attempts: Iterable[Movable]) -> None:
    """Has attempts be made elsewhere."""
    for attempt in tuple(attempts):
        attempt.move()
