"""What several workers keep of their last requests, as one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

Content: TypeAlias = "dict[str, Any]"


def kept(answers: Sequence[Content]) -> Content | None:
    """Returns what all keep together: `since` is when the last of them began.

    None where none keeps anything, and is asked for what it knows besides.
    """
    each = [answer["kept"] for answer in answers if answer["kept"] is not None]
    if not each:
        return None
    summed = ("seen", "places", "failures", "others", "left_out")
    return {
        "since": max(one["since"] for one in each),
        **{name: sum(one[name] for one in each) for name in summed},
        "sample": each[0]["sample"],
    }


def why(answers: Sequence[Content]) -> Content:
    """Returns what all know of an id, the newest first."""
    rows = [row for answer in answers for row in answer["rows"]]
    reload = {name: answer[name] for answer in answers for name in ("reload",) if name in answer}
    return {"rows": sorted(rows, key=_time, reverse=True), "kept": kept(answers), **reload}


def recent(answers: Sequence[Content]) -> Content:
    """Returns the newest of all, no more than were asked for."""
    limit = answers[0]["limit"]
    rows = sorted((row for answer in answers for row in answer["rows"]), key=_time, reverse=True)
    return {"rows": rows[:limit], "limit": limit, "kept": kept(answers)}


def tap(answers: Sequence[Content]) -> Content:
    """Returns what came to all, in its order."""
    rows = [row for answer in answers for row in answer["rows"]]
    missed = sum(answer["missed"] for answer in answers)
    return {"rows": sorted(rows, key=_time), "missed": missed}


def _time(row: Content) -> Any:
    return row["time"]
