"""What messages are made of, as plain data: all of their fields that a call can tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.app.surface.model import Field, Rules
from gateway.app.surface.types import Types

Shape: TypeAlias = Mapping[str, str]
"""`repeated string = 3`, by the name of the field; what is said of the whole, by `(message)`."""

_WHOLE = "(message)"


def shapes(types: Types, messages: Iterable[Descriptor]) -> Iterator[tuple[str, Shape]]:
    """Yields the fields of messages, and of all that they are made of, by full name.

    Args:
        types: Reads them.
        messages: Where to begin.
    """
    for each in types.reading(messages):
        message = types.messages[each.full_name]
        shape = {
            one.name: ", ".join(_said(one, each.fields_by_name[one.name])) for one in message.fields
        }
        if message.rules:
            shape[_WHOLE] = ", ".join(_ruled(message.rules))
        yield each.full_name, shape
    for name, values in types.enums.items():
        yield name, dict(_numbered(values))


def _said(field: Field, descriptor: FieldDescriptor) -> Iterator[str]:
    """Yields what a field is; of what may be said of it, only what is."""
    type_ = field.of or field.type
    match field.cardinality:
        case "map":
            type_ = f"map<{field.key}, {type_}>"
        case "many":
            type_ = f"repeated {type_}"
    yield f"{type_} = {field.number}"
    if field.json_name != _json_name(field.name):
        yield f"json_name {field.json_name}"
    if field.oneof:
        yield f"in oneof {field.oneof}"
    elif not field.of and descriptor.has_presence:
        yield "optional"
    if field.required:
        yield "required"
    if descriptor.has_default_value:
        yield f"default {descriptor.default_value!r}"
    yield from _ruled(field.rules)


def _ruled(rules: Rules) -> Iterator[str]:
    for name, value in rules.items():
        yield f"{name}: {', '.join(value) if isinstance(value, tuple) else value}"


def _numbered(values: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yields the numbers of values; of several names of a number, JSON has the first."""
    named = set()
    for name, number in values.items():
        yield name, f"{number}, another name of it" if number in named else f"{number}"
        named.add(number)


def _json_name(name: str) -> str:
    """Returns what JSON calls a field of which nothing is said (descriptor.proto, `json_name`)."""
    first, *others = name.split("_")
    return first + "".join(each[:1].upper() + each[1:] for each in others)
