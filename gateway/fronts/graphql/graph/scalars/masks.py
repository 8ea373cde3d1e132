"""`FieldMask`: paths of fields, in JSON in lower camel case and joined by commas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

from graphql import GraphQLError

from gateway.fronts.graphql.graph.scalars.literals import scalar

_PATH = re.compile(r"[^,_]+")
_UPPER = re.compile(r"[A-Z]", re.ASCII)
_LETTER = re.compile(r"_([a-z])", re.ASCII)


class Mask(Protocol):
    """What google.protobuf.FieldMask has."""

    @property
    def paths(self) -> Sequence[str]:
        """The paths, in snake case."""


def write_mask(value: Mask) -> str:
    """Returns the paths in lower camel case.

    Raises:
        GraphQLError: A path has no such form.
    """
    camel = [_LETTER.sub(lambda match: match[1].upper(), path) for path in value.paths]
    if any("_" in path for path in camel) or any(map(_UPPER.search, value.paths)):
        raise GraphQLError("FieldMask has no form for a path that is not in snake case")
    return ",".join(camel)


def read_mask(value: Any) -> tuple[str, ...]:
    """Reads paths in lower camel case; returns them in snake case.

    Raises:
        GraphQLError: It is another value.
    """
    paths = value.split(",") if isinstance(value, str) and value else []
    if isinstance(value, str) and all(map(_PATH.fullmatch, paths)):
        return tuple(_UPPER.sub(lambda match: "_" + match[0].lower(), path) for path in paths)
    raise GraphQLError(
        "expected paths in lowerCamelCase, joined by commas, such as title,price.units"
    )


FIELD_MASK = scalar(
    "FieldMask",
    write=write_mask,
    read=read_mask,
    about="Paths of fields in lower camel case, joined by commas: `title,price.currencyCode`.",
)
