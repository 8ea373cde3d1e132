"""What goes wrong below a field while an answer is written, and how it finds its path.

A field that fails notes a `Trouble` whose path begins at the field itself. On the way out, each
place that knows a further part of the path (a field that holds objects, a list) adds it to what was
noted below it: `within`. So paths cost nothing until something fails. A field that must not be null
raises `Null` besides, which travels to the nearest field that may be (GraphQL specification,
section 6.4.4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from graphql import FieldNode
from graphql.execution.collect_fields import FieldDetailsList

from gateway.errors import error


class Null(Exception):  # noqa: N818  a signal, not an error
    """A field that must not be null has no value; its trouble is noted."""


@dataclass(slots=True, eq=False)
class Trouble:
    """An error at a field.

    Attributes:
        failure: What failed: a call, an input, a value that has no JSON, or Python.
        path: Response keys and indexes, the innermost first.
        nodes: The field in the document.
    """

    failure: Exception
    path: list[str | int]
    nodes: tuple[FieldNode, ...]


class Note(Protocol):
    """What is noted at a field: a trouble, or what a `@defer` puts off (`defer.Deferral`)."""

    path: list[str | int]


class Notes(Protocol):
    """Where it is noted: a run."""

    errors: list[Any]


Text: TypeAlias = "Callable[[Any, Any], str]"
"""`text(parent, run)`: the JSON of a field or an object. Raises Null."""


@dataclass(frozen=True, slots=True)
class Place:
    """A field of the answer, as far as errors name it.

    Attributes:
        key: Its response key.
        nodes: Where the document asks for it.
    """

    key: str
    nodes: tuple[FieldNode, ...]

    def note(self, run: Notes, message: str, *below: int) -> None:
        """Notes that a backend's value can't be written: here, or at an index of the list here."""
        failure = error("INVALID_UPSTREAM_MESSAGE", message)
        run.errors.append(Trouble(failure, [*reversed(below), self.key], self.nodes))


def nodes_of(details: FieldDetailsList) -> tuple[FieldNode, ...]:
    """Returns where a document asks for a field."""
    return tuple(each.node for each in details)


def nullable(text: Text, key: str | int) -> Text:
    """Returns `text` with `key` added to the path of what fails in it, and null where it must."""

    def guarded(parent: Any, run: Any) -> str:
        errors: list[Note] = run.errors
        before = len(errors)
        try:
            found = text(parent, run)
        except Null:
            forget(errors, before)
            found = "null"
        if len(errors) > before:
            within(errors, before, key)
        return found

    return guarded


def forget(errors: list[Any], before: int) -> None:
    """Drops what was put off below a field that is null after all."""
    errors[before:] = [each for each in errors[before:] if isinstance(each, Trouble)]


def within(errors: list[Note], before: int, key: str | int) -> None:
    """Adds a part of the path to the troubles noted since `before`."""
    for trouble in errors[before:]:
        trouble.path.append(key)
