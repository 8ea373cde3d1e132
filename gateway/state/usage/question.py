"""What can be asked of usage: a day or a month, and by what it is told apart; and the answer.

An answer is made of what JSON has, since it passes between processes:
`{"period": "2026-11", "by": ["plan"], "rows": [{"plan": "free", "calls": 3, …}]}`.
"""

from __future__ import annotations

import re
import time
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from gateway.state.usage.counts import NUMBERS, Count, Counts, Key
from gateway.state.usage.ledger import day_of

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "principal": ("provider", "subject"),
    "plan": ("plan",),
    "method": ("method",),
}
"""By what usage can be told apart, and the columns that say so."""

_VALUES: Final[Mapping[str, Callable[[Key], str]]] = {
    "provider": lambda key: key.caller.provider,
    "subject": lambda key: key.caller.subject,
    "plan": lambda key: key.caller.plan,
    "method": lambda key: key.method,
}
_WORDS: Final = ("today", "month")
_PERIOD: Final = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?")
_MONTH: Final = len("2026-11")

Answer = dict[str, Any]


class QuestionError(ValueError):
    """A question that can't be understood. The text names what, and what was expected."""


class Question(NamedTuple):
    """What is asked.

    Attributes:
        period: A day or a month in UTC: `2026-11-21`, `2026-11`.
        by: Keys of COLUMNS, in their order; none is all in one row.
    """

    period: str
    by: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """What tells the rows of the answer apart."""
        return tuple(column for each in self.by for column in COLUMNS[each])

    @property
    def days(self) -> list[str]:
        """The days of the period."""
        if len(self.period) > _MONTH:
            return [self.period]
        year, month = map(int, self.period.split("-"))
        return [f"{self.period}-{day:02}" for day in range(1, monthrange(year, month)[1] + 1)]


def read(arguments: Mapping[str, str], now: Callable[[], float] = time.time) -> Question:
    """Reads a question.

    Args:
        arguments: `period` (`today`, `month`, a day or a month; `today` if it is not there) and
            `by` (names with commas between them; all, if it is not there).
        now: Seconds since 1970.

    Raises:
        QuestionError: It can't be understood.
    """
    for name in arguments:
        if name not in {"period", "by"}:
            # The form of the answer is asked for beside these, of who answers (`formats`).
            text = f"There is no parameter {name!r}; there are: period, by, format."
            raise QuestionError(text)
    return Question(
        _period(arguments.get("period", "today"), day_of(now())),
        _by(arguments.get("by", ",".join(COLUMNS))),
    )


def _period(text: str, today: str) -> str:
    if text in _WORDS:
        return today if text == "today" else today[:_MONTH]
    if _PERIOD.fullmatch(text) and _is_day(text if len(text) > _MONTH else f"{text}-01"):
        return text
    expected = "period: expected today, month, a day such as 2026-11-21 or a month: 2026-11."
    raise QuestionError(expected)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _by(text: str) -> tuple[str, ...]:
    asked = text.split(",") if text else []
    if not set(asked) <= COLUMNS.keys() or len(set(asked)) != len(asked):
        raise QuestionError(f"by: expected any of {', '.join(COLUMNS)}, with commas between them.")
    return tuple(name for name in COLUMNS if name in asked)


def answered(question: Question, counts: Counts) -> Answer:
    """Returns the answer to a question, of all counts of its period and no others."""
    values = [_VALUES[column] for column in question.columns]
    sums: dict[tuple[str, ...], Count] = {}
    for key, count in counts.items():
        told = tuple(value(key) for value in values)
        sums.setdefault(told, Count()).add(count.numbers())
    rows = (
        dict(zip((*question.columns, *NUMBERS), (*told, *count.numbers()), strict=True))
        for told, count in sorted(sums.items())
    )
    return {"period": question.period, "by": list(question.by), "rows": list(rows)}


def newest(answers: Sequence[Answer]) -> Answer:
    """Returns the newest of several answers to one question: the largest of each number.

    Each is of one store, read at its own time, and numbers only grow: where each process reads
    after it has told what it counted, the one that told last has read all of it.
    """
    columns = [column for each in answers[0]["by"] for column in COLUMNS[each]]
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in _rows(answers):
        known = found.setdefault(tuple(row[column] for column in columns), dict(row))
        known |= {name: max(known[name], row[name]) for name in NUMBERS}
    return {**answers[-1], "rows": [found[told] for told in sorted(found)]}


def _rows(answers: Iterable[Answer]) -> Iterable[Mapping[str, Any]]:
    return (row for answer in answers for row in answer["rows"])
