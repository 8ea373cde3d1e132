"""Chooses which upstream takes a call: the first route that fits it, else a share of the calls.

A gate behind all that may refuse a call, whose work it saves, and before the cache, whose keys have
what it chooses in them: a reply of a canary is never another's. It only says so (`Call.upstream`);
`elsewhere` sends calls there.

Shares are taken one after the other, each of what those before it have left. By `hash_on`, a caller
is a point between 0 and 1, which another upstream sees elsewhere, and the share is what lies below
a mark. So a caller stays where it is, in all processes; a share that grows takes callers from the
others and gives nobody back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import isclose
from typing import Final, Protocol, TypeAlias
from urllib.parse import parse_qsl

from gateway.call import Call
from gateway.policies.hash_key import KeyOf

Point: TypeAlias = "Callable[[Call], float]"
"""Returns where a call lies between 0 and 1, 1 not included."""

_WHOLE: Final = 100.0  # percent
_BYTES: Final = 8  # of a digest that make a point
_BITS: Final = 53  # as many as a float has: all 64 could be rounded up to 1
_MOST_PARAMETERS: Final = 1_000  # of a query that is looked at


class Condition(Protocol):
    """A condition on calls (`gateway.policies.cel`)."""

    @property
    def text(self) -> str:
        """As it was written."""

    def allows(self, call: Call) -> bool:
        """Whether it is true of a call. Never raises."""


@dataclass(frozen=True, slots=True)
class Route:
    """Calls that go to an upstream. All that is given must fit.

    Attributes:
        upstream: Its name; empty for the service's own.
        headers: Values by lower-case names: one of the client's headers must be just so.
        query: Values by names: one of the parameters must be just so.
        when: What must be true.
    """

    upstream: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    when: Condition | None = None

    def fits(self, call: Call) -> bool:
        """Whether all that is given is so of a call. Who has sent no request fits no header."""
        head = call.head
        if self.headers or self.query:
            if head is None:
                return False
            if not all(value in head.headers.all(name) for name, value in self.headers.items()):
                return False
            if self.query and not self.query.items() <= _parameters(head.query):
                return False
        return self.when is None or self.when.allows(call)


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the calls that come so far.

    Attributes:
        upstream: Its name; empty for the service's own.
        mark: The share, from 0 to 1.
        point: Where a call lies: below the mark it goes there.
        percent: The share of all calls that no route fits.
    """

    upstream: str
    mark: float
    point: Point
    percent: float


def shares(parts: Iterable[tuple[str, float, Point]]) -> tuple[Share, ...]:
    """Returns shares, each as one of what those before it have left.

    Args:
        parts: Upstreams, their percents of all calls, and where calls lie for them.
    """
    left = _WHOLE
    made = []
    for upstream, percent, point in parts:
        if percent > 0:
            # What is left as a float may be a hair more than what is left of tenths.
            mark = 1.0 if percent >= left or isclose(percent, left) else percent / left
            made.append(Share(upstream, mark, point, percent))
            left -= percent
    return tuple(made)


def point_of(upstream: str, key: KeyOf, otherwise: Point) -> Point:
    """Returns what says where calls lie, by what they have in common.

    Args:
        upstream: For which: another one sees the same callers at other points.
        key: Returns what calls have in common that are to stay together.
        otherwise: Where calls lie that have nothing of the kind.
    """
    start = blake2b(f"{len(upstream)}:{upstream}".encode(), digest_size=_BYTES)
    scale = float(1 << _BITS)

    def point(call: Call) -> float:
        own = key(call)
        if own is None:
            return otherwise(call)
        digest = start.copy()
        digest.update(own)
        return (int.from_bytes(digest.digest(), "big") >> _BYTES * 8 - _BITS) / scale

    return point


def by_chance(random: Callable[[], float]) -> Point:
    """Returns what says where calls lie, each anew.

    Args:
        random: Returns a number in [0, 1).
    """

    def point(_: Call) -> float:
        return random()

    return point


class ChooseUpstream:
    """Chooses the upstream of a call (a Gate).

    Args:
        routes: Asked in order; the first that fits decides.
        shares: Asked in order where none does.
    """

    __slots__ = ("_routes", "_shares")

    def __init__(self, routes: Sequence[Route], shares: Sequence[Share]) -> None:
        self._routes = tuple(routes)
        self._shares = tuple(shares)

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        said = [f"{each.upstream or 'its own'} where {_said(each)}" for each in self._routes]
        said += [f"{each.percent:g} % to {each.upstream or 'its own'}" for each in self._shares]
        return f"Chooses the upstream: {'; '.join([*said, 'else its own'])}."

    def admit(self, call: Call) -> None:
        """Says where the call goes."""
        for route in self._routes:
            if route.fits(call):
                call.upstream = route.upstream
                return
        for share in self._shares:
            if share.point(call) < share.mark:
                call.upstream = share.upstream
                return


def _said(route: Route) -> str:
    said = [f"{name} is {value}" for name, value in route.headers.items()]
    said += [f"?{name}={value}" for name, value in route.query.items()]
    if route.when is not None:
        said.append(" ".join(route.when.text.split()))
    return " and ".join(said) or "it is called"


def _parameters(query: str | None) -> set[tuple[str, str]]:
    """Returns the parameters of a query; none of one that has too many."""
    if not query:
        return set()
    try:
        return set(parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS))
    except ValueError:
        return set()
