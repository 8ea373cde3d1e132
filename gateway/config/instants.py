"""Points in time as people write them (RFC 3339), as the seconds since 1970 that programs use."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic.json_schema import JsonSchemaValue

from gateway.config.leaf import Leaf, LeafError

_FORM: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_EXPECTED: Final = "a time with its zone such as 2027-06-30T12:00:00Z"


def parse_instant(text: str) -> float:
    """Returns the seconds since 1970.

    Raises:
        ValueError: It is no time, or has no zone.
    """
    if not _FORM.fullmatch(text):
        raise ValueError(_EXPECTED)
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError) as failure:  # a 30th of February
        raise ValueError(_EXPECTED) from failure


def format_instant(seconds: float) -> str:
    """Returns what `parse_instant` reads, in UTC and whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Instant(Leaf):
    """Seconds since 1970 as a `float`, written `2027-06-30T12:00:00Z`."""

    def read(self, value: object, directory: Path) -> float:  # noqa: ARG002  the leaf's interface
        """See `Leaf.read`."""
        try:
            return parse_instant(value if isinstance(value, str) else "")
        except ValueError as failure:
            raise LeafError(_EXPECTED) from failure

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "string", "format": "date-time"}

    def show(self, value: float) -> str:
        """See `Leaf.show`."""
        return format_instant(value)


@dataclass(frozen=True, slots=True)
class Day(Leaf):
    """The start of a day in UTC, in seconds since 1970 as a `float`, written `2027-06-30`."""

    def read(self, value: object, directory: Path) -> float:  # noqa: ARG002  the leaf's interface
        """See `Leaf.read`."""
        try:
            return parse_instant(f"{value}T00:00:00Z" if isinstance(value, str) else "")
        except ValueError as failure:
            raise LeafError("a date such as 2027-06-30") from failure

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "string", "format": "date"}

    def show(self, value: float) -> str:
        """See `Leaf.show`."""
        return format_instant(value).partition("T")[0]


INSTANT = Instant()
DAY = Day()
