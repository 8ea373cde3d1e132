"""Types to make messages of: of proto text, of the shop, and random ones with random rules."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

from gateway.mock.messages import Maker
from gateway.schema.cache import Cache
from gateway.schema.folders import Folder
from gateway.schema.load import Sources, load
from gateway.schema.registry import Registry

ROOT = Path(__file__).parents[2]
NOW = 1_800_000_000 * 10**9


def registry_of(folder: Path) -> Registry:
    """The types of a folder's protos."""
    return asyncio.run(load(Sources(folders=[Folder(folder)]), cache=Cache(None))).registry


def maker_of(registry: Registry, *roots: str) -> Maker:
    """What makes messages of a registry's types."""
    return Maker(registry, map(registry.message, roots), lambda: NOW)


RULED = registry_of(ROOT / "tests" / "policies" / "validation")
_RULES = RULED.message("buf.validate.FieldRules")
_OPTIONS = RULED.message("google.protobuf.FieldOptions")
_EXTENSION = RULED.pool.FindExtensionByName("buf.validate.field")


def rules(**given):
    """A message of FieldRules."""
    return GetMessageClass(_RULES)(**given)


SCALARS = [
    kind
    for name, kind in FieldDescriptorProto.Type.items()
    if name not in ("TYPE_MESSAGE", "TYPE_GROUP", "TYPE_ENUM")
]
NAMES = (
    *("id", "name", "title", "user_id", "email", "price", "state", "url", "count", "create_time"),
    *("percent", "items", "tags", "latitude", "is_active", "page_token", "total_size", "x"),
)
WELL_KNOWN = (
    *("Timestamp", "Duration", "FieldMask", "Struct", "Value", "ListValue", "Any", "Empty"),
    *("StringValue", "Int64Value", "BoolValue", "BytesValue", "DoubleValue"),
)
_TYPES = FieldDescriptorProto
_NUMBERS = {
    _TYPES.TYPE_INT32: ("int32", -(2**31), 2**31 - 1),
    _TYPES.TYPE_SINT64: ("sint64", -(2**63), 2**63 - 1),
    _TYPES.TYPE_UINT32: ("uint32", 0, 2**32 - 1),
    _TYPES.TYPE_FIXED64: ("fixed64", 0, 2**64 - 1),
}


@st.composite
def number_rules(draw, kind):
    """Rules that some number keeps."""
    name, least, most = _NUMBERS[kind]
    low, high = sorted(draw(st.tuples(*[st.integers(least + 3, most - 3)] * 2)))
    given = {}
    if draw(st.booleans()):
        given[draw(st.sampled_from(["gte", "gt"]))] = low - 1
    if draw(st.booleans()):
        given[draw(st.sampled_from(["lte", "lt"]))] = high + 1
    if draw(st.integers(0, 5)) == 0:
        given = {"gt": high + 1, "lt": low - 1}  # outside of a range
    if draw(st.integers(0, 5)) == 0:
        given = {"in": [low, high]}
    return {name: given}


@st.composite
def text_rules(draw):
    """Rules that some text keeps."""
    if draw(st.integers(0, 2)) == 0:
        return {"string": {draw(st.sampled_from(FORMATS)): True}}
    least = draw(st.integers(0, 40))
    given = draw(
        st.sampled_from(
            [
                {},
                {"len": least},
                {"min_len": least, "max_len": least + draw(st.integers(0, 20))},
                {"min_bytes": least},
                {"max_bytes": least},
                {"prefix": "a-", "suffix": ".z", "contains": "mid", "min_len": least},
                {"pattern": r"^[a-z]{1,40}(-\d+)*$", "not_in": ["a"]},
                {"in": ["one", "two"], "not_in": ["one"]},
                {"not_contains": "e"},
                {"pattern": "^[A-F]+$", "len": least + 1},
            ]
        )
    )
    return {"string": given}


FORMATS = (
    *("email", "hostname", "ip", "ipv4", "ipv6", "uri", "uri_ref", "address", "uuid", "tuuid"),
    *("ip_with_prefixlen", "ipv4_with_prefixlen", "ipv6_with_prefixlen", "ip_prefix", "ulid"),
    *("ipv4_prefix", "ipv6_prefix", "host_and_port", "protobuf_fqn", "protobuf_dot_fqn"),
)


