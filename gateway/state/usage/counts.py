"""What is counted of whom: the numbers of one caller's use of one method on one day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Final, NamedTuple, TypeAlias


class Caller(NamedTuple):
    """Who is told apart from others.

    Attributes:
        provider: Who says who it is; empty for callers that nobody knows, and OTHERS.
        subject: Who it is.
        plan: The plan that it had; empty for none.
    """

    provider: str
    subject: str
    plan: str


ANONYMOUS: Final = Caller("", "", "")
OTHERS: Final = Caller("", "others", "")
"""All that came when as many as may be were told apart already. No provider has an empty name."""


@dataclass(slots=True)
class Count:
    """Numbers that only grow.

    Attributes:
        calls: That ended.
        errors: Of these, that ended with another status than OK.
        request_messages: From clients.
        request_bytes: Of these, as serialized messages.
        reply_messages: To clients.
        reply_bytes: Of these, as serialized messages.
    """

    calls: int = 0
    errors: int = 0
    request_messages: int = 0
    request_bytes: int = 0
    reply_messages: int = 0
    reply_bytes: int = 0

    def numbers(self) -> tuple[int, ...]:
        """Returns them in the order of NUMBERS."""
        return (
            self.calls,
            self.errors,
            self.request_messages,
            self.request_bytes,
            self.reply_messages,
            self.reply_bytes,
        )

    def add(self, numbers: Sequence[int]) -> None:
        """Adds others, in the order of NUMBERS."""
        calls, errors, request_messages, request_bytes, reply_messages, reply_bytes = numbers
        self.calls += calls
        self.errors += errors
        self.request_messages += request_messages
        self.request_bytes += request_bytes
        self.reply_messages += reply_messages
        self.reply_bytes += reply_bytes


NUMBERS: Final = tuple(each.name for each in fields(Count))


class Key(NamedTuple):
    """What a count is of.

    Attributes:
        day: In UTC: `2026-11-21`.
        caller: Who called.
        method: Its full name.
    """

    day: str
    caller: Caller
    method: str


Counts: TypeAlias = "dict[Key, Count]"

Row: TypeAlias = "tuple[str | int, ...]"
"""A key and its count, flat: what JSON has."""


def rows_of(counts: Counts) -> list[Row]:
    """Returns counts as rows."""
    return [(key.day, *key.caller, key.method, *count.numbers()) for key, count in counts.items()]


def counts_of(rows: Iterable[Sequence[str | int]]) -> Counts:
    """Returns the counts of rows, those of one key as one."""
    found: Counts = {}
    for day, provider, subject, plan, method, *numbers in rows:
        key = Key(str(day), Caller(str(provider), str(subject), str(plan)), str(method))
        found.setdefault(key, Count()).add([int(each) for each in numbers])
    return found


def add(counts: Counts, more: Counts, rows: int | None = None) -> None:
    """Adds counts to others, which may take them over: they are not to be used any more.

    Args:
        counts: To these.
        more: These.
        rows: See `bounded`; None for any number.
    """
    for key, count in more.items():
        add_one(counts, key if rows is None else bounded(counts, key, rows), count)


def bounded(counts: Counts, key: Key, rows: int) -> Key:
    """Returns the key under which a count is kept, where there may be so many rows.

    Beyond, a caller that is new to a method is one of the OTHERS: one row more for each method.
    """
    if len(counts) < rows or key in counts or not key.caller.provider:
        return key
    return key._replace(caller=OTHERS)


def add_one(counts: Counts, key: Key, count: Count) -> None:
    """Adds one count to others, likewise."""
    known = counts.setdefault(key, count)
    if known is not count:
        known.add(count.numbers())
