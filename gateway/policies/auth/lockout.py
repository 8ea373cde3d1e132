"""Who guesses passwords is made to wait, longer and longer; who knows theirs is not.

Failed tries are counted in three ways, each with its own bound:

- of a name from an address: ten in five minutes. This stops who guesses one password;
- of an address, whatever the names: fifty. This stops who tries one password with many names;
- of a name, from all addresses: a hundred. This slows down a guess that many addresses share.

Whoever exceeds one is locked out for a minute, the next time for two, up to fifteen; an hour of
quiet makes that good. A lock answers alike whether the name exists, and no password is looked at
while it lasts, not even the right one. What is still being looked at counts against the bound, so
a burst of guesses gets no further than a row of them.

The last two bounds would let others lock a user out. They do not hold for a name from an address
from which it was right before: there only the first one counts, and only that address can exceed
it. An IPv6 address stands for its /64 (`site.site_of`).

Who goes on trying while locked out learns nothing by it, unless what was found out before is still
in use: `insists` says when that has to end, for that name at that address.

All tables are bounded, and what was touched least recently is forgotten first. To have something
forgotten takes as many failed tries as a table has places, each of which has cost a slow hash. Each
process counts for itself, so with several workers all bounds are that much wider.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from gateway.errors import error
from gateway.policies.site import site_of

_K = TypeVar("_K", bound=Hashable)

_PLACES: Final = 16_384  # of each table; 270 bytes each, and the name
_INSISTENT: Final = 100  # tries during a lock
_BUSY: Final = 1.0  # seconds after which to try again, where all that is left is being looked at


@dataclass(frozen=True, slots=True)
class Bound:
    """How often somebody may fail, and what becomes of it.

    Attributes:
        failures: The last of so many locks.
        within: Seconds in which they must come.
        lock: Seconds of the first lock; each further one is twice as long.
        longest: Seconds of the longest.
        forget: Seconds of quiet after which locks begin anew.
    """

    failures: int
    within: float = 300.0
    lock: float = 60.0
    longest: float = 900.0
    forget: float = 3600.0


NAME_FROM_ADDRESS: Final = Bound(10)
ADDRESS: Final = Bound(50)
NAME: Final = Bound(100)


@dataclass(slots=True)
class _Count:
    """The failures of somebody, and what is being looked at."""

    since: float
    last: float
    failures: int = 0
    pending: int = 0
    locks: int = 0
    until: float = 0.0
    refused: int = 0


class _Counts(Generic[_K]):
    """Who has failed how often, by one bound."""

    __slots__ = ("_bound", "_clock", "_counts", "_most")

    def __init__(self, bound: Bound, clock: Callable[[], float], most: int) -> None:
        self._bound = bound
        self._clock = clock
        self._most = most
        self._counts: OrderedDict[_K, _Count] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def wait(self, key: _K) -> float:
        """Returns the seconds until somebody may try; 0 for now."""
        count = self._counts.get(key)
        if count is None:
            return 0.0
        now = self._clock()
        if count.until > now:
            return count.until - now
        self._age(count, now)
        return _BUSY if count.failures + count.pending >= self._bound.failures else 0.0

    def refuse(self, key: _K) -> int:
        """Counts who tries while locked out, and returns how often that was so far."""
        count = self._counts.get(key)
        if count is None:
            return 0
        count.refused += 1
        return count.refused

    def begin(self, key: _K) -> None:
        """Counts what is being looked at."""
        now = self._clock()
        count = self._counts.setdefault(key, _Count(since=now, last=now))
        count.pending += 1
        self._counts.move_to_end(key)
        if len(self._counts) > self._most:
            self._counts.popitem(last=False)

    def end(self, key: _K, *, failed: bool) -> None:
        """Counts what was looked at."""
        count = self._counts.get(key)
        if count is None:  # forgotten meanwhile
            return
        count.pending = max(0, count.pending - 1)
        if failed:
            self._fail(count)
        elif not (count.pending or count.failures or count.locks):
            del self._counts[key]

    def forgive(self, key: _K) -> None:
        """Forgets somebody."""
        self._counts.pop(key, None)

    def _fail(self, count: _Count) -> None:
        now, bound = self._clock(), self._bound
        self._age(count, now)
        count.failures += 1
        count.last = now
        if count.failures >= bound.failures:
            count.until = now + min(bound.lock * 2**count.locks, bound.longest)
            # Beyond the longest, more would only make the power above large.
            count.locks = min(count.locks + 1, 16)
            count.failures, count.refused, count.since = 0, 0, now

    def _age(self, count: _Count, now: float) -> None:
        if now - count.since > self._bound.within:
            count.failures, count.since = 0, now
        if now - count.last > self._bound.forget:
            count.locks = 0


class Try:
    """One look at a password, for which somebody was let through. To be ended once."""

    __slots__ = ("_lockout", "familiar", "name", "site")

    def __init__(self, lockout: Lockout, name: str, site: str, *, familiar: bool) -> None:
        self._lockout = lockout
        self.name = name
        self.site = site
        self.familiar = familiar

    def right(self) -> None:
        """It was the right one."""
        self._lockout.end(self, failed=False)
        self._lockout.trust(self)

    def wrong(self) -> None:
        """It was not."""
        self._lockout.end(self, failed=True)

    def given_up(self) -> None:
        """Nobody knows: it was not looked at in the end."""
        self._lockout.end(self, failed=False)


class Lockout:
    """Who may try a password now.

    Args:
        clock: Seconds, on a clock that never goes back.
        most: Entries of each table.
    """

    def __init__(self, clock: Callable[[], float], most: int = _PLACES) -> None:
        self._both: _Counts[tuple[str, str]] = _Counts(NAME_FROM_ADDRESS, clock, most)
        self._sites: _Counts[str] = _Counts(ADDRESS, clock, most)
        self._names: _Counts[str] = _Counts(NAME, clock, most)
        self._familiar: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._most = most

    def begin(self, name: str, address: str) -> Try:
        """Lets somebody through.

        Args:
            name: Who they say they are.
            address: Where they are.

        Raises:
            RpcError: LOCKED_OUT, with the seconds until another try.
        """
        site = site_of(address)
        familiar = (name, site) in self._familiar
        wait = self._both.wait((name, site))
        if not familiar:
            wait = max(wait, self._sites.wait(site), self._names.wait(name))
        if wait:
            raise error(
                "LOCKED_OUT",
                "Too many tries with wrong credentials; try again later.",
                retry_after=wait,
            )
        self._both.begin((name, site))
        if not familiar:
            self._sites.begin(site)
            self._names.begin(name)
        return Try(self, name, site, familiar=familiar)

    def insists(self, name: str, address: str) -> bool:
        """Counts a try that was refused, and returns whether it is one of very many.

        True once in a hundred: with each hundred, what is known of that name at that address should
        be forgotten, for it answers guesses that the lock does not.
        """
        tries = self._both.refuse((name, site_of(address)))
        return tries > 0 and tries % _INSISTENT == 0

    def end(self, one: Try, *, failed: bool) -> None:
        """Counts how a try ended; for `Try` to call."""
        self._both.end((one.name, one.site), failed=failed)
        if not one.familiar:
            self._sites.end(one.site, failed=failed)
            self._names.end(one.name, failed=failed)

    def trust(self, one: Try) -> None:
        """Remembers from where a name was right; for `Try` to call."""
        key = (one.name, one.site)
        self._both.forgive(key)
        self._familiar[key] = None
        self._familiar.move_to_end(key)
        if len(self._familiar) > self._most:
            self._familiar.popitem(last=False)
