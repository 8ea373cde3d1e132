"""Path templates as paths of OpenAPI, whose parameters are single segments.

`/v1/{name=shelves/*/products/*}` becomes `/v1/shelves/{shelves}/products/{products}`: a parameter
for each wildcard, called after the segment before it, for a client encodes a slash in a value. Of
`**` it is told that it stands for one segment or more; OpenAPI knows no such parameter.

Templates that differ in the names of variables only are one path, which names its parameters once
(OpenAPI 3.1, "Paths Object": such paths are identical).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import quote

from gateway.routing.template import Segment, Template, Variable, Wildcard

# RFC 3986 section 3.3, without ":" and "*": those of templates have a meaning.
_LITERAL: Final = "-._~!$&'()+,;=@"
_ODD: Final = re.compile(r"[^A-Za-z0-9_-]+")

Shape: TypeAlias = tuple[tuple[str | None, ...], str | None]
"""What decides which path a template is: literals, None for each wildcard; and the verb."""


class Hole(NamedTuple):
    """A wildcard of a template.

    Attributes:
        variable: What captures it; None where nothing does.
        many: Whether it is a `**`.
        name: What a parameter for it may be called.
    """

    variable: Variable | None
    many: bool
    name: str


def shape(template: Template) -> Shape:
    """Returns what templates have in common that are one path."""
    segments = (each if isinstance(each, str) else None for each in template.segments)
    return tuple(segments), template.verb


def holes(template: Template, spelled: Sequence[str]) -> tuple[Hole, ...]:
    """Returns the wildcards of a template, in order.

    Args:
        template: It.
        spelled: What its variables are called in JSON, in their order.
    """
    named = dict(zip(template.variables, spelled, strict=True))
    found = []
    for place, segment in enumerate(template.segments):
        if not isinstance(segment, Wildcard):
            continue
        variable = next((each for each in named if each.start <= place < each.stop), None)
        if variable is not None and variable.stop - variable.start == 1:
            name = _parameter(named[variable])
        else:
            captured = _parameter(named[variable]) if variable else "segment"
            name = _after(template.segments, place) or captured
        found.append(Hole(variable, segment is Wildcard.MANY, name))
    return tuple(found)


def names(alike: Iterable[Sequence[Hole]]) -> tuple[str, ...]:
    """Returns the names of the parameters of one path: of all that it could have the shortest.

    Args:
        alike: The wildcards of each of its templates.
    """
    taken: list[str] = []
    for candidates in zip(*alike, strict=True):
        name = min((each.name for each in candidates), key=lambda each: (len(each), each))
        number = 1 + sum(each == name for each in taken)
        while (unique := name if number == 1 else f"{name}{number}") in taken:
            number += 1
        taken.append(unique)
    return tuple(taken)


def path(of: Shape, parameters: Sequence[str]) -> str:
    """Returns a path as OpenAPI writes it."""
    segments, verb = of
    left = iter(parameters)
    parts = [f"{{{next(left)}}}" if each is None else quote(each, _LITERAL) for each in segments]
    text = "/" + "/".join(parts)
    return text if verb is None else f"{text}:{quote(verb, _LITERAL)}"


def _parameter(name: str) -> str:
    """Returns what JSON calls a field, as a parameter of a path is called.

    `json_name` is any text, but names of parameters of a path have no `/`, `#` and `?` (OpenAPI
    3.1's schema) nor braces; and generators of clients leave out paths with a dot in a name.
    """
    return _ODD.sub("_", name)


def _after(segments: Sequence[Segment], place: int) -> str:
    """Returns the literal that stands before a wildcard, as a name; empty where none does."""
    before = segments[place - 1] if place else None
    return _parameter(before).strip("_") if isinstance(before, str) else ""
