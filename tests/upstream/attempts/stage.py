"""An upstream whose endpoints do as the test says, call by call; time and luck by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gateway.call import Call, Code, Deadline, Metadata, Reply, RpcError, Status
from gateway.errors import error
from gateway.upstream.channel import AnsweredError, NotSentError, RefusedError, State
from gateway.upstream.manner import Manner, Repeats
from gateway.upstream.spec import BalancingSpec, RetrySpec
from tests.upstream.fakes import Clock, upstream_of

RETRIES = RetrySpec(base=0.1, most=0.3)
"""Waits of 0.1 s, 0.2 s, 0.3 s where luck is in the middle."""

SAFE, IDEMPOTENT, NEVER = (Manner(each) for each in reversed(Repeats))


def busy(code: Code = Code.UNAVAILABLE, pushback: str | None = None) -> RpcError:
    """What a backend says that has had the call, and nothing else of it (Trailers-Only)."""
    entries = () if pushback is None else (("grpc-retry-pushback-ms", pushback),)
    return RpcError(Status(code, "as the test says"), metadata=Metadata(entries))


def broken() -> RpcError:
    """What becomes of a call whose connection breaks."""
    return error("UPSTREAM_RESET", "The backend broke off before the call had ended.")


def unsent() -> NotSentError:
    """What becomes of a call that found no connection."""
    return NotSentError.of(error("UPSTREAM_UNAVAILABLE", "The backend cannot be reached."))


def refused() -> RefusedError:
    """What becomes of a call that a server has refused unread (REFUSED_STREAM)."""
    return RefusedError.of(error("UPSTREAM_UNAVAILABLE", "The backend refused to take the call."))


def late() -> RpcError:
    """What becomes of an attempt whose time is up."""
    return error("DEADLINE_EXCEEDED", "The call did not end before its deadline.")


def answered(failure: RpcError) -> AnsweredError:
    """The same, after the backend's initial metadata."""
    return AnsweredError.of(failure)


@dataclass(eq=False)
class Asked:
    """A call that an endpoint was given."""

    call: Call
    done: Any
    over: bool = False
    cancelled: bool = False

    def ends(self, result: Reply | RpcError) -> None:
        """Ends the call so."""
        assert not self.over, "an attempt ends once"
        self.over = True
        self.done(result)

    def expire(self) -> None:
        """Ends the call as channels do whose deadline has passed, if it still waits."""
        if not self.over:
            self.ends(late())

    def cancel(self) -> None:
        if not self.over:
            self.over = self.cancelled = True

    @property
    def previous(self) -> str | None:
        return self.call.metadata.text("grpc-previous-rpc-attempts")


class Endpoint:
    """A channel whose calls end as its script says, or when the test says so.

    Attributes:
        script: How the next calls end at once; those that come when it is empty wait.
        asked: The calls that it was given.
        clock: What ends calls at their deadlines; None where the test does.
    """

    def __init__(self, name: str) -> None:
        self.address = name
        self.state = State.READY
        self.script: list[Reply | RpcError] = []
        self.always: Reply | RpcError | None = None
        self.asked: list[Asked] = []
        self.heard: Any = None
        self.clock: Clock | None = None

    @property
    def waiting(self) -> list[Asked]:
        return [each for each in self.asked if not each.over]

    @property
    def pending(self) -> int:
        return len(self.waiting)

    def become(self, state: State) -> None:
        self.state = state
        self.heard(state)

    def start(self, call: Call, done: Any) -> Any:
        asked = Asked(call, done)
        self.asked.append(asked)
        if self.script:
            asked.ends(self.script.pop(0))
        elif self.always is not None:
            asked.ends(self.always)
        if self.clock is not None and call.deadline is not None:
            self.clock.call_at(call.deadline.at, asked.expire)
        return asked.cancel

    async def close(self, grace: float) -> None:
        self.always = error("DRAINING", "The gateway has closed its connections to the backend.")
        for asked in self.waiting:
            asked.ends(self.always)


@dataclass(eq=False)
class Caller:
    """Who has made a call, and hears of its end: once, and never after it has cancelled."""

    cancel: Any = None
    heard: list[Reply | RpcError] = field(default_factory=list)
    gone: bool = False

    def done(self, result: Reply | RpcError) -> None:
        assert not self.heard, "a call completes once"
        assert not self.gone, "nobody waits for it"
        self.heard.append(result)

    def leave(self) -> None:
        self.gone = True
        self.cancel()

    @property
    def result(self) -> Reply | RpcError:
        (result,) = self.heard
        return result


class Stage:
    """An upstream with so many endpoints, asked in turn, unless the test says otherwise."""

    def __init__(self, endpoints: int = 3, random: Any = lambda: 0.5, **spec: Any) -> None:
        self.clock = Clock()
        self.endpoints = [Endpoint(name) for name in "abcdefgh"[:endpoints]]
        spec = {"balancing": BalancingSpec("round_robin")} | spec
        self.upstream = upstream_of(*self.endpoints, clock=self.clock, random=random, **spec)

    @property
    def counts(self) -> Any:
        return self.upstream.counts

    def call(self, manner: Manner = SAFE, seconds: float | None = None, **call: Any) -> Caller:
        """Makes a call, with so many seconds until its deadline."""
        if seconds is not None:
            call["deadline"] = Deadline(self.clock.now + seconds)
        caller = Caller()
        caller.cancel = self.upstream.taking(manner).start(Call("m", **call), caller.done)
        return caller

    def asked(self) -> list[Asked]:
        """All calls that endpoints were given, those of the first endpoint first."""
        return [asked for endpoint in self.endpoints for asked in endpoint.asked]

    def who(self) -> str:
        """Which endpoints were given calls: `aab`."""
        return "".join(each.address * len(each.asked) for each in self.endpoints)

    def assert_nothing_is_left(self) -> None:
        """Of calls that have ended nothing remains: no count, no attempt, no alarm."""
        upstream = self.upstream
        assert (upstream.breaker.requests, upstream.breaker.retries) == (0, 0)
        assert len(upstream.alarms) == 0
        for node in upstream.nodes.values():
            assert (node.pending, node.movable) == (0, set())
        assert not [each for each in self.asked() if not each.over]
