"""What `@defer` puts off: the plan of a fragment, and its note in an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.fronts.graphql.execute.trouble import Text
from gateway.fronts.graphql.plan.objects import ObjectPlan


@dataclass(frozen=True, slots=True, eq=False)
class Later:
    """A fragment that is put off.

    Attributes:
        label: Of its directive.
        plan: What is asked of the object that it is in.
    """

    label: str | None
    plan: ObjectPlan


@dataclass(slots=True, eq=False)
class Deferral:
    """Notes that an object has a fragment that is put off.

    Attributes:
        later: The fragment.
        parent: The object.
        path: Where the object is, the innermost key first.
    """

    later: Later
    parent: Any
    path: list[str | int]


def putting_off(text: Text, laters: tuple[Later, ...]) -> Text:
    """Returns what writes an object and notes what of it is put off."""

    def write(parent: Any, run: Any) -> str:
        written = text(parent, run)
        run.errors.extend([Deferral(later, parent, []) for later in laters])
        return written

    return write
