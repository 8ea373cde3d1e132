"""The JSON of one field's value: what a `body: "field"` or a `response_body` is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from protobuf import message_from_json_value, wkt

from gateway.schema.codec import well_known
from gateway.schema.codec.check import Check
from gateway.schema.codec.context import Context
from gateway.schema.codec.floats import shortest
from gateway.schema.codec.reader import Reader
from gateway.schema.codec.text import JsonValue, Tree
from gateway.schema.codec.traits import is_map_entry, traits
from gateway.schema.codec.types import Message
from gateway.schema.codec.writer import Writer


class FieldJson:
    """Reads and writes the value of one field.

    Args:
        context: The generation's.
        field: The field.
        get: Takes its value from a message that holds it.
    """

    __slots__ = ("read", "write")

    def __init__(
        self, context: Context, field: FieldDescriptor, get: Callable[[Message], object]
    ) -> None:
        self.read: Callable[[bytes], object]
        self.write = _writer(context, field)
        if field.message_type is not None and not field.is_repeated:
            self.read = message_reader(context, field.message_type).read
            return
        owner = field.containing_type
        assert owner is not None  # it is no extension
        holder = _Source(context, owner)

        def check(run: Check, tree: Tree) -> None:
            run.field(field, tree)

        reader = Reader(
            traits(owner),
            context.max_depth,
            lambda value: holder.native({field.json_name: value}),
            context.check(check),
            lambda value: holder.reference({field.json_name: value}),
        )
        self.read = lambda body: get(reader.read(body))


def message_reader(context: Context, descriptor: Descriptor) -> Reader:
    """Returns the reader of a message type."""
    source = _Source(context, descriptor)

    def check(run: Check, tree: Tree) -> None:
        run.message(descriptor, tree)

    return Reader(
        traits(descriptor),
        context.max_depth,
        source.native,
        context.check(check),
        source.reference,
    )


class _Source:
    """Makes messages of one type from JSON values."""

    def __init__(self, context: Context, descriptor: Descriptor) -> None:
        self._descriptor = descriptor
        self._type = context.types.type(descriptor.full_name)
        self._registry = context.types.as_registry
        self._ignore_unknown = context.options.ignore_unknown_fields
        self._reference = context.reference

    def native(self, value: JsonValue) -> Message:
        return message_from_json_value(
            self._type, value, ignore_unknown_fields=self._ignore_unknown, registry=self._registry
        )

    def reference(self, value: JsonValue) -> Message:
        return self._type.from_binary(self._reference.read(self._descriptor, value))


_T = FieldDescriptor
# The JSON of a scalar is that of its wrapper.
_WRAPPERS: Mapping[int, Callable[..., Message]] = {
    _T.TYPE_DOUBLE: wkt.DoubleValue,
    _T.TYPE_BOOL: wkt.BoolValue,
    _T.TYPE_STRING: wkt.StringValue,
    _T.TYPE_BYTES: wkt.BytesValue,
    **dict.fromkeys((_T.TYPE_INT32, _T.TYPE_SINT32, _T.TYPE_SFIXED32), wkt.Int32Value),
    **dict.fromkeys((_T.TYPE_INT64, _T.TYPE_SINT64, _T.TYPE_SFIXED64), wkt.Int64Value),
    **dict.fromkeys((_T.TYPE_UINT32, _T.TYPE_FIXED32), wkt.UInt32Value),
    **dict.fromkeys((_T.TYPE_UINT64, _T.TYPE_FIXED64), wkt.UInt64Value),
}


def _writer(context: Context, field: FieldDescriptor) -> Callable[[object], bytes]:
    entry = field.message_type if field.is_repeated else None
    if entry is not None and is_map_entry(entry):
        of_map = _single_writer(context, entry.fields_by_name["value"])

        def write_map(value: object) -> bytes:
            members = cast("Mapping[object, object]", value).items()
            return b"{%b}" % b",".join(
                b"%b:%b" % (_key(key), of_map(each)) for key, each in members
            )

        return write_map
    single = _single_writer(context, field)
    if not field.is_repeated:
        return single
    return lambda value: b"[%b]" % b",".join(map(single, cast("Sequence[object]", value)))


def _single_writer(context: Context, field: FieldDescriptor) -> Callable[[object], bytes]:
    if field.message_type is not None:
        write = Writer(context, field.message_type).write
        return lambda value: b"null" if value is None else write(cast("Message", value))
    if field.enum_type is not None:
        return _enum_writer(field.enum_type, as_number=context.options.enums_as_numbers)
    if field.type == _T.TYPE_FLOAT:
        return lambda value: wkt.FloatValue(value=shortest(cast("float", value))).to_json().encode()
    wrapper = _WRAPPERS[field.type]
    return lambda value: wrapper(value=value).to_json().encode()


def _enum_writer(enum: EnumDescriptor, *, as_number: bool) -> Callable[[object], bytes]:
    if enum.full_name == well_known.NULL_VALUE:
        return lambda _: b"null"
    # Of aliases the first is the name.
    names = {} if as_number else {each.number: each.name for each in reversed(enum.values)}

    def write(value: object) -> bytes:
        number = cast("int", value)
        name = names.get(number)
        return b"%d" % number if name is None else b'"%b"' % name.encode()

    return write


def _key(key: object) -> bytes:
    text = str(key).lower() if isinstance(key, bool) else str(key)
    return json.dumps(text, ensure_ascii=False).encode()
