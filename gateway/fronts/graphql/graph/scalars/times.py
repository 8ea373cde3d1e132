"""`DateTime` and `Duration`: google.protobuf.Timestamp and Duration, all nanoseconds kept.

Both are (seconds, nanoseconds) when read; ranges and signs are those of timestamp.proto and
duration.proto. Written fractions have 3, 6 or 9 digits, as ProtoJSON has them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol

from graphql import GraphQLError

from gateway.fronts.graphql.graph.scalars.literals import scalar

_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_DURATION = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # seconds of years 1 and 9999
_LONGEST = 315_576_000_000  # seconds of 10,000 years
_BILLION = 1_000_000_000


class Moment(Protocol):
    """What Timestamp and Duration have."""

    @property
    def seconds(self) -> int:
        """Whole seconds."""

    @property
    def nanos(self) -> int:
        """Nanoseconds beside them."""


def write_timestamp(value: Moment) -> str:
    """Returns RFC 3339 in UTC.

    Raises:
        GraphQLError: It is out of range: no such text exists.
    """
    seconds, nanos = value.seconds, value.nanos
    if not _FIRST <= seconds <= _LAST or not 0 <= nanos < _BILLION:
        raise GraphQLError("DateTime has no form for a time outside of the years 1 to 9999")
    days, rest = divmod(seconds, 86_400)
    return f"{_date(days)}T{_MINUTES[rest // 60]}:{_SIXTY[rest % 60]}{_fraction(nanos)}Z"


# Answers are full of times, and few days: what is the same in them is looked up.
_SIXTY = [f"{number:02}" for number in range(60)]
_MINUTES = [f"{hour}:{minute}" for hour in _SIXTY[:24] for minute in _SIXTY]


@lru_cache(4096)
def _date(days: int) -> str:
    """Returns the date so many days after 1970-01-01."""
    return (_EPOCH + timedelta(days=days)).date().isoformat()


def read_timestamp(value: Any) -> tuple[int, int]:
    """Reads RFC 3339, with any offset.

    Raises:
        GraphQLError: It is another value, or out of range.
    """
    match = _TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        moment, fraction, offset = match.groups()
        try:
            seconds = (datetime.fromisoformat(moment + offset) - _EPOCH) // timedelta(seconds=1)
        except (ValueError, OverflowError):  # the 30th of February; an offset of a day
            seconds = _LAST + 1
        if _FIRST <= seconds <= _LAST:
            return seconds, _nanos(fraction)
    raise GraphQLError("expected a time such as 2024-01-31T12:00:00.5Z (RFC 3339), years 1 to 9999")


def write_duration(value: Moment) -> str:
    """Returns seconds with their fraction: `-1.500s`.

    Raises:
        GraphQLError: It is out of range, or its signs differ.
    """
    seconds, nanos = value.seconds, value.nanos
    if abs(seconds) > _LONGEST or abs(nanos) >= _BILLION or seconds * nanos < 0:
        raise GraphQLError("Duration has no form for a value beyond 10,000 years")
    sign = "-" if seconds < 0 or nanos < 0 else ""
    return f"{sign}{abs(seconds)}{_fraction(abs(nanos))}s"


def read_duration(value: Any) -> tuple[int, int]:
    """Reads seconds with their fraction. Both numbers have the sign.

    Raises:
        GraphQLError: It is another value, or out of range.
    """
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        sign = -1 if match[1] else 1
        seconds, nanos = int(match[2]), _nanos(match[3])
        if seconds < _LONGEST or (seconds == _LONGEST and not nanos):
            return sign * seconds, sign * nanos
    raise GraphQLError("expected a duration in seconds such as 1.5s, at most 10,000 years")


def _nanos(fraction: str | None) -> int:
    return int(fraction.ljust(9, "0")) if fraction else 0


def _fraction(nanos: int) -> str:
    if not nanos:
        return ""
    digits = f".{nanos:09}"
    return digits[:4] if not nanos % 1_000_000 else digits[:7] if not nanos % 1000 else digits


DATE_TIME = scalar(
    "DateTime",
    write=write_timestamp,
    read=read_timestamp,
    about="A moment, to the nanosecond: RFC 3339, in UTC in answers, with any offset in arguments.",
    specification="https://www.rfc-editor.org/rfc/rfc3339",
)
DURATION = scalar(
    "Duration",
    write=write_duration,
    read=read_duration,
    about="A time span in seconds, to the nanosecond: `1.5s`, `-0.000000001s`.",
)
