"""protobuf-py's types from a pool: of all syntaxes, of files in any shape, each made once."""

import json

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from gateway.schema.codec import Codec
from gateway.schema.codec.types import Types
from gateway.schema.registry import Registry


def message(name: str, **fields: str) -> DescriptorProto:
    """A message type with a field for each name, of a scalar or a message type."""
    proto = DescriptorProto(name=name)
    for number, (field, type_name) in enumerate(fields.items(), 1):
        made = proto.field.add(name=field, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
        if type_name == "string":
            made.type = FieldDescriptorProto.TYPE_STRING
        else:
            made.type = FieldDescriptorProto.TYPE_MESSAGE
            made.type_name = type_name
    return proto


def file(
    name: str, *messages: DescriptorProto, imports: tuple[str, ...] = ()
) -> FileDescriptorProto:
    package = name.removesuffix(".proto")
    return FileDescriptorProto(
        name=name, package=package, syntax="proto3", message_type=messages, dependency=imports
    )


def test_only_what_a_type_reaches_is_made(registry):
    types = Types(registry.pool)
    types.type("codec.v1.Plain")
    assert types._registry.message("codec.v1.Everything") is None
    types.type("codec.v1.Everything")
    assert types._registry.message("legacy.v2.Old") is not None
    assert types._registry.message("modern.v1.New") is None


def test_a_type_has_one_class_whoever_reaches_it(registry):
    types = Types(registry.pool)
    inner = types.type("codec.v1.Everything.Inner")
    time = types.type("google.protobuf.Timestamp")
    outer = types.message("codec.v1.Everything")
    assert types.type("codec.v1.Everything.Inner") is inner
    by_name = {field.name: field for field in outer.fields}
    assert by_name["inner"].value.message.type is inner
    assert by_name["time"].value.message.type is time


def test_unknown_types(registry):
    types = Types(registry.pool)
    assert types.message("nope.Nope") is None
    with pytest.raises(KeyError):
        types.type("nope.Nope")


def test_json_names_need_not_be_in_the_descriptors():
    """Descriptors of other compilers, or by reflection, may leave them out."""
    registry = Registry.build([file("a.proto", message("M", foo_bar="string", class_="string"))])
    messages = Codec(registry).message("a.M")
    made = messages.from_json(b'{"fooBar": "x", "class": "y"}')
    assert json.loads(messages.to_json(made)) == {"fooBar": "x", "class": "y"}


def test_files_that_are_imported_twice_over():
    """a imports c and b, b imports c: c must come first, whatever the order of imports."""
    registry = Registry.build(
        [
            file("c.proto", message("C", text="string")),
            file("b.proto", message("B", c=".c.C"), imports=("c.proto",)),
            file("a.proto", message("A", c=".c.C", b=".b.B"), imports=("c.proto", "b.proto")),
        ]
    )
    messages = Codec(registry).message("a.A")
    body = b'{"c":{"text":"x"},"b":{"c":{"text":"y"}}}'
    assert messages.to_json(messages.from_json(body)) == body


def test_a_file_that_is_reached_by_way_of_another_without_types():
    registry = Registry.build(
        [
            file("c.proto", message("C", text="string")),
            FileDescriptorProto(
                name="p.proto", dependency=["c.proto"], public_dependency=[0], syntax="proto3"
            ),
            file("a.proto", message("A", c=".c.C"), imports=("p.proto",)),
        ]
    )
    messages = Codec(registry).message("a.A")
    assert messages.to_json(messages.from_json(b'{"c":{"text":"x"}}')) == b'{"c":{"text":"x"}}'


def test_long_chains_of_types_do_not_recurse():
    chain = [message(f"M{i}", next=f".a.M{i + 1}") for i in range(2000)]
    registry = Registry.build([file("a.proto", *chain, message("M2000", text="string"))])
    messages = Codec(registry).message("a.M0")
    assert messages.to_json(messages.from_json(b'{"next":{"next":{}}}')) == b'{"next":{"next":{}}}'


def test_types_that_refer_to_each_other():
    registry = Registry.build(
        [file("a.proto", message("A", b=".a.B", text="string"), message("B", a=".a.A"))]
    )
    codec = Codec(registry)
    for name, body in (("a.B", b'{"a":{"b":{"a":{}}}}'), ("a.A", b'{"b":{"a":{"text":"x"}}}')):
        messages = codec.message(name)
        assert messages.to_json(messages.from_json(body)) == body


def test_all_types_of_the_example_api(shop):
    codec = Codec(shop)
    names = {
        name
        for service in shop.services()
        for method in shop.methods(service)
        for name in (method.input, method.output)
    }
    assert len(names) > 30
    for name in names:
        messages = codec.message(name)
        assert messages.to_json(messages.from_json(b"{}")) == b"{}"
