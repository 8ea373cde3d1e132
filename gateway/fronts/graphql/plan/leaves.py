"""The JSON of each kind of field that has no selection: a table by protobuf type.

Strings, whole numbers and booleans can't fail and are written in place. What can fail (an enum's
number without a name, a float that JSON can't hold, a date out of range, a string of proto2 that is
no text) notes its trouble and is null, or makes its parent null where the type says that it can't
be (GraphQL specification, section 6.4.4).
"""

from __future__ import annotations

import json
import math
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FeatureSet
from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLNonNull,
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from gateway.fronts.graphql.execute.trouble import Null, Place, Text
from gateway.fronts.graphql.graph.kinds import WRAPPERS
from gateway.fronts.graphql.graph.scalars.times import write_duration, write_timestamp
from gateway.fronts.graphql.graph.scalars.untyped import ANY
from gateway.fronts.graphql.plan.generated import Access, Code, Piece
from gateway.fronts.graphql.plan.packed import Packed
from gateway.schema.codec.floats import shortest

_WHOLE: Final = frozenset(
    {
        FieldDescriptor.TYPE_INT32,
        FieldDescriptor.TYPE_SINT32,
        FieldDescriptor.TYPE_SFIXED32,
        FieldDescriptor.TYPE_UINT32,
        FieldDescriptor.TYPE_FIXED32,
    }
)
_LONG: Final = frozenset(
    {
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_SINT64,
        FieldDescriptor.TYPE_SFIXED64,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_FIXED64,
    }
)

Convert = Callable[[Any], str]
"""The JSON of a value. Raises NoJson or GraphQLError, in words for a client, where it has none."""


class NoJson(ValueError):  # noqa: N818  it says what a value is, not what went wrong
    """A value that has no JSON; in words for a client."""


def leaf(
    field: FieldDescriptor, type_: GraphQLOutputType, place: Place, access: Access, code: Code
) -> Piece:
    """Returns what writes a field of a scalar or enum type, or a list of them.

    Args:
        field: The field of the message.
        type_: Its type in the graph.
        place: Where it is in the answer.
        access: How the parent is read.
        code: Where names go.
    """
    if is_list_type(get_nullable_type(type_)):
        return _list(field, type_, place, access, code)
    value, piece = access.read(field.name), _single(field, type_, place, access, code)
    if isinstance(type_, GraphQLNonNull) or not (field.has_presence or field.message_type):
        return piece
    text = piece.expression if piece.template == "%s" else f"{piece.template!r} % {value}"
    expression = f"({text} if {access.present(field.name)} else 'null')"
    return Piece("%s", expression, piece.fallible)


def _single(
    field: FieldDescriptor, type_: GraphQLOutputType, place: Place, access: Access, code: Code
) -> Piece:
    value = access.read(field.name)
    if field.message_type is None:
        kind = field.type
        if kind == FieldDescriptor.TYPE_STRING and is_text(field):
            return Piece("%s", f"esc({value})")
        if kind in _WHOLE:
            return Piece("%s", value)
        if kind in _LONG:
            return Piece('"%s"', value)
        if kind == FieldDescriptor.TYPE_BOOL:
            return Piece("%s", f"('true' if {value} else 'false')")
        failed = code.name(_Failure(place, nullable=not isinstance(type_, GraphQLNonNull)), "bad")
        if kind == FieldDescriptor.TYPE_ENUM:
            names = code.name(enum_names(type_), "names")
            unknown = code.name(_unknown(type_), "unknown")
            text = f"({names}.get({value}) or {failed}(run, {unknown}, {value}))"
            return Piece("%s", text, fallible=True)
        if kind == FieldDescriptor.TYPE_DOUBLE:
            written = code.name(_double, "double")
            text = f"(repr({value}) if isfinite({value}) else {failed}(run, {written}, {value}))"
            return Piece("%s", text, fallible=True)
    convert = convert_of(field, type_, access.packed)
    nullable = not isinstance(type_, GraphQLNonNull)
    written = code.name(_guarded(convert, _Failure(place, nullable=nullable)), "text")
    return Piece("%s", f"{written}({value}, run)", fallible=True)


def _list(
    field: FieldDescriptor, type_: GraphQLOutputType, place: Place, access: Access, code: Code
) -> Piece:
    value = access.read(field.name)
    if field.message_type is None:
        kind = field.type
        if kind == FieldDescriptor.TYPE_STRING and is_text(field):
            return Piece("[%s]", f"join(map(esc, {value}))")
        if kind in _WHOLE:
            return Piece("[%s]", f"join(map(str, {value}))")
        if kind in _LONG:
            return Piece("[%s]", f"join(['\"%d\"' % v for v in {value}])")
        if kind == FieldDescriptor.TYPE_BOOL:
            return Piece("[%s]", f"join(['true' if v else 'false' for v in {value}])")
    listed = get_nullable_type(type_)
    item = listed.of_type if is_list_type(listed) else listed
    items = _items(
        convert_of(field, item, access.packed),
        place,
        nullable_item=not isinstance(item, GraphQLNonNull),
        nullable_list=not isinstance(type_, GraphQLNonNull),
    )
    return Piece("%s", f"{code.name(items, 'items')}({value}, run)", fallible=True)


def is_text(field: FieldDescriptor) -> bool:
    """Returns whether a string field always holds text.

    Where its file does not ask for that (proto2), protobuf gives bytes for what is not UTF-8.
    """
    described: Any = field  # the stubs leave the method out
    features = described._GetFeatures()  # noqa: SLF001  to ask the file takes a copy of it
    return bool(features.utf8_validation != FeatureSet.NONE)


