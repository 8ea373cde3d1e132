"""The types of google.protobuf whose JSON is not an object of their fields, and how it is checked.

From the ProtoJSON specification, "Well-Known Types", and the comments of the protos themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

ANY = "google.protobuf.Any"
STRUCT = "google.protobuf.Struct"
LIST_VALUE = "google.protobuf.ListValue"
VALUE = "google.protobuf.Value"
NULL_VALUE = "google.protobuf.NullValue"  # an enum

WRAPPERS = frozenset(
    f"google.protobuf.{name}Value"
    for name in ("Bool", "Bytes", "Double", "Float", "Int32", "Int64", "String", "UInt32", "UInt64")
)

_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)
_DURATION = re.compile(r"-?([0-9]{1,12})(?:\.[0-9]{0,9})?s")
# duration.proto: 10,000 years.
_LONGEST_SECONDS = 315_576_000_000


def _is_timestamp(text: str) -> bool:
    """RFC 3339, from year 1 to 9999 in UTC (timestamp.proto)."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return False
    try:
        datetime.fromisoformat(match[1] + match[2]).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True


def _is_duration(text: str) -> bool:
    match = _DURATION.fullmatch(text)
    if match is None:
        return False
    seconds, fraction = int(match[1]), text.partition(".")[2].rstrip("s").rstrip("0")
    return seconds <= _LONGEST_SECONDS and not (seconds == _LONGEST_SECONDS and fraction)


def _is_field_mask(text: str) -> bool:
    return "_" not in text


# Types that are one string: whether it is right, and what is expected.
TEXTS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "google.protobuf.Timestamp": (
        _is_timestamp,
        "a timestamp such as 2024-01-31T12:00:00.5Z (RFC 3339)",
    ),
    "google.protobuf.Duration": (_is_duration, "a duration in seconds such as 1.5s"),
    "google.protobuf.FieldMask": (_is_field_mask, "paths in lowerCamelCase, joined by commas"),
}

# Types whose JSON is not an object of their fields; in an Any it stands under "value".
SPECIAL = frozenset({ANY, STRUCT, LIST_VALUE, VALUE, *WRAPPERS, *TEXTS})
