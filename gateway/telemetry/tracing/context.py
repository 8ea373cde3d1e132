"""What callers say of the trace that their requests belong to (W3C Trace Context, Level 2).

Pure functions of header values. What is done with it is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

MOST_MEMBERS: Final = 32
"""Members of a `tracestate` (section 3.3.1.1); with more it is none."""

LONGEST_STATE: Final = 512
"""Characters of a `tracestate` that are kept with spans (section 3.3.1.5, the least to keep)."""

_LARGE: Final = 128  # characters of a member that is left out before others
_SAMPLED: Final = 0x01
_RANDOM: Final = 0x02

# Section 3.2: of version 00 these are all parts; later ones may have more, after another dash. A
# value that is longer than anybody needs is not looked at.
_PARENT: Final = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
    r"(-.{0,400})?",
    re.ASCII,
)

# Section 3.3.1.3. Its first level had keys of tenants, `tenant@system`, of other lengths: where a
# key has an @, both levels are held, so that nobody further on throws all members away.
_KEY: Final = (
    r"(?:[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
)
_MEMBER: Final = re.compile(
    _KEY + r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
_OWS: Final = " \t"


class Parent(NamedTuple):
    """What a `traceparent` says.

    Attributes:
        trace_id: 32 hexadecimal digits.
        span: The caller's span, 16 of them.
        sampled: Whether the caller may have recorded it.
        random: Whether the last 7 bytes of the trace's id are random.
    """

    trace_id: str
    span: str
    sampled: bool
    random: bool


def parent_of(value: str) -> Parent | None:
    """Returns what a `traceparent` says; None for one that is not valid (section 3.2).

    Of a later version, what this one knows is read.
    """
    found = _PARENT.fullmatch(value.strip(_OWS))
    if found is None:
        return None
    version, trace_id, span, flags, more = found.groups()
    if more is not None and version == "00":
        return None
    bits = int(flags, 16)
    return Parent(trace_id, span, bool(bits & _SAMPLED), bool(bits & _RANDOM))


def state_of(values: Sequence[str]) -> str:
    """Returns the valid `tracestate` that header fields make together; empty for none.

    One that is not valid is none at all (section 3.3).
    """
    members = [each.strip(_OWS) for value in values for each in value.split(",")]
    members = [each for each in members if each]
    if len(members) > MOST_MEMBERS or not all(map(_MEMBER.fullmatch, members)):
        return ""
    if len({each.partition("=")[0] for each in members}) < len(members):
        return ""
    return ",".join(members)


def shortened(state: str) -> str:
    """Returns as much of a `tracestate` as is kept: whole members (section 3.3.1.5)."""
    if len(state) <= LONGEST_STATE:
        return state
    members = [each for each in state.split(",") if len(each) <= _LARGE]
    while members and sum(map(len, members)) + len(members) - 1 > LONGEST_STATE:
        members.pop()
    return ",".join(members)
