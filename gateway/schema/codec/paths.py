"""The field mask of a JSON body: what a PATCH without a mask is taken to change.

Paths are those of field_mask.proto, proto names joined by dots. They end at what a mask can't go
into or what is replaced as a whole: repeated fields, maps, and types with a JSON of their own.
"""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor

from gateway.schema.codec import well_known
from gateway.schema.codec.check import by_names
from gateway.schema.codec.text import Members, Tree


def json_paths(message: Descriptor, value: Tree) -> list[str]:
    """Returns the paths that a value of a message type holds, in its order, each once.

    A field that is null is one that the client clears. An empty object is a path of its own, the
    message's. Unknown fields have no path.
    """
    return list(dict.fromkeys(_paths(message, value, "")))


def _paths(message: Descriptor, value: Tree, before: str) -> list[str]:
    if not isinstance(value, Members):
        return []
    fields = by_names(message)
    paths = []
    for name, member in value.pairs:
        field = fields.get(name)
        if field is None:
            continue
        path = before + field.name
        inner = field.message_type
        below: list[str] = []
        if inner is not None and not field.is_repeated and inner.full_name not in _WHOLE:
            below = _paths(inner, member, path + ".")
        paths.extend(below or [path])
    return paths


_WHOLE = well_known.SPECIAL
