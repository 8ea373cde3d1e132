"""A unary call on its way through the nodes of an upstream. No task, no future.

What a failure means, how long to wait and how much may be made again is decided beside this module;
here it is done. A call goes on
- elsewhere, where its server refused it unread: whatever the method, at once, once;
- to the next node, each once and a few in a row, where none saw it: whatever the method, at once;
- after a wait, where it failed and making it twice does no harm (`retries`);
- beside an attempt that is slow, or at once in the place of one that failed, where it changes
  nothing (`hedging`); the first good answer ends the others;
- elsewhere, where it changes nothing and its node was taken out, once.
All but the first is bounded by the upstream's budget and breaker, and ends with the deadline.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from gateway.call import Call, Deadline, Done, Reply, RpcError
from gateway.upstream.attempts.alarms import Alarm
from gateway.upstream.attempts.attempt import Attempt
from gateway.upstream.attempts.backoff import backoff
from gateway.upstream.attempts.further import further
from gateway.upstream.attempts.late import too_late
from gateway.upstream.attempts.pushback import NEVER, pushback_of
from gateway.upstream.attempts.reserve import reserve
from gateway.upstream.attempts.retryable import MOST_UNSEEN, NO_RETRIES, is_retryable
from gateway.upstream.channel import NotSentError, RefusedError
from gateway.upstream.channel.request import known, past_deadline
from gateway.upstream.manner import Manner, Repeats
from gateway.upstream.node import Cause, Node
from gateway.upstream.spec import HedgingSpec, RetrySpec

if TYPE_CHECKING:
    from gateway.upstream.upstream import Upstream


class _Purpose(Enum):
    """What an alarm is for."""

    HEDGE = "another attempt beside those that are slow"
    PUSHBACK = "another, when the backend wants to be asked again"
    RETRY = "another after a failure, which is paid for"


class UnaryAttempts:
    """One call, from `begin` until it has completed or is cancelled."""

    __slots__ = (
        "_alarm",
        "_call",
        "_done",
        "_failure",
        "_held",
        "_key",
        "_made",
        "_manner",
        "_moved",
        "_open",
        "_purpose",
        "_refused",
        "_running",
        "_sealed",
        "_tried",
        "_tries",
        "_unseen",
        "_upstream",
        "_waits",
    )

    def __init__(self, upstream: Upstream, manner: Manner, call: Call, done: Done) -> None:
        self._upstream = upstream
        self._manner = manner
        self._call = call
        self._done = done
        self._key = None if manner.key is None else manner.key(call)
        self._open = True
        self._running: list[Attempt] = []
        self._tried: tuple[Node, ...] = ()
        # Attempts that a backend may have seen; and those that the config bounds: the first one,
        # retries and hedges, each on however many nodes that did not see it.
        self._made = 0
        self._tries = 1
        # Nodes in a row that did not see it; and whether a server refused it unread.
        self._unseen = 0
        self._refused = False
        self._moved = False
        # Waits in a row that the backend did not ask for.
        self._waits = 0
        self._alarm: Alarm | None = None
        self._purpose = _Purpose.HEDGE  # the alarm's
        # Places at the breaker for attempts beyond the first.
        self._held = 0
        # Whether a backend asked not to be asked again.
        self._sealed = False
        self._failure: RpcError | None = None

    def begin(self) -> None:
        """Starts the call."""
        self._upstream.breaker.requests += 1
        try:
            self._begin()
        except Exception as failure:  # noqa: BLE001  a bug, which is logged
            self._broke(failure)

    def _begin(self) -> None:
        upstream = self._upstream
        now = upstream.clock()
        upstream.budget.called(now)
        node = upstream.pick(self._key, ())
        if node is None:
            self._finish(upstream.nobody())
            return
        self._send(node, now, again=False)
        if upstream.spec.hedging is not None and self._open:
            self._plan_hedge(now)

    def cancel(self) -> None:
        """Ends the call."""
        if self._open:
            self._leave(None)

    # What attempts tell (attempt.Owner).

    def ended(self, attempt: Attempt, result: Reply | RpcError) -> None:
        """See Owner."""
        try:
            self._ended(attempt, result)
        except Exception as failure:  # noqa: BLE001  a bug, which is logged
            self._broke(failure)

    def _ended(self, attempt: Attempt, result: Reply | RpcError) -> None:
        node = attempt.node
        self._running.remove(attempt)
        if isinstance(result, NotSentError):
            node.left()
            self._unsent(attempt, result)
            return
        if attempt.again:
            self._give_back()
        now = attempt.ended
        node.ended(result, now - attempt.began)
        if not self._open:  # the node was taken out for it, and another attempt of this call moved
            return
        if isinstance(result, Reply):
            node.answered(attempt.began, now)
            self._finish(result)
            return
        timed_out = False
        if attempt.seconds is not None and not self._is_over(now):
            timed_out = result.reason == "DEADLINE_EXCEEDED"
            result = too_late(result, attempt.seconds) if timed_out else result
        self._failed(result, now, timed_out=timed_out, unseen=False)

    def move(self, attempt: Attempt) -> None:
        """See Owner."""
        if self._moved or not attempt.started:
            return
        node = self._other()
        now = self._upstream.clock()
        if node is None or self._is_over(now) or not self._reserve(now):
            return
        self._moved = True
        self._running.remove(attempt)
        if attempt.again:
            self._give_back()
        attempt.give_up(now)
        self._upstream.counts.moved += 1
        self._send(node, now, again=True)

    # Attempts.

    def _send(self, node: Node, now: float, *, again: bool) -> None:
        """Gives the call to a node; with `again`, what was reserved for it is used."""
        upstream, call = self._upstream, self._call
        until = call.deadline
        if until is not None and until.at <= now:
            self._finish(past_deadline())
            return
        retries, repeats = upstream.spec.retries, self._manner.repeats
        seconds = None
        # What is not made again is better late than cut short.
        if retries is not None and retries.per_try_timeout is not None and repeats:
            at = now + retries.per_try_timeout
            if until is None or at < until.at:
                seconds, until = retries.per_try_timeout, Deadline(at)
        if seconds is not None or self._made:
            call = further(call, self._made, until)
        attempt = Attempt(self, node, now, again=again, seconds=seconds)
        self._running.append(attempt)
        self._tried = (*self._tried, node)
        self._made += 1
        upstream.counts.attempts += 1
        if repeats is Repeats.SAFE:
            node.movable.add(attempt)
        attempt.start(call)

    def _unsent(self, attempt: Attempt, failure: RpcError) -> None:
        """Goes on after an attempt that nobody saw, at no cost; else as after any that failed."""
        upstream = self._upstream
        self._made -= 1
        self._unseen += 1
        upstream.counts.unsent += 1
        now = upstream.clock()
        node = self._after_refusal() if isinstance(failure, RefusedError) else self._next()
        if node is not None:
            self._send(node, now, again=attempt.again)
            return
        if attempt.again:
            self._give_back()
        self._failed(failure, now, timed_out=False, unseen=not self._made)

    def _next(self) -> Node | None:
        """Returns who is asked after a node that was not."""
        if self._unseen >= MOST_UNSEEN:
            return None
        return self._upstream.pick(self._key, self._tried)

    def _after_refusal(self) -> Node | None:
        """Returns who is asked after a server that refused: the same, where there is no other.

        Servers refuse what is too much for them, so it is load: what comes of it beyond the first
        time is paid for (gRFC A6, "Transparent Retries").
        """
        if self._refused:
            return None
        self._refused = True
        pick = self._upstream.pick
        return pick(self._key, self._tried) or pick(self._key, ())

    def _failed(self, failure: RpcError, now: float, *, timed_out: bool, unseen: bool) -> None:
        """Goes on after an attempt that failed, or ends the call."""
        policy = self._upstream.spec.retries or NO_RETRIES
        repeats = self._manner.repeats
        may_repeat = unseen or repeats >= Repeats.IDEMPOTENT
        if not may_repeat or not is_retryable(
            failure, policy.on, timed_out=timed_out, uncommitted=repeats is Repeats.SAFE
        ):
            if failure.reason == "CIRCUIT_OPEN":  # of those that wait for a connection
                self._upstream.counts.refused += 1
            self._finish(failure)
            return
        self._failure = failure
        asked = pushback_of(failure.metadata)
        if asked == NEVER:
            self._sealed = True
            self._disarm()
        elif self._may_hedge():
            if asked is None:
                if self._hedge(now):
                    return
            else:
                self._disarm()
                if not self._is_over(now + asked):
                    self._arm(now + asked, _Purpose.PUSHBACK)
                    return
        if self._running:  # which may still answer
            return
        wait = self._wait(policy, asked)
        if wait is None or self._is_over(now + wait) or not self._reserve(now):
            self._finish(failure)
            return
        self._disarm()
        self._arm(now + wait, _Purpose.RETRY)

    def _wait(self, policy: RetrySpec, asked: float | None) -> float | None:
        """Returns the seconds until the next retry; None for no more."""
        if self._sealed or self._tries >= policy.attempts:
            return None
        if asked is not None:
            self._waits = 0
            return asked
        self._waits += 1
        return backoff(policy, self._waits, self._upstream.random)

    def _ring(self) -> None:
        """Makes the attempt whose time has come."""
        self._alarm = None
        try:
            now = self._upstream.clock()
            if self._purpose is _Purpose.RETRY:
                self._retry(now)
            elif not self._hedge(now) and not self._running and self._failure is not None:
                self._finish(self._failure)
        except Exception as failure:  # noqa: BLE001  a bug, which is logged
            self._broke(failure)

    def _retry(self, now: float) -> None:
        upstream = self._upstream
        self._unseen = 0
        node = self._other()
        if node is None:
            self._tried = ()
            node = upstream.pick(self._key, ())
        if node is None:
            self._finish(self._failure or upstream.nobody())
            return
        self._tries += 1
        upstream.counts.retries += 1
        self._send(node, now, again=True)

    # Hedges.

    def _may_hedge(self) -> bool:
        hedging = self._hedging()
        return hedging is not None and self._tries < hedging.attempts

    def _hedging(self) -> HedgingSpec | None:
        if self._sealed or self._manner.repeats is not Repeats.SAFE:
            return None
        return self._upstream.spec.hedging

    def _plan_hedge(self, now: float) -> None:
        hedging = self._hedging()
        if hedging is not None and self._may_hedge() and self._alarm is None:
            self._arm(now + hedging.delay, _Purpose.HEDGE)

    def _hedge(self, now: float) -> bool:
        """Makes an attempt on a node that had none; False where there is none, or no budget."""
        self._disarm()
        node = self._other()
        if node is None or not self._reserve(now):
            return False
        self._tries += 1
        self._upstream.counts.hedges += 1
        self._send(node, now, again=True)
        if self._open:
            self._plan_hedge(now)
        return True

    # What it needs.

    def _other(self) -> Node | None:
        """Returns a node that did not have the call, and is well.

        Where there is none, and in panic, one that was ejected and can be reached: it may do better
        than one that hangs. Never one that says itself that it is not well, or says nothing.
        """
        upstream = self._upstream
        node = upstream.pick(self._key, self._tried)
        if node is None or node.works:
            return node
        nodes = upstream.nodes.values()
        ill = (each for each in nodes if not each.works)
        well = upstream.pick(self._key, {*self._tried, *ill})
        if well is not None:
            return well
        lost = (each for each in nodes if each.broken or Cause.HEALTH in each.out)
        return upstream.pick(self._key, {*self._tried, *lost})

    def _is_over(self, at: float) -> bool:
        deadline = self._call.deadline
        return deadline is not None and deadline.at <= at

    def _reserve(self, now: float) -> bool:
        reserved = reserve(self._upstream, now, self._call.record)
        self._held += reserved
        return reserved

    def _give_back(self) -> None:
        self._held -= 1
        self._upstream.breaker.retries -= 1

    def _arm(self, at: float, purpose: _Purpose) -> None:
        self._purpose = purpose
        self._alarm = self._upstream.alarms.set(at, self._ring)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._upstream.alarms.turn_off(self._alarm)
            self._alarm = None

    # Its end.

    def _finish(self, result: Reply | RpcError) -> None:
        self._leave(self._upstream.clock() if self._running else None)
        self._done(result)

    def _broke(self, failure: Exception) -> None:
        """Ends the call that a bug would have lost, with all that it has."""
        if not self._open:  # what waited for it failed, and has the bug
            raise failure
        self._finish(known(failure, self._call))

    def _leave(self, outrun: float | None) -> None:
        """Lets go of all that it has.

        Args:
            outrun: Now, where attempts are under way and another was faster.
        """
        self._open = False
        self._disarm()
        breaker = self._upstream.breaker
        breaker.requests -= 1
        breaker.retries -= self._held
        self._held = 0
        running, self._running = self._running, []
        for attempt in running:
            attempt.give_up(outrun)
