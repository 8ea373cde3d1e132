"""Dotted paths of proto field names, resolved against a message: `shipping.address.city`.

A path goes through singular messages; what its last field may be is up to its use. There is no
template language beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.fronts.graphql.graph.sources import Path
from gateway.fronts.graphql.joins.candidates import nearest
from gateway.fronts.graphql.joins.kinds import described, is_key

Wanted: TypeAlias = Callable[[FieldDescriptor], bool]

# Their one field is the value: `brand` means `brand.value`.
_WRAPPERS = frozenset(
    f"google.protobuf.{kind}Value"
    for kind in ("String", "Int32", "Int64", "UInt32", "UInt64", "Bool", "Double", "Float", "Bytes")
)


class PathError(ValueError):
    """A path that leads nowhere. The text is a whole sentence.

    Attributes:
        candidates: Paths that were probably meant, the likeliest first.
    """

    def __init__(self, message: str, candidates: Collection[str] = ()) -> None:
        super().__init__(message)
        self.candidates = tuple(candidates)


def dotted(path: Path) -> str:
    """Returns a path as it is written."""
    return ".".join(field.name for field in path)


def walk(text: str, message: Descriptor, wanted: Wanted = lambda _: True) -> Path:
    """Returns the fields of a path.

    Args:
        text: Proto names with dots between them.
        message: Where the path begins.
        wanted: Which last fields can be meant, for candidates; what is not wanted is found anyway.

    Raises:
        PathError: A name is no field, or one on the way is no singular message.
    """
    found: list[FieldDescriptor] = []
    inside = message
    names = text.split(".")
    for depth, name in enumerate(names):
        field = inside.fields_by_name.get(name)
        if field is None:
            before = "".join(f"{each.name}." for each in found)
            near = _meant(name, inside, wanted, last=depth == len(names) - 1)
            raise PathError(
                f'"{name}" is not a field of {inside.full_name}'
                if name
                else "a name in the path is empty",
                [before + ".".join([each, *names[depth + 1 :]]) for each in near],
            )
        found.append(field)
        if depth < len(names) - 1:
            if field.message_type is None or field.is_repeated:
                raise PathError(
                    f'"{name}" of {inside.full_name} is {described(field)}; '
                    "a path goes through single messages"
                )
            inside = field.message_type
    return tuple(found)


def key_path(text: str, message: Descriptor) -> Path:
    """Returns the fields that lead to a key, or to a list of keys; a wrapper stands for its value.

    Raises:
        PathError: It leads nowhere, or to what can't be a key.
    """
    path = unwrapped(walk(text, message, is_key))
    last = path[-1]
    if not is_key(last):
        raise PathError(
            f'"{text}" is {described(last)}; a key is a string or a whole number',
            _within(text, last) or keys_of(message),
        )
    return path


def unwrapped(path: Path) -> Path:
    """Returns a path to the value of a wrapper where it leads to one; else the path itself."""
    last = path[-1]
    if last.message_type is None or last.is_repeated:
        return path
    if last.message_type.full_name not in _WRAPPERS:
        return path
    return (*path, last.message_type.fields_by_name["value"])


def keys_of(message: Descriptor) -> list[str]:
    """Returns the names of a message's fields that can be keys, in its order."""
    return [field.name for field in message.fields if is_key(field)]


def _within(text: str, field: FieldDescriptor) -> list[str]:
    if field.message_type is None or field.is_repeated:
        return []
    return [f"{text}.{name}" for name in keys_of(field.message_type)]


def _meant(name: str, message: Descriptor, wanted: Wanted, *, last: bool) -> list[str]:
    """Returns names of fields that are near; another spelling of one (`productId`) is the one."""
    fields = [
        field
        for field in message.fields
        if (wanted(field) if last else field.message_type is not None and not field.is_repeated)
    ]
    plain = _plain(name)
    same = [field.name for field in fields if _plain(field.name) == plain]
    return same or nearest(name, [field.name for field in fields])


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
