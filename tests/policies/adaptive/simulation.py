"""A backend, its callers and the clock of both, as events in order: no time passes.

The backend works on `servers` calls at once, takes a time for each, and has the others wait, first
come first served. Callers come at random, whether or not they are served. One seed, one run.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random

from gateway.policies.adaptive.gradient import Gradient
from gateway.policies.adaptive.lines import Lines, Priority
from gateway.policies.adaptive.turns import Turns


class Clock:
    """The time, in seconds; it goes on only by what happens.

    Attributes:
        now: What it shows.
    """

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def __call__(self) -> float:
        return self.now

    def after(self, seconds: float, happens: Callable[[], None]) -> None:
        """Has something happen."""
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), happens))

    def run(self, seconds: float) -> None:
        """Lets so much time pass."""
        until = self.now + seconds
        while self._events and self._events[0][0] <= until:
            self.now, _, happens = heapq.heappop(self._events)
            happens()
        self.now = until


class Backend:
    """Servers with one queue before them.

    Attributes:
        servers: Calls that are worked on at once.
        slowness: How many times as long as usual they take.
    """

    def __init__(self, clock: Clock, servers: int) -> None:
        self.servers = servers
        self.slowness = 1.0
        self._clock = clock
        self._busy = 0
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()

    def call(self, seconds: float, done: Callable[[], None]) -> None:
        """Takes a call that needs so much work."""
        self._waiting.append((seconds, done))
        self._work()

    def _work(self) -> None:
        while self._waiting and self._busy < self.servers:
            seconds, done = self._waiting.popleft()
            self._busy += 1
            self._clock.after(seconds * self.slowness, lambda done=done: self._ended(done))

    def _ended(self, done: Callable[[], None]) -> None:
        self._busy -= 1
        self._work()
        done()


@dataclass
class Kind:
    """Calls of one kind.

    Attributes:
        rate: How many come in a second.
        seconds: What the backend works on each, on average.
        spread: 0 for always the same time, 1 for an exponential distribution, as queueing theory
            has it.
        answered: Their latencies at the backend, since `forget`.
        waits: What they waited before, of those that did.
        refused: How many were.
    """

    name: str
    rate: float
    seconds: float
    spread: float = 0.3
    priority: Priority = Priority.NORMAL
    answered: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    refused: int = 0

    def forget(self) -> None:
        """Begins to count anew."""
        self.answered, self.waits, self.refused = [], [], 0


class Gateway:
    """One process, with the calls of some kinds.

    Attributes:
        turns: Who may go.
        gradient: How many.
        most_waiting: Calls that waited at most.
    """

    def __init__(
        self,
        clock: Clock,
        backend: Backend,
        kinds: list[Kind],
        *,
        least: int = 1,
        most: int = 1000,
        queue: int = 100,
        seed: int = 1,
        phase: float = 0.0,
    ) -> None:
        self.gradient = Gradient(least, most, clock, phase=phase)
        self.turns = Turns(self.gradient, Lines(queue, 1.0), clock)
        self.most_waiting = 0
        self._clock = clock
        self._backend = backend
        self._random = Random(seed)
        for kind in kinds:
            self._next(kind)

    def _next(self, kind: Kind) -> None:
        # A kind that nobody asks for is looked at again later.
        wait = self._random.expovariate(kind.rate) if kind.rate else 0.1
        self._clock.after(wait, lambda: self._arrives(kind))

    def _arrives(self, kind: Kind) -> None:
        self._next(kind)
        if not kind.rate:
            return
        came = self._clock.now
        if self.turns.go():
            self._make(kind)
            return

        def woken(permitted: bool) -> None:
            if permitted:
                kind.waits.append(self._clock.now - came)
                self._make(kind)
            else:
                kind.refused += 1

        waiter = self.turns.wait(kind.priority, float("inf"), woken)
        if waiter is None:
            kind.refused += 1
            return
        self.most_waiting = max(self.most_waiting, self.turns.waiting)

        def expires() -> None:
            if self.turns.leave(waiter):
                kind.refused += 1

        self._clock.after(self.turns.left(waiter), expires)

    def _make(self, kind: Kind) -> None:
        began = self._clock.now
        noise = 1 - kind.spread + kind.spread * self._random.expovariate(1)

        def done() -> None:
            kind.answered.append(self._clock.now - began)
            self.turns.end(kind.name, began, dropped=False)

        self._backend.call(kind.seconds * noise, done)
