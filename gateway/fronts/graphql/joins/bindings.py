"""The entries of `with`: which request field gets what from where, checked field by field."""

from __future__ import annotations

from dataclasses import dataclass, field

from google.protobuf.descriptor import Descriptor
from graphql import StringValueNode

from gateway.fronts.graphql.graph.sources import Given, Path
from gateway.fronts.graphql.joins.candidates import hint, nearest
from gateway.fronts.graphql.joins.directives import Entry
from gateway.fronts.graphql.joins.kinds import described, fits
from gateway.fronts.graphql.joins.literals import LiteralError, literal, quoted
from gateway.fronts.graphql.joins.paths import PathError, unwrapped, walk
from gateway.fronts.graphql.joins.places import Findings
from gateway.fronts.graphql.joins.sdl import Edge


@dataclass(slots=True)
class Bindings:
    """What sets the fields of a request.

    Attributes:
        request: The request message.
        taken: What sets each request path, for errors.
        arguments: The request path that an argument of the field sets, by its name.
        parents: Request paths set from the parent, as (request path, parent path).
        given: Request paths that have fixed values.
    """

    request: Descriptor
    taken: dict[Path, str] = field(default_factory=dict)
    arguments: dict[str, Path] = field(default_factory=dict)
    parents: list[tuple[Path, Path]] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)

    def take(self, path: Path, what: str) -> str | None:
        """Notes what sets a request path; returns what sets it, or a part of it, already."""
        for other, by in self.taken.items():
            shorter = min(len(path), len(other))
            if path[:shorter] == other[:shorter]:
                return by
        self.taken[path] = what
        return None


class BindingError(ValueError):
    """An entry that can't be. The text is a whole sentence; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def bind(
    edge: Edge,
    entries: tuple[Entry, ...],
    bindings: Bindings,
    findings: Findings,
    parent: Descriptor | None = None,
) -> None:
    """Checks the entries of `with`, and adds them to what sets the request.

    Args:
        edge: Whose they are.
        entries: What is written.
        bindings: Gets what is right.
        findings: Gets what is wrong.
        parent: The message that paths begin at; None where there is none: of roots, and of joins,
            whose calls many parents share.
    """
    for entry in entries:
        try:
            _bind(entry, edge, parent, bindings)
        except BindingError as wrong:
            where = edge.place(entry.node)
            findings.wrong(where, f"{edge.label}: with {entry.path}: {wrong}", wrong.hint)


def _bind(entry: Entry, edge: Edge, parent: Descriptor | None, bindings: Bindings) -> None:
    try:
        path = walk(entry.path, bindings.request)
    except PathError as wrong:
        raise BindingError(str(wrong), hint(wrong.candidates)) from None
    if before := bindings.take(path, f"with {entry.path}"):
        raise BindingError(f"it is set by {before} already")
    text = entry.value.value if isinstance(entry.value, StringValueNode) else None
    if text is None or quoted(entry.value) is not None:
        try:
            bindings.given.append(Given(path, literal(entry.value, path[-1])))
        except LiteralError as wrong:
            raise BindingError(str(wrong)) from None
    elif text.startswith("$"):
        _bind_argument(text[1:], path, edge, bindings)
    elif parent is None:
        raise BindingError(*_no_parent(text, edge))
    else:
        bindings.parents.append((path, _from_parent(text, path, parent)))


def _bind_argument(name: str, path: Path, edge: Edge, bindings: Bindings) -> None:
    defined = [each.name.value for each in edge.arguments]
    if name not in defined:
        near = [f'"${each}"' for each in nearest(name, defined) or defined[:3]]
        raise BindingError(f"{edge.label} has no argument {name}", hint(near))
    if name in bindings.arguments:
        raise BindingError(f"${name} sets another request field already; an argument sets one")
    bindings.arguments[name] = path


def _from_parent(text: str, path: Path, parent: Descriptor) -> Path:
    target = path[-1]
    try:
        source = unwrapped(walk(text, parent, lambda each: fits(each, target)))
    except PathError as wrong:
        meant = [f'"{each}"' for each in wrong.candidates]
        raise BindingError(
            f"{wrong}; a text that is no path stands in single quotes: \"'{text}'\"", hint(meant)
        ) from None
    last = source[-1]
    if last.is_repeated or target.is_repeated or not fits(last, target):
        raise BindingError(
            f'"{text}" of {parent.full_name} is {described(last)}, and {target.name} is '
            f"{described(target)}"
        )
    return source


def _no_parent(text: str, edge: Edge) -> tuple[str, str]:
    near = [f'"${each}"' for each in nearest(text, (a.name.value for a in edge.arguments))]
    message = (
        f'"{text}" is a path of the parent, and there is none here: only "$argument" and literals '
        f"can be set; a text stands in single quotes, \"'{text}'\""
    )
    return message, hint(near)
