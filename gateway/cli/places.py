"""Where something that has a name is declared: a line of a proto, or of the config."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from google.protobuf.descriptor_pool import DescriptorPool

from gateway.app import Generation
from gateway.schema.declared_at import Declaration, declared_at

_COORDINATE: Final = re.compile(r"(?P<type>\w+)(?:\.(?P<field>\w+)(?:\((?P<argument>\w+):\))?)?")


def place_of(name: str, generation: Generation) -> tuple[str, int, int]:
    """Returns the file, line and column of a declaration; line and column are 0 where unknown.

    Of what is not there any more it is what it was part of. The file is empty where nothing of the
    name is known.

    Args:
        name: The full name of a method, message, field, oneof or enum; or a key of the config.
        generation: Knows protos and config.
    """
    registry = generation.registry
    if (method := generation.methods.get(name)) is not None:
        described = method.descriptor
        return registry.origin(described.file), described.line, 0
    with suppress(KeyError):
        service = registry.pool.FindServiceByName(name.partition("/")[0])
        return registry.origin(service.file.name), 0, 0
    inside = name
    while inside:
        if (found := _declared(registry.pool, inside)) is not None:
            return *declared_at(registry, found), 0
        with suppress(KeyError):
            enum = registry.pool.FindEnumTypeByName(inside)
            return registry.origin(enum.file.name), 0, 0
        inside = inside.rpartition(".")[0]
    place = generation.source.place(tuple(name.split(".")))
    return ("", 0, 0) if place is None else (place.file, place.line or 0, place.column or 0)


def _declared(pool: DescriptorPool, name: str) -> Declaration | None:
    for find in (pool.FindMessageTypeByName, pool.FindFieldByName, pool.FindOneofByName):
        with suppress(KeyError):
            found: Declaration = find(name)
            return found
    return None


def element_of(text: str, generation: Generation) -> str:
    """Returns the full name of what a change of the graph is about; empty where it is nowhere.

    That is a field or a method, or of what is not there any more the message it was in.

    Args:
        text: In words, with what they are about as GraphQL's schema coordinates have it:
            `Field Product.subtitle was removed`, `Argument Query.product(id:) was removed`.
        generation: Has the graph as it is.
    """
    if generation.graphql is None:
        return ""
    # As all of GraphQL: only who serves it pays for its import.
    from gateway.cli.graph_elements import element  # noqa: PLC0415  see above

    types = generation.graphql.graph.schema.type_map
    for found in _COORDINATE.finditer(text):
        if (type_ := types.get(found["type"])) is not None:
            name = element(type_, found["field"] or "", found["argument"] or "")
            if name:
                return name
    return ""