@st.composite
def rules_of(draw, kind, *, repeated):
    """Rules for a field of a type; often none."""
    if draw(st.booleans()):
        return None
    if kind in _NUMBERS:
        given = draw(number_rules(kind))
    elif kind == _TYPES.TYPE_STRING:
        given = draw(text_rules())
    elif kind == _TYPES.TYPE_BYTES:
        given = {"bytes": draw(st.sampled_from([{"len": 5}, {"min_len": 9}, {"prefix": b"ab"}]))}
    else:
        given = {}
    if repeated:
        low = draw(st.integers(0, 4))
        items = {"repeated": {"min_items": low, "max_items": low + draw(st.integers(0, 3))}}
        if given:
            items["repeated"]["items"] = rules(**given)
        return rules(**items)
    return rules(required=draw(st.booleans()), **given)


@st.composite
def files(draw):
    """A file of a few messages that refer to each other, with an enum, oneofs, maps and rules."""
    file = FileDescriptorProto(name="made/up.proto", package="made.up", syntax="proto3")
    file.dependency.extend(
        [
            "buf/validate/validate.proto",
            *(f"google/protobuf/{name}.proto" for name in ("any", "duration", "empty")),
            *(f"google/protobuf/{name}.proto" for name in ("field_mask", "struct")),
            *(f"google/protobuf/{name}.proto" for name in ("timestamp", "wrappers")),
        ]
    )
    kinds = file.enum_type.add(name="Kind")
    for number in range(draw(st.integers(1, 4))):
        kinds.value.add(name=("KIND_UNSPECIFIED", "A", "B", "C")[number], number=number)
    count = draw(st.integers(1, 4))
    for at in range(count):
        _add_fields(draw, file.message_type.add(name=f"M{at}"), count)
    return file


def _add_fields(draw, message: DescriptorProto, count: int) -> None:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=7))
    grouped = draw(st.booleans()) and len(names) > 1
    if grouped:
        message.oneof_decl.add(name="which")
    for number, name in zip(itertools.count(1), names, strict=False):
        repeated = not (grouped and number <= 2) and draw(st.integers(0, 3)) == 0
        field = message.field.add(name=name, number=number)
        field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
        if grouped and number <= 2:
            field.oneof_index = 0
        sort = draw(st.sampled_from(["scalar"] * 4 + ["enum", "message", "known", "map"]))
        if sort == "map" and not grouped:
            _make_map(draw, message, field)
        elif sort == "message":
            field.type, field.type_name = (
                field.TYPE_MESSAGE,
                f".made.up.M{draw(st.integers(0, count - 1))}",
            )
        elif sort == "known":
            known = draw(st.sampled_from(WELL_KNOWN))
            field.type, field.type_name = field.TYPE_MESSAGE, f".google.protobuf.{known}"
        elif sort == "enum":
            field.type, field.type_name = field.TYPE_ENUM, ".made.up.Kind"
        else:
            field.type = draw(st.sampled_from(SCALARS))
            given = draw(rules_of(field.type, repeated=repeated))
            if given is not None:
                if grouped and number == 2:
                    given.required = False  # two members of a oneof can't both be there
                options = GetMessageClass(_OPTIONS)()
                options.Extensions[_EXTENSION].CopyFrom(given)
                field.options.MergeFromString(options.SerializeToString())


def _make_map(draw, message: DescriptorProto, field: FieldDescriptorProto) -> None:
    camel = "".join(part.capitalize() for part in field.name.split("_"))
    entry = message.nested_type.add(name=f"{camel}Entry")
    entry.options.map_entry = True
    key = draw(st.sampled_from([_TYPES.TYPE_STRING, _TYPES.TYPE_BOOL, _TYPES.TYPE_UINT32]))
    entry.field.add(name="key", number=1, type=key, label=_TYPES.LABEL_OPTIONAL)
    value = entry.field.add(name="value", number=2, label=_TYPES.LABEL_OPTIONAL)
    value.type = draw(st.sampled_from([*SCALARS[:4], _TYPES.TYPE_MESSAGE]))
    if value.type == _TYPES.TYPE_MESSAGE:
        value.type_name = ".made.up.M0"
    field.type, field.label = field.TYPE_MESSAGE, field.LABEL_REPEATED
    field.type_name = f".made.up.{message.name}.{entry.name}"


def built(file: FileDescriptorProto) -> Registry:
    """The types of a file."""
    return Registry.build([RULED.file_bytes["buf/validate/validate.proto"], file])