def convert_of(field: FieldDescriptor, type_: Any, packed: Packed | None = None) -> Convert:
    """Returns the conversion of one value of a field, for the kinds that a table entry writes."""
    if field.message_type is not None:
        return _message(field.message_type, type_, packed)
    kind = field.type
    if kind == FieldDescriptor.TYPE_ENUM:
        names, unknown = enum_names(type_), _unknown(type_)
        return lambda value: names.get(value) or unknown(value)
    return _CONVERT[kind]


def enum_names(type_: GraphQLOutputType) -> Mapping[int, str]:
    """Returns the JSON of an enum's names by number."""
    enum = get_named_type(type_)
    if not isinstance(enum, GraphQLEnumType):
        raise TypeError(f"{type_} is no enum")
    found: dict[int, str] = {}
    for name, value in enum.values.items():
        found.setdefault(value.value, f'"{name}"')
    return found


def _unknown(type_: GraphQLOutputType) -> Convert:
    name = get_named_type(type_).name

    def unknown(value: Any) -> str:
        raise NoJson(f"The number {value} has no name in the enum {name}.")

    return unknown


def _scalar(type_: Any) -> Convert:
    """Returns the JSON of what a scalar of the graph serializes."""
    serialize = type_.coerce_output_value

    return lambda value: json_text(serialize(value))


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def json_text(value: Any) -> str:
    """Returns the JSON of what a scalar serializes. Raises ValueError for NaN and infinities."""
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    return str(value) if kind is int else _encode(value)


def _message(message: Descriptor, type_: GraphQLOutputType, packed: Packed | None) -> Convert:
    """Returns the JSON of a message that is a scalar: a wrapper is the scalar of its one field."""
    if message.full_name == ANY and packed is not None:
        shown, convert_any = packed.shown, _scalar(get_named_type(type_))
        return lambda value: convert_any(shown(value))
    if write := _NO_ESCAPES.get(message.full_name):
        return lambda value: f'"{write(value)}"'
    if message.full_name not in WRAPPERS:
        return _scalar(get_named_type(type_))
    convert = _CONVERT[message.fields_by_name["value"].type]
    return lambda wrapper: convert(wrapper.value)


# Their scalars' texts have nothing that JSON escapes.
_NO_ESCAPES: Final[Mapping[str, Callable[[Any], str]]] = {
    "google.protobuf.Timestamp": write_timestamp,
    "google.protobuf.Duration": write_duration,
}


def scalar_text(
    message: Descriptor, type_: GraphQLOutputType, place: Place, packed: Packed | None = None
) -> Text:
    """Returns what writes a message that is a scalar in the graph, where it may be null."""
    return _guarded(_message(message, type_, packed), _Failure(place, nullable=True))


def _double(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    raise NoJson(f"A Float can't be {_SPECIAL.get(value, 'NaN')}.")


_SPECIAL: Final = {math.inf: "Infinity", -math.inf: "-Infinity"}


def _float(value: float) -> str:
    return _double(shortest(value) if math.isfinite(value) else value)


def _base64(value: bytes) -> str:
    return f'"{b2a_base64(value, newline=False).decode()}"'


_CONVERT: Final[Mapping[int, Convert]] = {
    FieldDescriptor.TYPE_STRING: encode_basestring,
    FieldDescriptor.TYPE_BYTES: _base64,
    FieldDescriptor.TYPE_DOUBLE: _double,
    FieldDescriptor.TYPE_FLOAT: _float,
    FieldDescriptor.TYPE_BOOL: lambda value: "true" if value else "false",
    **dict.fromkeys(_WHOLE, str),
    **dict.fromkeys(_LONG, '"{}"'.format),
}


class _Failure:
    """What a value that can't be written comes to: null with an error, or Null."""

    __slots__ = ("_nullable", "_place")

    def __init__(self, place: Place, *, nullable: bool) -> None:
        self._place = place
        self._nullable = nullable

    def __call__(self, run: Any, convert: Convert, value: Any) -> str:
        try:
            return convert(value)
        except Exception as wrong:  # noqa: BLE001 - told apart there
            self._place.note(run, words(wrong))
        if self._nullable:
            return "null"
        raise Null


def words(wrong: Exception) -> str:
    """Returns what a client is told of a value that could not be written."""
    if isinstance(wrong, GraphQLError):  # of a scalar
        return wrong.message
    return str(wrong) if isinstance(wrong, NoJson) else _UNWRITABLE


_UNWRITABLE: Final = "The value has no JSON."


def _guarded(convert: Convert, failure: _Failure) -> Text:
    def text(value: Any, run: Any) -> str:
        try:
            return convert(value)
        except Exception:  # noqa: BLE001 - the failure converts again, and notes what is wrong
            return failure(run, convert, value)

    return text


def _items(
    convert: Convert, place: Place, *, nullable_item: bool, nullable_list: bool
) -> Callable[[Any, Any], str]:
    def text(values: Any, run: Any) -> str:
        try:
            return f"[{','.join(map(convert, values))}]"
        except Exception:  # noqa: BLE001 - again, one by one, to find which
            return careful(values, run)

    def careful(values: Any, run: Any) -> str:
        found = []
        for index, value in enumerate(values):
            try:
                found.append(convert(value))
            except Exception as wrong:  # noqa: BLE001 - told apart there
                place.note(run, words(wrong), index)
                if not nullable_item:
                    if nullable_list:
                        return "null"
                    raise Null from None
                found.append("null")
        return f"[{','.join(found)}]"

    return text
