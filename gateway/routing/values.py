"""The text of one value, from a path or a query, as the value of a field.

Texts are those of ProtoJSON's scalars, strict: no blanks, no digits of other scripts. Of messages
only the well-known types that ProtoJSON writes as one value have a text. Where a text comes from
and where its value goes is not known here.
"""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Callable, Mapping
from typing import TypeAlias

from google.protobuf import field_mask_pb2, wrappers_pb2
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message as GoogleMessage

from gateway.schema.codec import Codec, CodecError

Parse: TypeAlias = "Callable[[str], object]"
"""Turns a text into a field's value. Raises ValueError, whose message says what was expected, as
the end of the sentence "… must be …"."""

_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}", re.ASCII)
_MAX_NUMBER = 400  # characters; no finite number needs more

_BOOLS = {"true": True, "1": True, "false": False, "0": False}
_NOT_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def parse_string(text: str) -> str:
    """Returns the text itself."""
    return text


def parse_bool(text: str) -> bool:
    """Parses `true`, `false`, `1` or `0`."""
    if (value := _BOOLS.get(text)) is None:
        raise ValueError("true, false, 1 or 0")
    return value


def parse_bytes(text: str) -> bytes:
    """Parses base64 in the standard or the URL alphabet, with or without padding."""
    bare = text.rstrip("=")
    if _BASE64.fullmatch(text) is None or (len(text) != len(bare) and len(text) % 4):
        raise ValueError("base64")
    try:
        return base64.urlsafe_b64decode(
            bare.replace("+", "-").replace("/", "_") + "=" * (-len(bare) % 4)
        )
    except ValueError:
        raise ValueError("base64") from None


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if _INTEGER.fullmatch(text) is None or not low <= (value := int(text)) <= high:
            raise ValueError(f"an integer from {low} to {high}")
        return value

    return parse


def parse_double(text: str) -> float:
    """Parses a JSON number, `NaN`, `Infinity` or `-Infinity`; one that is too large is refused."""
    if (special := _NOT_FINITE.get(text)) is not None:
        return special
    if len(text) <= _MAX_NUMBER and _NUMBER.fullmatch(text) is not None:
        value = float(text)
        if abs(value) != float("inf"):
            return value
    raise ValueError("a number, NaN, Infinity or -Infinity")


def parse_float(text: str) -> float:
    """Parses a number as `parse_double`, and rounds it to 32 bits as the message will."""
    value = parse_double(text)
    try:
        (rounded,) = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        raise ValueError("a number in the range of 32 bits") from None
    return float(rounded)


def _enum(enum: EnumDescriptor) -> Callable[[str], int]:
    names: dict[str, int] = {value.name: value.number for value in enum.values}
    numbers = frozenset(names.values())
    any_int32 = _integer(-(2**31), 2**31 - 1)

    def parse(text: str) -> int:
        if (number := names.get(text)) is not None:
            return number
        try:
            number = any_int32(text)
        except ValueError:
            number = None
        # An open enum holds numbers that its proto does not name (ProtoJSON).
        if number is None or (enum.is_closed and number not in numbers):
            raise ValueError(f"the name or number of a value of {enum.full_name}")
        return number

    return parse


_INT32, _INT64 = _integer(-(2**31), 2**31 - 1), _integer(-(2**63), 2**63 - 1)
_UINT32, _UINT64 = _integer(0, 2**32 - 1), _integer(0, 2**64 - 1)

_SCALARS: Mapping[int, Parse] = {
    FieldDescriptor.TYPE_BOOL: parse_bool,
    FieldDescriptor.TYPE_BYTES: parse_bytes,
    FieldDescriptor.TYPE_DOUBLE: parse_double,
    FieldDescriptor.TYPE_FIXED32: _UINT32,
    FieldDescriptor.TYPE_FIXED64: _UINT64,
    FieldDescriptor.TYPE_FLOAT: parse_float,
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_SFIXED32: _INT32,
    FieldDescriptor.TYPE_SFIXED64: _INT64,
    FieldDescriptor.TYPE_SINT32: _INT32,
    FieldDescriptor.TYPE_SINT64: _INT64,
    FieldDescriptor.TYPE_STRING: parse_string,
    FieldDescriptor.TYPE_UINT32: _UINT32,
    FieldDescriptor.TYPE_UINT64: _UINT64,
}

# A wrapper's text is that of its value.
_WRAPPERS: Mapping[str, tuple[Callable[..., GoogleMessage], Parse]] = {
    f"google.protobuf.{kind.__name__}": (kind, parse)
    for kind, parse in (
        (wrappers_pb2.BoolValue, parse_bool),
        (wrappers_pb2.BytesValue, parse_bytes),
        (wrappers_pb2.DoubleValue, parse_double),
        (wrappers_pb2.FloatValue, parse_float),
        (wrappers_pb2.Int32Value, _INT32),
        (wrappers_pb2.Int64Value, _INT64),
        (wrappers_pb2.StringValue, parse_string),
        (wrappers_pb2.UInt32Value, _UINT32),
        (wrappers_pb2.UInt64Value, _UINT64),
    )
}

# How ProtoJSON writes the type, and whether a text is JSON itself (else it becomes a JSON string).
_JSON_TYPES = {
    "google.protobuf.Timestamp": ("a time such as 2026-01-31T12:00:00Z", False),
    "google.protobuf.Duration": ("a duration in seconds such as 1.5s", False),
    "google.protobuf.Struct": ("a JSON object", True),
    "google.protobuf.ListValue": ("a JSON array", True),
    "google.protobuf.Value": ("a JSON value (a text in quotes)", True),
}

FIELD_MASK = "google.protobuf.FieldMask"


def has_text(type_name: str) -> bool:
    """Whether a message type is written as one text."""
    return type_name in _JSON_TYPES or type_name in _WRAPPERS or type_name == FIELD_MASK


def parser(field: FieldDescriptor, codec: Codec) -> Parse:
    """Returns the parser of one value of a field: of an element, where the field is repeated.

    Args:
        field: A scalar or enum field, or one of a message type that `has_text`.
        codec: Makes messages.
    """
    if field.enum_type is not None:
        return _enum(field.enum_type)
    if field.message_type is None:
        return _SCALARS[field.type]
    return _message(field.message_type.full_name, codec)


def _message(type_name: str, codec: Codec) -> Parse:
    message = codec.message(type_name)
    if type_name == FIELD_MASK:
        return lambda text: message.from_wire(field_mask(text))
    if type_name in _WRAPPERS:
        wrapper, parse_value = _WRAPPERS[type_name]
        return lambda text: message.from_wire(wrapper(value=parse_value(text)).SerializeToString())
    expected, is_json = _JSON_TYPES[type_name]

    def parse(text: str) -> object:
        try:
            return message.from_json((text if is_json else json.dumps(text)).encode())
        except CodecError:
            raise ValueError(expected) from None

    return parse


def field_mask(text: str) -> bytes:
    """Returns the serialized FieldMask of paths joined by commas.

    ProtoJSON writes paths in lowerCamelCase, most clients of REST APIs as the proto does: a path
    with a capital letter is taken for the former.
    """
    paths = text.split(",") if text else []
    if not all(paths):
        raise ValueError("the paths of fields joined by commas")
    mask = field_mask_pb2.FieldMask(paths=map(_snake_case, paths))
    return mask.SerializeToString()


def _snake_case(path: str) -> str:
    # Keys of maps stand in backticks (AIP-161) and are no names of fields.
    if "`" in path:
        return path
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), path)
