"""How the answers of several workers to one operation become one answer: a pure function each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from gateway.state.usage.question import newest
from gateway.supervisor import recorded, told
from gateway.supervisor.upstreams import merged

Content: TypeAlias = "dict[str, Any]"

Merge: TypeAlias = "Callable[[Sequence[Content]], Content]"
"""Makes one answer of at least one."""


def summed(answers: Sequence[Content]) -> Content:
    """Adds up what all counted, name by name: each did its part."""
    names = dict.fromkeys(name for answer in answers for name in answer)
    return {name: sum(answer.get(name, 0) for answer in answers) for name in names}


MERGES: Final[Mapping[str, Merge]] = {
    "config": told.newest_config,
    "drain": told.drained,
    "log": told.first,
    "purge": summed,
    "readiness": told.warned,
    "recent": recorded.recent,
    "sessions": told.sessions,
    "tap": recorded.tap,
    "undrain": told.drained,
    "upstreams": merged,
    "usage": newest,
    "why": recorded.why,
}
"""By the operation's name. Where workers answer nothing, they have told the supervisor before.
Metrics are not here: to merge them, one has to remember what was told before (`asking`)."""

LOOKS: Final[Mapping[str, float]] = {
    "config": 2.0,
    "metrics": 2.0,
    "readiness": 0.5,  # a probe waits for it
    "recent": 2.0,
    "sessions": 2.0,
    "tap": 2.0,
    "upstreams": 2.0,
    "why": 2.0,
}
"""Operations that only look, of which the answer of some workers is better than none: operators ask
when something is wrong. How many did not answer stands beside it, as `unanswered`. With the seconds
that each worker has."""

ALIKE: Final = frozenset({"filters", "routes"})
"""Operations that all workers answer alike: one is asked."""
