"""Input values into messages: what graphql-core has coerced is put where its source says.

Coerced values are those of the scalars' table (`graph.scalars`): int, float, str, bool, bytes; the
number of an enum; (seconds, nanos) of a DateTime or Duration; a tuple of a FieldMask's paths. null
leaves a field unset. What a message can't take (a number out of a field's range, two cases of one
oneof, a repeated key) is refused with the path of the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor
from google.protobuf.message import Message
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    get_named_type,
)

from gateway.call import RpcError
from gateway.fronts.graphql.graph.kinds import WRAPPERS, may_be_null
from gateway.fronts.graphql.graph.sources import Argument, OneofInput, input_source
from gateway.fronts.graphql.plan.presence import mark_set
from gateway.fronts.graphql.plan.scopes import NO_SCOPES, NOTHING_LACKING, Lacking, Scopes, unscoped

_LARGEST_FLOAT = float.fromhex("0x1.fffffep+127")

Put: TypeAlias = Callable[[Message, Any], None]
"""Puts a coerced value into a message. Raises InputError."""


class InputError(Exception):
    """A value that the request can't take.

    Attributes:
        path: Names and indexes, the innermost first.
        denial: What the caller is told that may not give it, whatever it is; else None.
    """

    def __init__(self, message: str, *path: str | int, denial: RpcError | None = None) -> None:
        super().__init__(message)
        self.path = list(path)
        self.denial = denial


class _Slot(NamedTuple):
    put: Put
    oneof: OneofDescriptor | None


class Writers:
    """Makes what puts values into messages; once for each input type.

    Args:
        scopes: Which fields of requests need any.
        lacking: Of these, those that the caller does not have: it can't give such fields.
    """

    def __init__(self, scopes: Scopes = unscoped, lacking: Lacking = NOTHING_LACKING) -> None:
        self._scopes = scopes
        self._lacking = lacking
        self._types: dict[str, dict[str, _Slot]] = {}

    def argument(self, name: str, definition: GraphQLArgument | GraphQLInputField) -> Put:
        """Returns what puts the value of an argument into the request message.

        Args:
            name: The argument's name, for errors.
            definition: The argument; it has a source.
        """
        return self._slot(name, definition).put

    def oneof(self, definition: GraphQLArgument | GraphQLInputField) -> OneofDescriptor | None:
        """Returns the oneof of which a (flat) argument is one case, or None."""
        return _oneof(definition)

    def _slot(self, name: str, definition: GraphQLArgument | GraphQLInputField) -> _Slot:
        source = input_source(definition)
        if isinstance(source, OneofInput):
            return _Slot(_named(name, self.filling(definition.type)), source.descriptor)
        if not isinstance(source, Argument):
            raise TypeError(f"{name} has no source")
        if not source.path:  # `_`, the one field of a message that has none
            return _Slot(_nothing, None)
        if self._lacking.scopes:
            needs = NO_SCOPES.union(*map(self._scopes, source.path))
            if needs & self._lacking.scopes:
                return _Slot(_named(name, _denied(name, needs, self._lacking)), _oneof(definition))
        put = self._field(source.path[-1], definition.type)
        for outer in reversed(source.path[:-1]):
            put = _inside(outer.name, put)
        return _Slot(_named(name, put), _oneof(definition))

    def filling(self, type_: GraphQLInputType) -> Put:
        """Returns what puts the fields of an input object into a message."""
        named = get_named_type(type_)
        if not isinstance(named, GraphQLInputObjectType):
            raise TypeError(f"{type_} is no input object")
        slots = self._types.get(named.name)
        if slots is None:
            slots = self._types[named.name] = {}
            for name, field in named.fields.items():
                slots[field.out_name or name] = self._slot(name, field)
        return _fill(slots)

    def _field(self, field: FieldDescriptor, type_: GraphQLInputType) -> Put:
        if field.is_repeated:
            return self._repeated(field, type_)
        if field.message_type is None:
            return _scalar(field)
        into = self._into(field, type_)
        name = field.name

        def put(message: Message, value: Any) -> None:
            if value is not None:
                inner = getattr(message, name)
                mark_set(inner)
                into(inner, value)

        return put

    def _into(self, field: FieldDescriptor, type_: GraphQLInputType) -> Put:
        """Returns what puts a value into a message that is there already."""
        message = field.message_type
        special = _WELL_KNOWN.get(message.full_name) if message is not None else None
        return special if special is not None else self.filling(type_)

    def _repeated(self, field: FieldDescriptor, type_: GraphQLInputType) -> Put:
        name, message = field.name, field.message_type
        if message is not None and message.GetOptions().map_entry:
            return self._map(field, message, type_)
        if message is None:
            check = _check_of(field)

            def extend(into: Message, values: Any) -> None:
                items = values or ()
                if check is not None:
                    for index, value in enumerate(items):
                        _at(index, check, value)
                try:
                    getattr(into, name).extend(items)
                except (TypeError, ValueError) as wrong:
                    raise InputError(_unfit(field)) from wrong

            return extend
        fill = self._into(field, type_)
        nullable = may_be_null(field)

        def add(into: Message, values: Any) -> None:
            items = getattr(into, name)
            for index, value in enumerate(values or ()):
                added = items.add()
                if value is None and not nullable:
                    raise InputError("Expected a value, found null.", index)
                _at(index, partial(fill, added), value)

        return add

    def _map(self, field: FieldDescriptor, entry: Descriptor, type_: GraphQLInputType) -> Put:
        of_value = entry.fields_by_name["value"]
        key_name, value_name, value_type = _entry_names(type_, entry.fields_by_name["key"])
        name = field.name
        check = _check_of(of_value) if of_value.message_type is None else None
        fill = self._into(of_value, value_type) if of_value.message_type is not None else None
        nullable = may_be_null(of_value)

        def one(into: Any, given: Mapping[str, Any]) -> None:
            key, value = given.get(key_name), given.get(value_name)
            if key is None:
                raise InputError("Expected a key, found none.", key_name)
            if key in into:
                raise InputError("Expected each key once.", key_name)
            try:
                set_value(into, key, value)
            except InputError as wrong:
                wrong.path.append(value_name)
                raise
            except (TypeError, ValueError) as wrong:
                raise InputError(_unfit(field)) from wrong

        def set_value(into: Any, key: Any, value: Any) -> None:
            if fill is not None:
                mark_set(into[key])
                if value is not None or nullable:
                    fill(into[key], value)
            elif value is None:
                into[key] = of_value.default_value
            else:
                if check is not None:
                    check(value)
                into[key] = value

        def put(message: Message, entries: Any) -> None:
            into = getattr(message, name)
            for index, given in enumerate(entries or ()):
                if given is None:
                    raise InputError("Expected an entry, found null.", index)
                _at(index, partial(one, into), given)

        return put


def clash(oneofs: Iterable[tuple[str, OneofDescriptor | None]]) -> InputError | None:
    """Returns what is wrong with given names of which two are cases of one oneof, or None."""
    seen: dict[str, str] = {}
    for name, oneof in oneofs:
        if oneof is None:
            continue
        first = seen.setdefault(oneof.full_name, name)
        if first != name:
            return InputError(f"Expected only one of '{first}' and '{name}'.", name)
    return None


def _fill(slots: Mapping[str, _Slot]) -> Put:
    def fill(message: Message, given: Any) -> None:
        present = [(name, value) for name, value in given.items() if value is not None]
        if wrong := clash((name, slots[name].oneof) for name, _ in present):
            raise wrong
        for name, value in present:
            slots[name].put(message, value)

    return fill


def _oneof(definition: GraphQLArgument | GraphQLInputField) -> OneofDescriptor | None:
    source = input_source(definition)
    if isinstance(source, OneofInput):
        return source.descriptor
    if not isinstance(source, Argument) or len(source.path) != 1:
        return None
    field = source.path[0]
    oneof = field.containing_oneof
    # The oneof of a proto3 `optional` field is the compiler's, and has one case.
    return oneof if oneof is not None and len(oneof.fields) > 1 else None


def _entry_names(
    type_: GraphQLInputType, key: FieldDescriptor
) -> tuple[str, str, GraphQLInputType]:
    """Returns what coerced entries call their key and their value, and the value's type."""
    named = get_named_type(type_)
    if not isinstance(named, GraphQLInputObjectType):
        raise TypeError(f"{type_} is no type of entries")
    of_key = of_value = ""
    value_type: GraphQLInputType | None = None
    for name, field in named.fields.items():
        source = input_source(field)
        if isinstance(source, Argument) and source.path[0].number == key.number:
            of_key = field.out_name or name
        else:
            of_value, value_type = field.out_name or name, field.type
    if value_type is None:
        raise TypeError(f"{type_} has no value")
    return of_key, of_value, value_type


