"""Whatever descriptors say, the graph is valid: hypothesis makes protos with names that clash."""

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from graphql import validate_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fronts.graphql.graph.options import FieldOptions, GraphOptions, OneofOptions
from gateway.fronts.graphql.graph.sdl import sdl
from gateway.fronts.graphql.graph.sources import input_source, made_of, source_of
from gateway.schema.registry import Registry
from tests.examples import examples
from tests.fronts.graphql import graphs

MESSAGES = ["M", "MInput", "M_", "_M", "m", "Query", "Int", "JSON", "MEntry", "__", "ListEntry"]
FIELDS = ["a", "A", "a_b", "aB", "_a", "__a", "a__b", "_", "__typename", "class", "_1", "o"]
VALUES = ["true", "false", "A", "_A", "__A", "None"]
SCALARS = [
    number
    for name, number in FieldDescriptorProto.Type.items()
    if name not in ("TYPE_MESSAGE", "TYPE_ENUM", "TYPE_GROUP")
]


@st.composite
def files(draw, package: str):
    """Draws a file of messages that refer to each other in any way, and a service over them."""
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    names = draw(st.lists(st.sampled_from(MESSAGES), min_size=1, max_size=4, unique=True))
    values = draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=4, unique=True))
    enum = file.enum_type.add(name="E")
    for number, value in enumerate(values):
        enum.value.add(name=value, number=number)
    for name in names:
        message = file.message_type.add(name=name)
        message.options.deprecated_legacy_json_field_conflicts = True
        fields = draw(st.lists(st.sampled_from(FIELDS), max_size=5, unique=True))
        if united := draw(st.booleans()) and bool(fields):
            message.oneof_decl.add(name="the_oneof")
        for number, field in enumerate(fields, start=1):
            kind = draw(st.sampled_from(["scalar", "enum", "message"]))
            in_oneof = united and (number == 1 or draw(st.booleans()))
            made = message.field.add(
                name=field,
                number=number,
                json_name=draw(st.sampled_from([f"json{number}", "a", "aB", "@", "__x"])),
                label=FieldDescriptorProto.LABEL_OPTIONAL
                if in_oneof or draw(st.booleans())
                else FieldDescriptorProto.LABEL_REPEATED,
            )
            if in_oneof:
                made.oneof_index = 0
            if kind == "scalar":
                made.type = draw(st.sampled_from(SCALARS))
            else:
                of = "E" if kind == "enum" else draw(st.sampled_from(names))
                made.type = (
                    FieldDescriptorProto.TYPE_ENUM
                    if kind == "enum"
                    else FieldDescriptorProto.TYPE_MESSAGE
                )
                made.type_name = f".{package}.{of}"
    service = file.service.add(name="S")
    for number, name in enumerate(names):
        method = service.method.add(
            name=draw(st.sampled_from([f"Get{number}", f"get{number}", f"__get_{number}"])),
            input_type=f".{package}.{name}",
            output_type=f".{package}.{draw(st.sampled_from(names))}",
            server_streaming=draw(st.booleans()),
        )
        method.options.idempotency_level = draw(st.sampled_from([0, 1, 2]))
    return file


@st.composite
def options(draw, protos: list[FileDescriptorProto]):
    """Draws a configuration that hides some fields and makes some oneofs unions."""
    fields, oneofs = {}, {}
    for proto in protos:
        for message in proto.message_type:
            name = f"{proto.package}.{message.name}"
            for field in message.field:
                if draw(st.integers(0, 5)) == 0:
                    fields[f"{name}.{field.name}"] = FieldOptions(hide=True)
            for oneof in message.oneof_decl:
                oneofs[f"{name}.{oneof.name}"] = OneofOptions(union=draw(st.booleans()))
    naming = draw(st.sampled_from(["flat", "by_service"]))
    return GraphOptions(naming=naming, fields=fields, oneofs=oneofs)


@settings(max_examples=examples(2), deadline=None)
@given(st.data())
def test_the_graph_is_valid_whole_and_the_same_in_any_order(data):
    protos = [data.draw(files(package)) for package in ("a.v1", "a.v2", "v1")]
    said = data.draw(options(protos))
    graph = graphs.graph_of(Registry.build(protos), said)
    assert not validate_schema(graph.schema)
    for type_ in graph.schema.type_map.values():
        if made_of(type_) is not None:
            read = source_of if hasattr(type_, "interfaces") else input_source
            assert all(read(field) is not None for field in type_.fields.values())
    assert sdl(graphs.graph_of(Registry.build(protos[::-1]), said)) == sdl(graph)
    for name in graph.types.names():
        assert graph.types.named(name).name == name
