"""Types of single values: which of them a client can't tell apart, in JSON and on the wire.

JSON is that of protobuf.dev/programming-guides/json; what types share on the wire is told in
protobuf.dev/programming-guides/proto3#updating.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.app.surface.model import Field

_SAME_JSON: Final[Mapping[str, str]] = {
    "sint32": "int32",
    "sfixed32": "int32",
    "fixed32": "uint32",
    "sint64": "int64",
    "sfixed64": "int64",
    "fixed64": "uint64",
    "group": "message",
}
_WRAPPERS: Final[Mapping[str, str]] = {
    "google.protobuf.BoolValue": "bool",
    "google.protobuf.BytesValue": "bytes",
    "google.protobuf.DoubleValue": "double",
    "google.protobuf.FloatValue": "float",
    "google.protobuf.Int32Value": "int32",
    "google.protobuf.Int64Value": "int64",
    "google.protobuf.StringValue": "string",
    "google.protobuf.UInt32Value": "uint32",
    "google.protobuf.UInt64Value": "uint64",
}
WELL_KNOWN: Final = frozenset(_WRAPPERS) | {
    f"google.protobuf.{name}"
    for name in (
        *("Any", "Duration", "Empty", "FieldMask"),
        *("ListValue", "Struct", "Timestamp", "Value"),
    )
}
"""Messages that have a form of their own in JSON."""

_READS: Final[Mapping[str, frozenset[str]]] = {
    "int32": frozenset({"int64", "double"}),
    "uint32": frozenset({"int64", "uint64", "double"}),
    "float": frozenset({"double"}),
}
"""What else takes every JSON value that a type takes."""

_NUMBERS: Final = frozenset({"int32", "uint32", "float", "double"})
_TEXTS: Final = frozenset({"int64", "uint64", "string"})

_SAME_WIRE: Final = (
    frozenset({"int32", "int64", "uint32", "uint64", "bool", "enum"}),
    frozenset({"sint32", "sint64"}),
    frozenset({"fixed32", "sfixed32"}),
    frozenset({"fixed64", "sfixed64"}),
    frozenset({"string", "bytes"}),
)
"""Types whose bytes are read as each other's; values may be cut, or mean another."""


def json_type(field: Field) -> str:
    """Returns what of a field's type can be seen in JSON: `int32` for all that look like it."""
    if field.of in WELL_KNOWN:
        return _WRAPPERS.get(field.of, field.of)
    return _SAME_JSON.get(field.type, field.type)


def reads_all(old: Field, new: Field) -> bool:
    """Whether a field takes every single value in JSON that another takes."""
    before, now = json_type(old), json_type(new)
    return before == now or now in _READS.get(before, ())


def becomes_text(old: Field, new: Field) -> bool:
    """Whether JSON has texts for a type where it had numbers: 64-bit integers are written so."""
    return json_type(old) in _NUMBERS and json_type(new) in _TEXTS


def writes_alike(old: Field, new: Field) -> bool:
    """Whether a field's single values are read in JSON by who reads those of another."""
    numbers = {"float", "double"}
    before, now = json_type(old), json_type(new)
    return before == now or {before, now} == numbers


def alike_on_wire(old: Field, new: Field) -> bool:
    """Whether bytes of one type are taken for values of another."""
    return any({old.type, new.type} <= each for each in _SAME_WIRE)


def described(field: Field) -> str:
    """Returns a field's type as a proto has it: `repeated shop.v1.Item`, `map<string, int32>`."""
    value = field.of or field.type
    if field.cardinality == "map":
        return f"map<{field.key}, {value}>"
    return f"repeated {value}" if field.cardinality == "many" else value