def _nothing(_message: Message, _value: Any) -> None:
    """Puts nothing anywhere."""


def _denied(name: str, needs: frozenset[str], lacking: Lacking) -> Put:
    def refuse(_message: Message, value: Any) -> None:
        if value is not None:
            denial = lacking.denial(name, needs)
            raise InputError(denial.status.message, denial=denial)

    return refuse


def _named(name: str, put: Put) -> Put:
    def named(message: Message, value: Any) -> None:
        try:
            put(message, value)
        except InputError as wrong:
            wrong.path.append(name)
            raise

    return named


def _at(index: int, put: Callable[[Any], None], value: Any) -> None:
    try:
        put(value)
    except InputError as wrong:
        wrong.path.append(index)
        raise


def _inside(name: str, put: Put) -> Put:
    def inside(message: Message, value: Any) -> None:
        if value is not None:
            put(getattr(message, name), value)

    return inside


def _unfit(field: FieldDescriptor) -> str:
    return f"Expected a value that fits {_TYPES.get(field.type, 'the field')}."


def _scalar(field: FieldDescriptor) -> Put:
    name, check = field.name, _check_of(field)

    def put(message: Message, value: Any) -> None:
        if value is None:
            return
        if check is not None:
            check(value)
        try:
            setattr(message, name, value)
        except (TypeError, ValueError) as wrong:
            raise InputError(_unfit(field)) from wrong

    return put


