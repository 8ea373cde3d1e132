"""What several workers tell of their config, their sockets and their standing, as one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

Content: TypeAlias = "dict[str, Any]"

_OF_EACH: Final = ("digest", "generation", "loaded_at")


def first(answers: Sequence[Content]) -> Content:
    """Returns what all say alike."""
    return dict(answers[0])


def drained(answers: Sequence[Content]) -> Content:
    """Returns whether all drain, and the connections that are left."""
    return {
        "draining": all(answer["draining"] for answer in answers),
        "connections": sum(answer["connections"] for answer in answers),
    }


def warned(answers: Sequence[Content]) -> Content:
    """Returns each warning once, in the order in which it came first."""
    told = [warning for answer in answers for warning in answer["warnings"]]
    return {"warnings": list(dict.fromkeys(told))}


def newest_config(answers: Sequence[Content]) -> Content:
    """Returns the newest config, and which of them each worker has.

    Where digests differ, a reload is under way, or a worker could not follow it.
    """
    # One that was restarted has loaded it later.
    newest = max(answers, key=lambda answer: (answer["generation"], answer["loaded_at"]))
    return {**newest, "workers": [{name: each[name] for name in _OF_EACH} for each in answers]}


def sessions(answers: Sequence[Content]) -> Content:
    """Returns the sockets of all, in order, no more than were asked for; counts are of all."""
    rows = sorted((row for answer in answers for row in answer["rows"]), key=_place)
    limit = answers[0]["limit"]
    left = any("after" in answer for answer in answers) or len(rows) > limit
    shown = rows[:limit]
    return {
        "count": sum(answer["count"] for answer in answers),
        "waiting": sum(answer["waiting"] for answer in answers),
        "limit": limit,
        "rows": shown,
        **({"after": shown[-1]["id"]} if left and shown else {}),
    }


def _place(row: Content) -> tuple[int, int]:
    worker, _, serial = str(row["id"]).partition(".")
    return int(worker), int(serial)
