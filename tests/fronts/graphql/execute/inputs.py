"""Random input values of any type, as JSON, as a literal, and as the ProtoJSON that they stand for."""

import json

from google.protobuf.descriptor import FieldDescriptor
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
)
from hypothesis import strategies as st

from gateway.fronts.graphql.graph.sources import OneofInput, input_source, made_of

_JSON = st.recursive(
    st.none() | st.booleans() | st.sampled_from([0, 1.5, -3, "", "x", "ü\n"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "bC", "_d"]), inner, max_size=2)
    ),
    max_leaves=4,
)
_PROTO_JSON = {
    "google.protobuf.Struct": st.dictionaries(st.sampled_from(["a", "b_c"]), _JSON, max_size=2),
    "google.protobuf.ListValue": st.lists(_JSON, max_size=3),
    "google.protobuf.Value": _JSON,
    "google.protobuf.Any": st.sampled_from(
        [{"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1.5s"}]
    ),
}
SCALARS = {
    "Boolean": st.booleans(),
    "String": st.sampled_from(["", "p1", 'quote " \\ /', "ß😀", "\n\t"]),
    "Int": st.sampled_from([0, 1, -1, 2**31 - 1, -(2**31)]),
    "UInt32": st.sampled_from([0, 1, 2**32 - 1]),
    "Int64": st.sampled_from([0, "1", "-9223372036854775808", 2**53, 7]),
    "UInt64": st.sampled_from([0, "1", "18446744073709551615", 7]),
    "Bytes": st.sampled_from(["", "YQ==", "YQ", "_-8", "+/8="]),
    "DateTime": st.sampled_from(
        ["1970-01-01T00:00:00Z", "2024-02-29T12:30:00.123456789+02:00", "9999-12-31T23:59:59Z"]
    ),
    "Duration": st.sampled_from(["0s", "-1.5s", "315576000000s", "0.000000001s"]),
    "FieldMask": st.sampled_from(["", "title", "title,price.currencyCode"]),
}
_DOUBLES = st.sampled_from([0, 1, -1.5, 1e300, 0.1, 4.3])
_SINGLES = st.sampled_from([0, 1, -1.5, 3.4028234e38, 4.3])


@st.composite
def values(draw, definition, depth=3):
    """A JSON value that an argument, or a field of an input type, takes."""
    return draw(_of_type(definition.type, _last(definition), depth))


def _last(definition):
    source = input_source(definition)
    return None if isinstance(source, OneofInput) or not source.path else source.path[-1]


def _of_type(type_, field, depth):
    if isinstance(type_, GraphQLNonNull):
        return _of_type(type_.of_type, field, depth)
    if isinstance(type_, GraphQLList):
        item = _of_type(type_.of_type, field, depth)
        many = st.lists(item, max_size=3)
        if _is_map(field):
            return many.map(_with_distinct_keys)
        if isinstance(get_named_type(type_), GraphQLInputObjectType) or depth < 0:
            return many
        return many if get_named_type(type_).name == "JSON" else many | item
    if isinstance(type_, GraphQLEnumType):
        return st.sampled_from(sorted(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        return _objects(type_, depth)
    if type_.name == "JSON":
        return _PROTO_JSON[field.message_type.full_name]
    if type_.name == "Float":
        return _SINGLES if _is_single(field) else _DOUBLES
    return SCALARS[type_.name]


def _is_single(field):
    message = field.message_type
    if message is not None:
        return message.full_name == "google.protobuf.FloatValue"
    return field.type == FieldDescriptor.TYPE_FLOAT


def _is_map(field):
    return (
        field is not None
        and field.message_type is not None
        and field.message_type.GetOptions().map_entry
    )


def _with_distinct_keys(entries):
    return list({json.dumps(each["key"]): each for each in entries}.values())


@st.composite
def _objects(draw, type_, depth):
    fields = type_.fields
    if type_.is_one_of:
        chosen = [draw(st.sampled_from(sorted(fields)))]
    else:
        required = [name for name in fields if isinstance(fields[name].type, GraphQLNonNull)]
        made = made_of(type_)
        if made.entry:
            required = list(fields)
        optional = [name for name in fields if name not in required and name != "_"]
        more = draw(st.lists(st.sampled_from(optional), max_size=3)) if optional else []
        if depth <= 0:
            more = []
        chosen = one_of_each(dict.fromkeys([*required, *more]), fields)
    return {name: draw(values(fields[name], depth - 1)) for name in chosen}


def one_of_each(names, definitions):
    """Leaves out what would be the second case of a oneof."""
    seen, kept = set(), []
    for name in names:
        source = input_source(definitions[name])
        oneof = None
        if isinstance(source, OneofInput):
            oneof = source.descriptor
        elif source.path:
            oneof = source.path[0].containing_oneof
        if oneof is None or oneof.full_name not in seen:
            kept.append(name)
        if oneof is not None:
            seen.add(oneof.full_name)
    return kept


def is_writable(value):
    """Whether there is a literal of a value: keys such as `@type` are no names."""
    return "@type" not in json.dumps(value)


def literal(type_, value):
    """Writes a JSON value as a literal of a document."""
    if isinstance(type_, GraphQLNonNull):
        return literal(type_.of_type, value)
    if value is None:
        return "null"
    if isinstance(type_, GraphQLList):
        if isinstance(value, list):
            return f"[{', '.join(literal(type_.of_type, each) for each in value)}]"
        return literal(type_.of_type, value)
    if isinstance(type_, GraphQLEnumType):
        return value
    if isinstance(type_, GraphQLInputObjectType):
        inner = (
            f"{name}: {literal(type_.fields[name].type, each)}" for name, each in value.items()
        )
        return f"{{{', '.join(inner)}}}"
    return _plain(value)


def _plain(value):
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_plain(each)}' for name, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    return json.dumps(value)


def proto_json(definitions, given):
    """The ProtoJSON of the message that arguments, or the fields of an input object, make."""
    found = {}
    for name, value in given.items():
        if value is None:
            continue
        definition = definitions[name]
        source = input_source(definition)
        if isinstance(source, OneofInput):
            found |= proto_json(get_named_type(definition.type).fields, value)
        elif source.path:
            inner = _proto_value(definition.type, source.path[-1], value)
            found |= {source.path[-1].name: inner}
    return found


def _proto_value(type_, field, value):
    if isinstance(type_, GraphQLNonNull):
        return _proto_value(type_.of_type, field, value)
    if isinstance(type_, GraphQLList):
        given = value if isinstance(value, list) else [value]
        if _is_map(field):
            fields = get_named_type(type_).fields
            of_value = fields["value"].type
            inner = field.message_type.fields_by_name["value"]
            return {
                _key(each["key"]): _proto_value(of_value, inner, each["value"]) for each in given
            }
        return [_proto_value(type_.of_type, field, each) for each in given]
    if isinstance(type_, GraphQLEnumType):
        return type_.values[value].value
    if isinstance(type_, GraphQLInputObjectType):
        return proto_json(type_.fields, value)
    return value


def _key(value):
    return json.dumps(value) if isinstance(value, bool) else str(value)
