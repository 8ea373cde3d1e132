"""Reads the arguments of an operation, texts of a query: what is none is told what it may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.config.units import UnitError, format_duration, parse_duration
from gateway.operations.asking import NOT_ASKED_RIGHT, OperationError

LIMIT: Final = "limit"
AFTER: Final = "after"

_DIGITS: Final = 9  # of a number; more are none that anything here counts


def only(arguments: Mapping[str, str], *known: str) -> None:
    """Returns where all arguments are known ones.

    Raises:
        OperationError: One is not.
    """
    for name in arguments:
        if name not in known:
            there = f"there are: {', '.join(known)}" if known else "there are none"
            raise _wrong(f"There is no parameter {name!r}; {there}.")


def whole(arguments: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Returns a number from 0 to `most`.

    Raises:
        OperationError: It is none.
    """
    text = arguments.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > _DIGITS or int(text) > most:
        raise _wrong(f"{name}: expected a whole number from 0 to {most}.")
    return int(text)


def seconds(arguments: Mapping[str, str], name: str, default: float, most: float) -> float:
    """Returns a duration, such as `10m`, in seconds.

    Raises:
        OperationError: It is none, or is 0, or is longer than `most`.
    """
    text = arguments.get(name)
    if text is None:
        return default
    try:
        found = parse_duration(text)
    except UnitError:
        found = 0.0
    if not 0 < found <= most:
        raise _wrong(
            f"{name}: expected a duration such as 10m, of {format_duration(most)} at most."
        )
    return found


def one_of(arguments: Mapping[str, str], name: str, known: Sequence[str]) -> str | None:
    """Returns one of the texts that are known, or None where none is given.

    Raises:
        OperationError: It is another.
    """
    text = arguments.get(name)
    if text is not None and text not in known:
        raise _wrong(f"{name}: expected one of {', '.join(known)}.")
    return text


def part(
    rows: Sequence[Any], arguments: Mapping[str, str], usual: int, most: int
) -> dict[str, Any]:
    """Returns a part of rows that have an order: `limit` of them, after the first `after`.

    Returns:
        `count`, of all; `rows`; and, where there are more, `after`: what to ask for next.

    Raises:
        OperationError: A number is none.
    """
    limit = whole(arguments, LIMIT, usual, most)
    start = whole(arguments, AFTER, 0, 10**_DIGITS - 1)
    end = min(len(rows), start + limit)
    more = {AFTER: end} if start < end < len(rows) else {}
    return {"count": len(rows), "rows": list(rows[start:end]), **more}


def _wrong(text: str) -> OperationError:
    return OperationError(NOT_ASKED_RIGHT, text)
