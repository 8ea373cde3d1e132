"""How calls are counted: pure functions on three numbers and the time.

Each takes what is kept of a key and returns what became of an ask, and what is to be kept. Where
it is kept, by how many, and under which lock, is `limits.memory`'s concern.

The three numbers are `(a, b, c)`. `a` is always the time from which on they are worth nothing: a
key that has no numbers any more is as good as new. So a bounded store knows what it may forget.

    token bucket     a: when the bucket is full again (GCRA's theoretical arrival time)
    sliding window   a: when the window after this one ends; b: calls of the window before this
                     one; c: calls of this one
    fixed window     a: when the window ends; b: calls in it
    calendar         a: when the period ends, on the clock of `now`; b: calls in it; c: when it
                     ends, seconds since 1970, which is its name

Floats, and yet whole calls. What is there is rounded down to whole calls, once, after a hundredth
of one was added (`SLACK`). So a call is there a hundredth of its interval early, once, and never
two for one, as what is taken is counted in full. The hundredth must cover what floats lose: half
of the clock's last digit for each call of a burst, which is 6e-11 s after a machine's uptime of 12
days and 2e-9 s after a year. So numbers are exact as long as `burst` times the calls of a second
stays below 5 million; beyond, they are off by less than a part of 2e-9 times the calls of a second.

Clocks that jump. A process whose clock is a little behind another's goes on where that one was: it
never counts less. Numbers that reach further into the future than they can are from before a jump
back (or from a larger limit of the same key): they are cut to the most there can be, so that a
key is never shut out for longer than its period (a bucket: than it takes to fill, and
`LONGEST_PATIENCE`, which may have been reserved). A calendar that is set back over the end of a
period goes on in the later period until that would have ended.

Sources: ITU-T I.371, annex A (GCRA, virtual scheduling); the sliding window's counter as in "How we
built rate limiting capable of scaling to millions of domains" (Cloudflare, 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from gateway.policies.limits.ask import Algorithm, Ask, Numbers, Share

SLACK: Final = 0.01
"""The part of a call that may be missing for it to be there."""
LONGEST_PATIENCE: Final = 60.0
"""Seconds. More patience is taken for this much: what is reserved further ahead is an error."""

Kept: TypeAlias = tuple[float, float, float]
"""What is kept of a key: `(a, b, c)`; of a new one `NEW`."""
Step: TypeAlias = tuple[Share, Kept]
"""What became of an ask, and what is to be kept. Where nothing is taken of a key that is as good
as new, that is worth nothing either."""

NEW: Final[Kept] = (0.0, 0.0, 0.0)

_new: Final = tuple.__new__  # what a named tuple's class calls: without its function's time


def token_bucket(ask: Ask, now: float, _left: float, kept: Kept) -> Step:
    """Takes from a bucket of `burst` that fills at `limit` in a period.

    Args:
        ask: What is asked.
        now: Seconds.
        kept: When the bucket is full again; the others have no meaning.
    """
    numbers, cost = ask.numbers, ask.cost
    interval = numbers.period / numbers.limit
    full_at = kept[0] if kept[0] > now else now  # noqa: FURB136  a sixth of the time of max()
    there = int((now - full_at) / interval + numbers.burst + SLACK)
    if (cost or 1) > there:
        return _short_of_tokens(ask, now, full_at, there)
    full_at += cost * interval
    return _new(Share, (True, there - cost, full_at - now, 0.0, 0.0)), (full_at, 0.0, 0.0)


def _short_of_tokens(ask: Ask, now: float, full_at: float, there: int) -> Step:
    """Reserves what is asked if that may be waited for, else refuses it.

    Args:
        ask: For more tokens than there are.
        now: Seconds.
        full_at: When the bucket is full again.
        there: Tokens; below 0 where some are reserved.
    """
    numbers, cost = ask.numbers, ask.cost
    interval = numbers.period / numbers.limit
    whole = numbers.burst * interval
    need = cost or 1
    if full_at - now > whole + LONGEST_PATIENCE:
        full_at = now + whole
    missing = full_at + need * interval - whole - now
    if need > numbers.burst:  # never: by then it is at its best
        missing = full_at - now
    elif missing <= ask.patience and missing <= LONGEST_PATIENCE:
        full_at += cost * interval
        return Share(True, 0, full_at - now, wait=missing), (full_at, 0.0, 0.0)
    there = max(there, 0)
    if ask.dark:
        full_at += there * interval
        there = 0
    share = _new(Share, (False, there, full_at - now, missing, 0.0))
    return share, (full_at, 0.0, 0.0)


def sliding_window(ask: Ask, now: float, _left: float, kept: Kept) -> Step:
    """Takes from `limit` less the calls of this window, and of the one before by its overlap.

    Windows begin at multiples of their length. A refused call is not counted.

    Args:
        ask: What is asked.
        now: Seconds.
        kept: When the window after this one ends, the calls of the one before, and of this one.
    """
    numbers, taken = ask.numbers, ask.cost
    period = numbers.period
    until, earlier, used = kept
    if until <= now:
        until, earlier, used = (now // period + 2.0) * period, 0.0, 0.0
    elif until - now <= period:  # what was this window is the one before
        until, earlier, used = until + period, used, 0.0
    elif until - now > 2.0 * period:
        until = now + 2.0 * period
    left = until - period - now
    before = earlier * left / period  # as far as it overlaps with the last `period`
    there = int(numbers.limit - used - before + SLACK)
    allowed, retry_after = (taken or 1) <= there, 0.0
    if not allowed:
        retry_after = _fading(numbers, taken or 1, left, before, used)
        there = max(there, 0)
        taken = there if ask.dark else 0
    used += taken
    resets = until - now if used else left if before else 0.0
    share = _new(Share, (allowed, there - taken, resets, retry_after, 0.0))
    return share, (until, earlier, used) if used or earlier else NEW


def _fading(numbers: Numbers, need: int, left: float, before: float, used: float) -> float:
    """Returns the seconds until calls of the past have faded enough, which they have not yet.

    Args:
        numbers: The limit.
        need: Calls for which there is to be room.
        left: Seconds that are left of this window.
        before: Calls of the window before, as far as they count now; they fade until its end.
        used: Calls of this one; they fade in the next.
    """
    room = numbers.limit - need
    if room < 0:  # never: by then it is at its best
        return left + (numbers.period if used else 0.0)
    if used <= room:
        return left * (1.0 - (room - used) / before)
    return left + numbers.period * (1.0 - room / used)


def fixed_window(ask: Ask, now: float, _left: float, kept: Kept) -> Step:
    """Takes from `limit` in a window that began at a multiple of its length.

    Args:
        ask: What is asked.
        now: Seconds.
        kept: When the window ends, and the calls in it.
    """
    period = ask.numbers.period
    ends, used, _ = kept
    if ends <= now:
        return _count(ask, now, ((now // period + 1.0) * period, 0.0, 0.0))
    if ends - now > period:
        ends = now + period
    return _count(ask, now, (ends, used, 0.0))


def calendar(ask: Ask, now: float, left: float, kept: Kept) -> Step:
    """Takes from `limit` until `ask.ends`.

    Args:
        ask: What is asked.
        now: Seconds.
        left: Seconds until `ask.ends`, on the calendar's clock.
        kept: When the period ends, the calls in it, and its end as seconds since 1970.
    """
    ends, used, name = kept
    if name != ask.ends:
        if ends > now and name > ask.ends:  # the calendar was set back
            return _count(ask, now, kept)
        used = 0.0
    return _count(ask, now, (now + left if left > 0.0 else now, used, ask.ends))


def _count(ask: Ask, now: float, kept: Kept) -> Step:
    """Takes from `limit` less what was used.

    Args:
        ask: What is asked.
        now: Seconds.
        kept: When all is there again, what was used, and what is kept besides.
    """
    ends, used, name = kept
    taken, there = ask.cost, int(ask.numbers.limit - used)
    allowed = (taken or 1) <= there
    if not allowed:
        there = max(there, 0)  # the limit may have been larger
        taken = there if ask.dark else 0
    used += taken
    left = ends - now
    share = (allowed, there - taken, left if used else 0.0, 0.0 if allowed else left, 0.0)
    return _new(Share, share), (ends, used, name) if used else NEW


Counting: TypeAlias = tuple[Callable[[Ask, float, float, Kept], Step], int]
"""What an algorithm does (with the ask, the time, the seconds until the ask's `ends`, which only
calendars read, and what is kept), and how many of the three numbers it keeps: the first, the first
two, or all."""

COUNTING: Final[Mapping[Algorithm, Counting]] = {
    Algorithm.TOKEN_BUCKET: (token_bucket, 1),
    Algorithm.SLIDING_WINDOW: (sliding_window, 3),
    Algorithm.FIXED_WINDOW: (fixed_window, 2),
    Algorithm.CALENDAR: (calendar, 3),
}
