"""Which values of a field another field can take: keys of joins, and arguments of calls.

Keys are strings and whole numbers. A number fits where every value of its kind does, so that no
call fails for one parent's value: int32 goes into int64, not the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

_TYPE_NAMES: Mapping[int, str] = {
    number: name.removeprefix("TYPE_").lower() for name, number in FieldDescriptorProto.Type.items()
}
_SIGNED_32 = range(-(2**31), 2**31)
_SIGNED_64 = range(-(2**63), 2**63)
_UNSIGNED_32 = range(2**32)
_UNSIGNED_64 = range(2**64)

_WHOLE = {
    FieldDescriptor.TYPE_INT32: _SIGNED_32,
    FieldDescriptor.TYPE_SINT32: _SIGNED_32,
    FieldDescriptor.TYPE_SFIXED32: _SIGNED_32,
    FieldDescriptor.TYPE_INT64: _SIGNED_64,
    FieldDescriptor.TYPE_SINT64: _SIGNED_64,
    FieldDescriptor.TYPE_SFIXED64: _SIGNED_64,
    FieldDescriptor.TYPE_UINT32: _UNSIGNED_32,
    FieldDescriptor.TYPE_FIXED32: _UNSIGNED_32,
    FieldDescriptor.TYPE_UINT64: _UNSIGNED_64,
    FieldDescriptor.TYPE_FIXED64: _UNSIGNED_64,
}

# What a client can give for a GraphQL scalar of whole numbers.
_SCALARS = {"Int": _SIGNED_32, "UInt32": _UNSIGNED_32}


def whole_numbers(field: FieldDescriptor) -> range | None:
    """Returns the numbers that a field can hold; None where it holds no whole numbers."""
    return _WHOLE.get(field.type)


def is_key(field: FieldDescriptor) -> bool:
    """Whether the values of a field (each, of a repeated one) can be keys."""
    return field.type == FieldDescriptor.TYPE_STRING or field.type in _WHOLE


def fits(source: FieldDescriptor, target: FieldDescriptor) -> bool:
    """Whether every value of one field can be set in another; lists are not looked at."""
    numbers, room = _WHOLE.get(source.type), _WHOLE.get(target.type)
    if numbers is not None and room is not None:
        return _within(numbers, room)
    if source.type == FieldDescriptor.TYPE_FLOAT:
        return target.type in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE)
    if source.enum_type is not None and target.enum_type is not None:
        return bool(source.enum_type.full_name == target.enum_type.full_name)
    return source.type == target.type and source.message_type is None


def same_keys(one: FieldDescriptor, other: FieldDescriptor) -> bool:
    """Whether keys of two fields can be compared: both are strings, or both whole numbers."""
    return is_key(one) and is_key(other) and (one.type in _WHOLE) == (other.type in _WHOLE)


def takes_scalar(name: str, target: FieldDescriptor) -> bool:
    """Whether every value of a GraphQL scalar, other than the field's own, can be set in it."""
    if name == "ID":
        return bool(target.type == FieldDescriptor.TYPE_STRING)
    numbers = _SCALARS.get(name)
    if numbers is None:
        return False
    room = _WHOLE.get(target.type)
    if room is None:  # every number of 32 bits is a double, not every one is a float
        return bool(target.type == FieldDescriptor.TYPE_DOUBLE)
    return _within(numbers, room)


def described(field: FieldDescriptor) -> str:
    """Returns a field's type as a proto writes it: `repeated string`, `shop.v1.Product`."""
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        return f"map<{described(key)}, {described(value)}>"
    named = field.message_type or field.enum_type
    name = named.full_name if named else _TYPE_NAMES[field.type]
    return f"repeated {name}" if field.is_repeated else str(name)


def _within(numbers: range, room: range) -> bool:
    return numbers.start >= room.start and numbers.stop <= room.stop
