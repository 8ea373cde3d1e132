"""Which scalar a kind of field is, and which messages are scalars: the mapping table, as data."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from graphql import GraphQLBoolean, GraphQLFloat, GraphQLInt, GraphQLScalarType, GraphQLString

from gateway.fronts.graphql.graph.scalars import (
    BYTES,
    DATE_TIME,
    DURATION,
    FIELD_MASK,
    INT64,
    JSON,
    UINT32,
    UINT64,
)

_T = FieldDescriptor

FIELD_SCALARS: Mapping[int, GraphQLScalarType] = {
    _T.TYPE_BOOL: GraphQLBoolean,
    _T.TYPE_STRING: GraphQLString,
    _T.TYPE_BYTES: BYTES,
    **dict.fromkeys((_T.TYPE_FLOAT, _T.TYPE_DOUBLE), GraphQLFloat),
    **dict.fromkeys((_T.TYPE_INT32, _T.TYPE_SINT32, _T.TYPE_SFIXED32), GraphQLInt),
    **dict.fromkeys((_T.TYPE_INT64, _T.TYPE_SINT64, _T.TYPE_SFIXED64), INT64),
    **dict.fromkeys((_T.TYPE_UINT32, _T.TYPE_FIXED32), UINT32),
    **dict.fromkeys((_T.TYPE_UINT64, _T.TYPE_FIXED64), UINT64),
}
"""By type of field; all but enums and messages."""

WRAPPERS: Mapping[str, GraphQLScalarType] = {
    f"google.protobuf.{name}Value": scalar
    for name, scalar in {
        "Bool": GraphQLBoolean,
        "Bytes": BYTES,
        "Double": GraphQLFloat,
        "Float": GraphQLFloat,
        "Int32": GraphQLInt,
        "Int64": INT64,
        "String": GraphQLString,
        "UInt32": UINT32,
        "UInt64": UINT64,
    }.items()
}
"""The wrappers of wrappers.proto: the value of their one field, `value`."""

MESSAGE_SCALARS: Mapping[str, GraphQLScalarType] = {
    **WRAPPERS,
    "google.protobuf.Timestamp": DATE_TIME,
    "google.protobuf.Duration": DURATION,
    "google.protobuf.FieldMask": FIELD_MASK,
    "google.protobuf.Struct": JSON,
    "google.protobuf.Value": JSON,
    "google.protobuf.ListValue": JSON,
    "google.protobuf.Any": JSON,
}
"""By full name, the messages that are scalars where they are fields or replies."""

# JSON's null is a value of it, so not even an element of a list is always there.
_NULLABLE = "google.protobuf.Value"


def is_map(field: FieldDescriptor) -> bool:
    """Whether a field is a map: a list of entries, on the wire."""
    return bool(field.message_type is not None and is_entry(field.message_type))


def is_entry(message: Descriptor) -> bool:
    """Whether a message is the entry of a map field."""
    return bool(message.has_options and message.GetOptions().map_entry)


def home(field: FieldDescriptor) -> Descriptor:
    """Returns the message that a field is declared in (no extensions are in the graph)."""
    message = field.containing_type
    assert message is not None
    return message


def message_of(field: FieldDescriptor) -> Descriptor:
    """Returns the message that a field of a message type holds."""
    message = field.message_type
    assert message is not None
    return message


def may_be_null(field: FieldDescriptor) -> bool:
    """Whether one value of a field, an element where it is repeated, may be null though set."""
    return field.message_type is not None and field.message_type.full_name == _NULLABLE
