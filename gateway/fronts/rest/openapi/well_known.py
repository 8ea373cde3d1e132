"""The types of google.protobuf whose JSON is not an object of their fields, as JSON Schema.

From the ProtoJSON specification, "Well-Known Types". Wrappers are written as their value, and not
written at all where they are absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.fronts.rest.openapi import scalars

NULL_VALUE: Final = "google.protobuf.NullValue"
"""An enum whose only value is null."""

_PATH: Final = r"[A-Za-z`][A-Za-z0-9.`*]*"

WELL_KNOWN: Final[Mapping[str, Mapping[str, object]]] = {
    "google.protobuf.Any": {
        "type": "object",
        "properties": {
            "@type": {
                "type": "string",
                "pattern": "/[A-Za-z_][A-Za-z0-9_.]*$",
                "description": "What the other members are: `type.googleapis.com/package.Message`.",
            }
        },
        "required": ["@type"],
        "additionalProperties": True,
        "description": "A message of any type that the API knows.",
    },
    "google.protobuf.Duration": {
        "type": "string",
        # Up to 10,000 years (duration.proto), less a second.
        "pattern": rf"^-?({scalars.digits_to(315_575_999_999)})(\.[0-9]{{1,9}})?s$",
        "description": "A duration in seconds, such as `1.5s`.",
    },
    "google.protobuf.FieldMask": {
        "type": "string",
        "pattern": f"^({_PATH}(,{_PATH})*)?$",
        "description": "Paths of fields in lowerCamelCase, joined by commas.",
    },
    "google.protobuf.ListValue": {"type": "array", "items": {}},
    "google.protobuf.Struct": {"type": "object", "additionalProperties": True},
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Value": {"description": "Any JSON value."},
    "google.protobuf.BoolValue": scalars.BOOL,
    "google.protobuf.BytesValue": scalars.BYTES,
    "google.protobuf.DoubleValue": scalars.DOUBLE,
    "google.protobuf.FloatValue": scalars.FLOAT,
    "google.protobuf.Int32Value": scalars.INT32,
    "google.protobuf.Int64Value": scalars.INT64,
    "google.protobuf.StringValue": scalars.STRING,
    "google.protobuf.UInt32Value": scalars.UINT32,
    "google.protobuf.UInt64Value": scalars.UINT64,
}

AS_JSON_TEXT: Final = frozenset(
    f"google.protobuf.{name}" for name in ("Struct", "ListValue", "Value")
)
"""Those whose text, in a query, is JSON itself."""
