"""Floats of 32 bits in as few digits as tell them apart: 4.3, not 4.300000190734863.

protobuf-py writes a float as the double that it is, with 17 digits, which every other
implementation rounds. So the messages of a type that reaches a float get, before they are written,
the double whose shortest form is the float's. Compiled once a type; types without floats have none.
What is packed in an Any keeps its digits.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from protobuf import (
    DescField,
    DescFieldValueList,
    DescFieldValueMap,
    DescFieldValueMessage,
    DescFieldValueScalar,
    DescMessage,
    Oneof,
    ScalarType,
)

from gateway.schema.codec.scalars import LARGEST_FLOAT
from gateway.schema.codec.types import Message

# Rounds the floats of a message, in place.
Rounding: TypeAlias = Callable[[Message], None]

_SINGLE = struct.Struct("<f")


def shortest(value: float) -> float:
    """Returns the double of fewest digits that is the same float of 32 bits.

    Of numbers with 7 digits or more, as of NaN and infinity, it may return the value itself.
    """
    for digits in ("%.6g", "%.7g", "%.8g"):
        rounded = float(digits % value)
        if abs(rounded) <= LARGEST_FLOAT and _SINGLE.unpack(_SINGLE.pack(rounded))[0] == value:
            return rounded
    return value


def rounding(desc: DescMessage) -> Rounding | None:
    """Returns what rounds the floats of messages of a type; None where it reaches no float."""
    fields: dict[str, list[tuple[DescField, DescMessage | None]]] = {}
    types = [desc]
    while types:
        each = types.pop()
        if each.type_name not in fields:
            held = [(field, _held(field)) for field in each.fields]
            fields[each.type_name] = [
                (field, inner if isinstance(inner, DescMessage) else None)
                for field, inner in held
                if inner is ScalarType.FLOAT or isinstance(inner, DescMessage)
            ]
            types += [inner for _, inner in held if isinstance(inner, DescMessage)]
    rounders = {name: _Rounder() for name in _reaching_floats(fields)}
    for name, rounder in rounders.items():
        rounder.steps = [
            _step(field, None if inner is None else rounders[inner.type_name])
            for field, inner in fields[name]
            if inner is None or inner.type_name in rounders
        ]
    return rounders.get(desc.type_name)


def _reaching_floats(
    fields: Mapping[str, Sequence[tuple[DescField, DescMessage | None]]],
) -> set[str]:
    found: set[str] = set()
    before = -1
    while before != len(found):
        before = len(found)
        found.update(
            name
            for name, held in fields.items()
            if any(inner is None or inner.type_name in found for _, inner in held)
        )
    return found


class _Rounder:
    """Rounds the floats of messages of one type; a step for each field that may hold one."""

    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps: list[Rounding] = []

    def __call__(self, message: Message) -> None:
        for step in self.steps:
            step(message)


def _step(field: DescField, inner: _Rounder | None) -> Rounding:
    """Returns what rounds a field that is a float, or holds floats, or messages for `inner`."""
    change = _changed(inner)
    value = field.value
    if isinstance(value, DescFieldValueList):
        return _in_list(field.local_name, change)
    if isinstance(value, DescFieldValueMap):
        return _in_map(field.local_name, change)
    if value.oneof is not None:
        return _in_oneof(value.oneof.local_name, field.name, change)
    return _single(field.local_name, change)


def _changed(inner: _Rounder | None) -> Callable[[Any], Any]:
    if inner is None:
        return shortest

    def change(message: Message) -> Message:
        inner(message)
        return message

    return change


def _single(name: str, change: Callable[[Any], Any]) -> Rounding:
    def apply(message: Message) -> None:
        # Neither an unset message nor a zero: to set these would make them present.
        if value := getattr(message, name):
            setattr(message, name, change(value))

    return apply


def _in_oneof(name: str, field: str, change: Callable[[Any], Any]) -> Rounding:
    def apply(message: Message) -> None:
        chosen = getattr(message, name)
        if chosen is not None and chosen.field == field:
            setattr(message, name, Oneof(field, change(chosen.value)))

    return apply


def _in_list(name: str, change: Callable[[Any], Any]) -> Rounding:
    def apply(message: Message) -> None:
        values = cast("list[Any]", getattr(message, name))
        values[:] = map(change, values)

    return apply


def _in_map(name: str, change: Callable[[Any], Any]) -> Rounding:
    def apply(message: Message) -> None:
        values = cast("dict[Any, Any]", getattr(message, name))
        for key, value in values.items():
            values[key] = change(value)

    return apply


def _held(field: DescField) -> object:
    """Returns the type of a field's values: a scalar type or a descriptor."""
    match field.value:
        case DescFieldValueScalar(scalar=held) | DescFieldValueMap(value=held):
            return held
        case DescFieldValueMessage(message=message):
            return message
        case DescFieldValueList(element=element):
            return element
        case _:
            return None
