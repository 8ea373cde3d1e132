"""How the answers of several workers to one operation become one answer: a pure function each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from gateway.state.usage.question import newest

Content: TypeAlias = "dict[str, Any]"

Merge: TypeAlias = "Callable[[Sequence[Content]], Content]"
"""Makes one answer of at least one."""


def summed(answers: Sequence[Content]) -> Content:
    """Adds up what all counted, name by name: each did its part."""
    names = dict.fromkeys(name for answer in answers for name in answer)
    return {name: sum(answer.get(name, 0) for answer in answers) for name in names}


MERGES: Final[Mapping[str, Merge]] = {"purge": summed, "usage": newest}
"""By the operation's name. Where workers answer nothing, they have told the supervisor before."""
