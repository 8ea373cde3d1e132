"""Numbers that keep the rules of `buf.validate` on them, those of durations and times included.

Those two are numbers of nanoseconds here. Rules in CEL are not looked at.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor

from gateway.mock.declared import Rules
from gateway.mock.dice import Dice

_TRIES: Final = 16
_NEAR: Final = 100  # how far from a bound that has no other beside it


@dataclass(frozen=True, slots=True)
class Range:
    """What a type can hold.

    Attributes:
        least: The least.
        most: The greatest.
        rounded: Rounds a number to one that the type has; None for integers.
    """

    least: float
    most: float
    rounded: Callable[[float], float] | None = None


def _single(number: float) -> float:
    (rounded,) = struct.unpack("<f", struct.pack("<f", number))
    return float(rounded)


_INT32: Final = Range(-(2**31), 2**31 - 1)
_INT64: Final = Range(-(2**63), 2**63 - 1)
_UINT32: Final = Range(0, 2**32 - 1)
_UINT64: Final = Range(0, 2**64 - 1)
_FLOAT: Final = Range(-(2.0**126), 2.0**126, _single)
_DOUBLE: Final = Range(-(2.0**1000), 2.0**1000, float)
DURATION: Final = Range(-315_576_000_000 * 10**9, 315_576_000_000 * 10**9)
TIMESTAMP: Final = Range(-62_135_596_800 * 10**9, 253_402_300_799 * 10**9)

RANGES: Final[dict[int, Range]] = {
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_SINT32: _INT32,
    FieldDescriptor.TYPE_SFIXED32: _INT32,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_SINT64: _INT64,
    FieldDescriptor.TYPE_SFIXED64: _INT64,
    FieldDescriptor.TYPE_UINT32: _UINT32,
    FieldDescriptor.TYPE_FIXED32: _UINT32,
    FieldDescriptor.TYPE_UINT64: _UINT64,
    FieldDescriptor.TYPE_FIXED64: _UINT64,
    FieldDescriptor.TYPE_FLOAT: _FLOAT,
    FieldDescriptor.TYPE_DOUBLE: _DOUBLE,
}
"""By type of a field."""


def same(value: Any) -> float:
    """Returns a number's own value."""
    return value  # type: ignore[no-any-return]  # rules hold numbers


def nanoseconds(value: Any) -> int:
    """Returns the value of a Duration or Timestamp."""
    return int(value.seconds * 10**9 + value.nanos)


def number(
    rules: Rules | None,
    wish: float,
    of: Range,
    dice: Dice,
    *,
    value: Callable[[Any], float] = same,
    also: Callable[[float], bool] = lambda _: True,
) -> float | None:
    """Returns a number that keeps rules; None where none was found.

    Args:
        rules: Those of its type, `Int32Rules` and the like; None for none.
        wish: What it would best be.
        of: What its type can hold.
        dice: Decides what is open.
        value: Returns the number that a value in the rules is.
        also: What must hold, too.
    """
    if rules is None:
        return (
            wish if also(wish) else next(filter(also, _spread(of.least, of.most, of, dice)), None)
        )
    if rules.HasField("const"):
        return _within(of, value(rules.const))
    barred = {value(each) for each in getattr(rules, "not_in", ())}
    bounds = _Bounds.of(rules, value)

    def keeps(given: float) -> bool:
        fits = _within(of, given) is not None and bounds.hold(given)
        return fits and given not in barred and also(given)

    if chosen := [value(each) for each in getattr(rules, "in", ())]:
        return _within(of, dice.pick([each for each in chosen if keeps(each)] or chosen))
    wishes: Iterable[float] = (*map(value, rules.example), wish)
    for given in wishes:
        if keeps(given):
            return given
    for least, most in bounds.spans(of):
        found = next(filter(keeps, _spread(least, most, of, dice)), None)
        if found is not None:
            return found
    return None


def _within(of: Range, given: float) -> float | None:
    """Returns a number that the type has; None for another. Floats have more than their range."""
    return given if of.rounded or of.least <= given <= of.most else None


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What a number must be above, and what it must be below; either of the two if they cross."""

    above: float | None
    below: float | None
    with_above: bool
    with_below: bool

    @classmethod
    def of(cls, rules: Rules, value: Callable[[Any], float]) -> _Bounds:
        above, below = rules.WhichOneof("greater_than"), rules.WhichOneof("less_than")
        return cls(
            value(getattr(rules, above)) if above in ("gt", "gte") else None,
            value(getattr(rules, below)) if below in ("lt", "lte") else None,
            above == "gte",
            below == "lte",
        )

    @property
    def crossed(self) -> bool:
        if self.above is None or self.below is None:
            return False
        return self.above > self.below or (
            self.above == self.below and not (self.with_above and self.with_below)
        )

    def hold(self, given: float) -> bool:
        if not math.isfinite(given):
            return False
        up = self.above is None or given > self.above or (self.with_above and given == self.above)
        down = self.below is None or given < self.below or (self.with_below and given == self.below)
        return (up or down) if self.crossed else (up and down)

    def spans(self, of: Range) -> Iterator[tuple[float, float]]:
        """Yields where numbers that keep them are, their ends included."""
        least, most = of.least, of.most
        if self.crossed:
            assert self.above is not None
            assert self.below is not None
            yield self.above, most
            yield least, self.below
            return
        yield (
            least if self.above is None else max(least, self.above),
            most if self.below is None else min(most, self.below),
        )


def _spread(least: float, most: float, of: Range, dice: Dice) -> Iterator[float]:
    """Yields numbers between two bounds, near the one that says more, and then next to both."""
    if least > most:
        return
    if of.rounded is None:
        low, high = math.ceil(least), math.floor(most)
        if low > high:
            return
        if high - low > _NEAR:
            low, high = (max(low, high - _NEAR), high) if low == of.least else (low, low + _NEAR)
            if low <= 1 <= high:
                low = 1
        for each in range(_TRIES):
            yield dice.of("try", each).between(low, high)
        yield from (low, low + 1, high, high - 1, math.ceil(least), math.floor(most))
        return
    low_f, high_f = least, most
    if high_f - low_f > _NEAR:
        low_f, high_f = (high_f - _NEAR, high_f) if least == of.least else (low_f, low_f + _NEAR)
    for each in range(_TRIES):
        exact = low_f + (high_f - low_f) * dice.of("try", each).share()
        yield of.rounded(round(exact, 2))
        yield of.rounded(exact)
    for bound, towards in ((low_f, math.inf), (high_f, -math.inf)):
        near = of.rounded(bound)
        yield near
        yield of.rounded(math.nextafter(near, towards))
        yield _next_single(near, towards)


def _next_single(near: float, towards: float) -> float:
    """Returns the next number of single precision."""
    step = abs(near) * 2.0**-23 or 2.0**-149
    return _single(near + math.copysign(step, towards))
