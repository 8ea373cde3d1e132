"""Asks one endpoint for its health: a Check at each interval, and a Watch beside it.

It decides when to ask; what the answers come to is a verdict's business. The Watch is begun when a
Check was answered, and again after a later one when it has ended: the later, the more often a
server has ended it soon, which has Checks come no more often. It is given up when the endpoint's
connections end, so that a server that waits for its calls to end does not wait for this one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final, TypeAlias

from gateway.call import Call, Cancel, Code, Deadline, Reply, RpcError
from gateway.upstream.channel import Channel, State
from gateway.upstream.health.messages import CHECK, Answer, Says, answer_of, request
from gateway.upstream.health.verdict import Health, Verdict
from gateway.upstream.health.watching import Watching
from gateway.upstream.later import Later, Timer
from gateway.upstream.spec import HealthSpec

_SPREAD: Final = 0.2
"""By what share an interval may be shorter or longer, so that gateways do not ask in step."""

_RESTS: Final = 5
"""How often the time doubles until a server that ends Watches soon is asked for another: from one
interval to 32."""

_ANSWERED: Final = frozenset({Says.WELL, Says.NOT_WELL, Says.UNIMPLEMENTED})


@dataclass(frozen=True, slots=True)
class Times:
    """Time and luck.

    Attributes:
        clock: The event loop's, in seconds.
        random: Returns a number in [0, 1).
        later: Calls a function after so many seconds.
    """

    clock: Callable[[], float]
    random: Callable[[], float]
    later: Later


Heard: TypeAlias = "Callable[[Answer, bool], None]"
"""Hears what an endpoint said (never an answer that says nothing), and whether it did so by itself.
What that comes to is in the verdict when it returns."""


class Probe:
    """Asks one endpoint, until it is stopped. To be made inside a running loop."""

    __slots__ = (
        "_asked",
        "_call",
        "_cancel",
        "_channel",
        "_ends",
        "_hastened",
        "_heard",
        "_spec",
        "_timer",
        "_times",
        "_verdict",
        "_watch",
        "_watch_at",
        "_watchable",
    )

    def __init__(
        self,
        channel: Channel,
        spec: HealthSpec,
        times: Times,
        verdict: Verdict,
        heard: Heard,
        *,
        first: float = 0.0,
    ) -> None:
        """Begins to ask.

        Args:
            channel: What leads to the endpoint.
            spec: How often it is asked, and what for.
            times: Time and luck.
            verdict: What is known of it.
            heard: Hears what it says.
            first: After how many seconds it is asked first.
        """
        self._channel = channel
        self._spec = spec
        self._times = times
        self._verdict = verdict
        self._heard = heard
        # The Check under way: a new object for each, None between two.
        self._call: Call | None = None
        self._cancel: Cancel | None = None
        self._watch: asyncio.Task[None] | None = None
        self._watchable = True
        # How many Watches in a row ended soon; when there may be another; when one had a Check come
        # early, last.
        self._ends = 0
        self._watch_at = self._hastened = -inf
        self._asked = False
        self._timer: Timer | None = times.later(first, self._check)

    def stop(self) -> asyncio.Task[None] | None:
        """Asks no more; returns the Watch that is ending, if there is one."""
        if self._timer is not None:
            self._timer.cancel()
        self._call = None
        if self._cancel is not None:
            self._cancel()
        return self._unwatch()

    def connection(self, state: State) -> asyncio.Task[None] | None:
        """Hears of the endpoint's connections; returns the Watch that is ending for it, if any."""
        if state is not State.READY:
            self._watchable = True  # what comes next may be another server
            return self._unwatch()
        if self._asked and (self._verdict.health is not Health.WELL or self._verdict.doubtful):
            self._hasten(0)
        return None

    def _unwatch(self) -> asyncio.Task[None] | None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
        return watch

    # Checks.

    def _check(self) -> None:
        self._timer = None
        self._asked = True
        deadline = Deadline(self._times.clock() + self._spec.timeout)
        call = Call(CHECK, request(self._spec.service), deadline=deadline)
        self._call = call

        def done(result: Reply | RpcError) -> None:
            if self._call is call:
                self._call = self._cancel = None
                self._checked(answer_of(result))

        cancel = self._channel.start(call, done)
        # It may have ended before its start returned.
        if self._call is call:
            self._cancel = cancel

    def _checked(self, answer: Answer) -> None:
        if answer.says is not Says.NOTHING:
            self._heard(answer, False)
        if self._worth_watching and answer.says in _ANSWERED:
            self._watch = asyncio.get_running_loop().create_task(self._watching())
        seconds = self._soon if self._verdict.doubtful else self._spec.interval
        self._timer = self._times.later(self._spread(seconds), self._check)

    @property
    def _worth_watching(self) -> bool:
        return (
            self._watch is None
            and self._watchable
            and self._times.clock() >= self._watch_at
            and self._channel.state is State.READY
        )

    @property
    def _soon(self) -> float:
        """After how many seconds to ask again where something is amiss."""
        return min(self._spec.interval, self._spec.timeout)

    def _hasten(self, seconds: float) -> None:
        """Has the next Check come within so many seconds, unless one is under way."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._times.later(seconds, self._check)

    def _spread(self, seconds: float) -> float:
        return seconds * (1 + _SPREAD * (2 * self._times.random() - 1))

    # Watches.

    async def _watching(self) -> None:
        watching = Watching(self._spec.service, self._said, self._times.later)
        began = self._times.clock()
        broke = False
        try:
            await self._channel.stream(watching)
        except RpcError as failure:
            broke = watching.spoke
            if failure.reason is None and failure.status.code is Code.UNIMPLEMENTED:
                self._watchable = False
        finally:
            watching.end()
        self._watch = None
        self._watched(began, broke=broke)

    def _watched(self, began: float, *, broke: bool) -> None:
        """Decides when to ask again, after a Watch that ended.

        Args:
            began: When it did.
            broke: Whether it went well at first, and then failed.
        """
        now, interval = self._times.clock(), self._spec.interval
        self._ends = 1 if now - began >= interval else self._ends + 1
        if self._ends > 1:
            self._watch_at = now + interval * 2 ** min(self._ends - 2, _RESTS)
        if broke and now - self._hastened >= interval:
            self._hastened = now
            self._hasten(self._spread(self._soon))

    def _said(self, answer: Answer) -> None:
        self._heard(answer, True)
