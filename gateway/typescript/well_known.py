"""Types whose JSON is not that of their fields (ProtoJSON), as TypeScript has them. Data only.

Those with a capital letter are of `runtime/json.ts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from google.protobuf.descriptor import FieldDescriptor

EMPTY: Final = "{ [name: string]: never }"

MESSAGES: Final[Mapping[str, str]] = {
    "google.protobuf.Any": "AnyMessage",
    "google.protobuf.BoolValue": "boolean",
    "google.protobuf.BytesValue": "string",
    "google.protobuf.DoubleValue": "Float",
    "google.protobuf.Duration": "string",
    "google.protobuf.Empty": EMPTY,
    "google.protobuf.FieldMask": "string",
    "google.protobuf.FloatValue": "Float",
    "google.protobuf.Int32Value": "number",
    "google.protobuf.Int64Value": "string",
    "google.protobuf.ListValue": "JsonValue[]",
    "google.protobuf.StringValue": "string",
    "google.protobuf.Struct": "JsonObject",
    "google.protobuf.Timestamp": "string",
    "google.protobuf.UInt32Value": "number",
    "google.protobuf.UInt64Value": "string",
    "google.protobuf.Value": "JsonValue",
}

ANY_JSON: Final = frozenset(
    {"google.protobuf.ListValue", "google.protobuf.Struct", "google.protobuf.Value"}
)
"""What a query writes as JSON."""

EXAMPLES: Final[Mapping[str, str]] = {
    "google.protobuf.Duration": '`"1.5s"`',
    "google.protobuf.FieldMask": '`"title,price.units"`',
    "google.protobuf.Timestamp": '`"2026-01-31T12:00:00Z"`',
}
"""What a text of the type looks like."""

NULL: Final = "google.protobuf.NullValue"

_Kind = FieldDescriptor
SCALARS: Final[Mapping[int, str]] = {
    _Kind.TYPE_BOOL: "boolean",
    _Kind.TYPE_BYTES: "string",
    _Kind.TYPE_DOUBLE: "Float",
    _Kind.TYPE_FIXED32: "number",
    _Kind.TYPE_FIXED64: "string",
    _Kind.TYPE_FLOAT: "Float",
    _Kind.TYPE_INT32: "number",
    _Kind.TYPE_INT64: "string",
    _Kind.TYPE_SFIXED32: "number",
    _Kind.TYPE_SFIXED64: "string",
    _Kind.TYPE_SINT32: "number",
    _Kind.TYPE_SINT64: "string",
    _Kind.TYPE_STRING: "string",
    _Kind.TYPE_UINT32: "number",
    _Kind.TYPE_UINT64: "string",
}