def _check_of(field: FieldDescriptor) -> Callable[[Any], None] | None:
    """Returns what refuses values that protobuf would take and change; None for most types."""
    return _single if field.type == FieldDescriptor.TYPE_FLOAT else None


def _single(value: Any) -> None:
    if value is not None and abs(value) > _LARGEST_FLOAT:
        raise InputError("Expected a value that fits a float of 32 bits.")


_TYPES = {
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_SINT32: "int32",
    FieldDescriptor.TYPE_SFIXED32: "int32",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_FIXED32: "uint32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_SINT64: "int64",
    FieldDescriptor.TYPE_SFIXED64: "int64",
    FieldDescriptor.TYPE_UINT64: "uint64",
    FieldDescriptor.TYPE_FIXED64: "uint64",
    FieldDescriptor.TYPE_STRING: "a string",
    FieldDescriptor.TYPE_ENUM: "the enum",
}


def _instant(message: Any, value: Any) -> None:
    message.seconds, message.nanos = value


def _paths(message: Any, value: Any) -> None:
    message.paths.extend(value)


def _wrapped(message: Any, value: Any) -> None:
    if message.DESCRIPTOR.full_name == "google.protobuf.FloatValue":
        _single(value)
    try:
        message.value = value
    except (TypeError, ValueError) as wrong:
        raise InputError(_unfit(message.DESCRIPTOR.fields_by_name["value"])) from wrong


def _json(message: Any, value: Any) -> None:
    try:
        json_format.ParseDict(value, message, descriptor_pool=message.DESCRIPTOR.file.pool)
    except json_format.ParseError as wrong:
        kind = message.DESCRIPTOR.name
        raise InputError(f"Expected the JSON of a google.protobuf.{kind}.") from wrong


_WELL_KNOWN: Mapping[str, Put] = {
    "google.protobuf.Timestamp": _instant,
    "google.protobuf.Duration": _instant,
    "google.protobuf.FieldMask": _paths,
    **dict.fromkeys(
        (
            "google.protobuf.Struct",
            "google.protobuf.Value",
            "google.protobuf.ListValue",
            "google.protobuf.Any",
        ),
        _json,
    ),
    **dict.fromkeys(WRAPPERS, _wrapped),
}
