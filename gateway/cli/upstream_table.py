"""What the admin listener tells of upstreams, as rows for people. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any, Final, NamedTuple, TypeAlias

from gateway.supervisor.upstreams import identity

Answer: TypeAlias = "Mapping[str, Any]"
"""As the page `/upstreams` has it."""

HEADS: Final = (
    *("UPSTREAM", "ENDPOINT", "ZONE", "PRIORITY", "WEIGHT", "STATE", "PENDING", "LATENCY"),
    *("CALLS", "CALLS/S", "FAILURES", "EJECTIONS", "WHY"),
)
TEXTS: Final = frozenset({"UPSTREAM", "ENDPOINT", "ZONE", "STATE", "WHY"})
"""The heads of what is no number."""

TOTALS: Final = ("UPSTREAM", "POLICY", "WAITING")
"""The heads of what is told of a whole upstream; what it counts comes behind, if anything."""

SPARE: Final = ("WHY", "CALLS", "WEIGHT", "EJECTIONS", "FAILURES", "PENDING")
"""The heads that a narrow terminal does without, in this order."""

_NOTHING: Final = "-"
_USUAL: Final = {"ZONE": _NOTHING, "PRIORITY": "0", "WEIGHT": "1"}
"""What is not told where no endpoint has anything else."""
_GAP: Final = 2  # between two columns
_UNRESOLVED: Final = "unresolved"


class Seen(NamedTuple):
    """An answer, and when it was had.

    Attributes:
        answer: That.
        at: Seconds, on any clock.
    """

    answer: Answer
    at: float


def rows(now: Seen, before: Seen | None = None) -> list[tuple[str, ...]]:
    """Returns a row for each endpoint, under HEADS.

    Args:
        now: What there is.
        before: What there was, by which a rate is told.
    """
    counted = {} if before is None else dict(_counts(before.answer))
    seconds = 0.0 if before is None else now.at - before.at
    found = []
    for upstream in now.answer["upstreams"]:
        if unresolved := upstream.get("unresolved"):
            cells = {"UPSTREAM": upstream["name"], "STATE": _UNRESOLVED, "WHY": _plain(unresolved)}
            found.append(tuple(cells.get(title, _NOTHING) for title in HEADS))
        for endpoint in upstream["endpoints"]:
            last = counted.get((upstream["name"], identity(endpoint)))
            rate = _rate(endpoint["calls"], last, seconds)
            found.append((upstream["name"], *_row(endpoint, rate, now.answer["workers"])))
    return found


def silent(answer: Answer) -> str:
    """Returns what is said of workers that did not answer; nothing where all did."""
    number = answer.get("unanswered", 0)
    if not number:
        return ""
    return f"{number} of {number + answer['workers']} workers did not answer"


def settled(texts: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Returns heads and rows, less the columns of settings that no endpoint has.

    Args:
        texts: Rows under HEADS.
    """
    said = [
        not (usual := _USUAL.get(title))
        or any(each[column] not in {usual, _NOTHING} for each in texts)
        for column, title in enumerate(HEADS)
    ]
    heads, *rest = (tuple(compress(each, said)) for each in (HEADS, *texts))
    return heads, rest


def totals(answer: Answer) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Returns the heads, and a row for each upstream."""
    upstreams: Sequence[Mapping[str, Any]] = answer["upstreams"]
    counted = [_counted(each) for each in upstreams]
    names = tuple(dict.fromkeys(name for each in counted for name in each))
    return (*TOTALS, *names), [
        (
            each["name"],
            each["policy"],
            f"{each['waiting']:,}",
            *(f"{numbers.get(name, 0):,}" for name in names),
        )
        for each, numbers in zip(upstreams, counted, strict=True)
    ]


def narrowed(
    heads: tuple[str, ...], texts: Sequence[tuple[str, ...]], width: int, spare: Iterable[str]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Returns a table less columns, of the spare ones as many as it takes to fit.

    Args:
        heads: Its heads.
        texts: Its rows.
        width: Characters of a line.
        spare: Heads that it can do without, the first first.
    """
    kept = list(zip(*(heads, *texts), strict=True))
    for title in spare:
        if sum(max(map(len, each)) + _GAP for each in kept) - _GAP <= width:
            break
        kept = [each for each in kept if each[0] != title]
    found, *rest = zip(*kept, strict=True)
    return found, rest


def reasons(texts: Iterable[tuple[str, ...]]) -> list[str]:
    """Returns a line for each row that says why."""
    where, why = HEADS.index("ENDPOINT"), HEADS.index("WHY")
    return [
        f"{each[0] if each[where] == _NOTHING else each[where]}: {each[why]}"
        for each in texts
        if each[why] != _NOTHING
    ]


def idle(heads: Sequence[str], texts: Sequence[Sequence[str]]) -> list[str]:
    """Returns the heads of what nothing was counted of, the last first."""
    columns = zip(heads, *texts, strict=True)
    return [title for title, *column in columns if set(column) <= {"0"}][::-1]


def _counted(upstream: Mapping[str, Any]) -> dict[str, int]:
    """Returns what is counted of a whole upstream, by its heads."""
    named = [("", upstream.get("counts", {})), ("COPIES ", upstream.get("copies", {}))]
    return {
        f"{before}{name.replace('_', ' ').upper()}": number
        for before, counts in named
        for name, number in counts.items()
    }


def _counts(answer: Answer) -> Iterator[tuple[tuple[str, Hashable], int]]:
    for upstream in answer["upstreams"]:
        for endpoint in upstream["endpoints"]:
            yield (upstream["name"], identity(endpoint)), endpoint["calls"]


def _rate(calls: int, before: int | None, seconds: float) -> str:
    # A gateway that was started again counts anew.
    if before is None or seconds <= 0 or calls < before:
        return _NOTHING
    return f"{(calls - before) / seconds:,.0f}"


def _row(endpoint: Mapping[str, Any], rate: str, workers: int) -> tuple[str, ...]:
    out: Sequence[Mapping[str, Any]] = endpoint["out"]
    why = [_why(each, workers) for each in out]
    if unreached := endpoint.get("unreached"):
        why.append(_plain(unreached))
    latency = endpoint["latency"]
    return (
        _plain(endpoint["address"]),
        _plain(endpoint["zone"] or _NOTHING),
        f"{endpoint['priority']}",
        f"{endpoint['weight']:g}",
        _state(endpoint),
        f"{endpoint['pending']:,}",
        _NOTHING if latency is None else f"{latency * 1000:,.1f} ms",
        f"{endpoint['calls']:,}",
        rate,
        f"{endpoint['failures']:,}",
        f"{endpoint['ejections']:,}",
        "; ".join(why) or _NOTHING,
    )


def _state(endpoint: Mapping[str, Any]) -> str:
    """Returns why it is out, and that it is used nevertheless; of others, of its connections."""
    causes = "/".join(dict.fromkeys(each["cause"] for each in endpoint["out"]))
    used = " (used: panic)" if endpoint.get("panic") else ""
    return causes + used if causes else endpoint["state"]


def _why(reason: Mapping[str, Any], workers: int) -> str:
    why = _plain(reason["why"])
    having = reason.get("workers", workers)
    return why if having == workers else f"{why} ({having} of {workers} workers)"


def _plain(text: str) -> str:
    # Backends' own words and what files name may be in it: nothing is to move a terminal's cursor.
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
