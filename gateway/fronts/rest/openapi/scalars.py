"""Fields of simple types, as JSON Schema: how ProtoJSON writes their values.

64-bit integers are strings: a number of JSON loses digits beyond 2^53 in most clients. Formats are
those of the OpenAPI Format Registry, where it has one. Of the numbers of floats only those that
JSON can write are described: `NaN` and the infinities are strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from google.protobuf.descriptor import FieldDescriptor

Schema: TypeAlias = dict[str, object]
"""A schema, or another object of OpenAPI, as JSON."""

_FLOAT: Final = 3.4028234663852886e38

STRING: Final[Mapping[str, object]] = {"type": "string"}
BOOL: Final[Mapping[str, object]] = {"type": "boolean"}
BYTES: Final[Mapping[str, object]] = {
    "type": "string",
    "format": "byte",
    "contentEncoding": "base64",
}
INT32: Final[Mapping[str, object]] = {
    "type": "integer",
    "format": "int32",
    "minimum": -(2**31),
    "maximum": 2**31 - 1,
}
UINT32: Final[Mapping[str, object]] = {
    "type": "integer",
    "format": "uint32",
    "minimum": 0,
    "maximum": 2**32 - 1,
}
INT64: Final[Mapping[str, object]] = {
    "type": "string",
    "format": "int64",
    "pattern": "^-?[0-9]{1,19}$",
}
UINT64: Final[Mapping[str, object]] = {
    "type": "string",
    "format": "uint64",
    "pattern": "^[0-9]{1,20}$",
}
DOUBLE: Final[Mapping[str, object]] = {"type": "number", "format": "double"}
FLOAT: Final[Mapping[str, object]] = {
    "type": "number",
    "format": "float",
    "minimum": -_FLOAT,
    "maximum": _FLOAT,
}

SCALARS: Final[Mapping[int, Mapping[str, object]]] = {
    FieldDescriptor.TYPE_BOOL: BOOL,
    FieldDescriptor.TYPE_BYTES: BYTES,
    FieldDescriptor.TYPE_DOUBLE: DOUBLE,
    FieldDescriptor.TYPE_FIXED32: UINT32,
    FieldDescriptor.TYPE_FIXED64: UINT64,
    FieldDescriptor.TYPE_FLOAT: FLOAT,
    FieldDescriptor.TYPE_INT32: INT32,
    FieldDescriptor.TYPE_INT64: INT64,
    FieldDescriptor.TYPE_SFIXED32: INT32,
    FieldDescriptor.TYPE_SFIXED64: INT64,
    FieldDescriptor.TYPE_SINT32: INT32,
    FieldDescriptor.TYPE_SINT64: INT64,
    FieldDescriptor.TYPE_STRING: STRING,
    FieldDescriptor.TYPE_UINT32: UINT32,
    FieldDescriptor.TYPE_UINT64: UINT64,
}


def digits_to(limit: int) -> str:
    """Returns the pattern of the integers from 0 to a limit over 9, without anchors."""
    text = str(limit)
    parts = [f"[0-9]{{1,{len(text) - 1}}}"]
    for place, digit in enumerate(text):
        lowest = 0 if place else 1
        if int(digit) > lowest:
            rest = len(text) - place - 1
            parts.append(
                f"{text[:place]}[{lowest}-{int(digit) - 1}]" + f"[0-9]{{{rest}}}" * (rest > 0)
            )
    return "|".join([*parts, text])


def key_names(key: FieldDescriptor) -> Schema | None:
    """Returns what the names of a map's members must be like, by its keys; None for any text."""
    match SCALARS[key.type]["type"], SCALARS[key.type].get("format"):
        case "boolean", _:
            return {"enum": ["true", "false"]}
        case "integer", "int32":
            return {"pattern": f"^(-?({digits_to(2**31 - 1)})|-{2**31})$"}
        case "integer", _:
            return {"pattern": f"^({digits_to(2**32 - 1)})$"}
        case _, "int64" | "uint64":
            # As of values, the format says the range.
            return {name: SCALARS[key.type][name] for name in ("format", "pattern")}
        case _:
            return None
