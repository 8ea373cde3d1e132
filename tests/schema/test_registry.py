"""The registry: what fits together, what is refused and how that is said."""

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodOptions,
    ServiceDescriptorProto,
)
from hypothesis import given
from hypothesis import strategies as st

from gateway.schema.file import SchemaFile, Source
from gateway.schema.http_rules import ANNOTATION
from gateway.schema.merge import merge
from gateway.schema.method import HttpRule
from gateway.schema.problem import SchemaError
from gateway.schema.registry import Registry
from gateway.schema.serialized import cut_source_info, file_name, split_set


def file(
    name="a.proto", *messages: str, imports=(), package="p", services=()
) -> FileDescriptorProto:
    return FileDescriptorProto(
        name=name,
        package=package,
        syntax="proto3",
        dependency=imports,
        message_type=[DescriptorProto(name=message) for message in messages],
        service=services,
    )


def service(name="S", method="Get", options=b"") -> ServiceDescriptorProto:
    made = ServiceDescriptorProto(name=name)
    added = made.method.add(name=method, input_type=".p.M", output_type=".p.M")
    added.options.MergeFromString(options)
    return made


def from_source(proto: FileDescriptorProto, source: Source, origin: str) -> SchemaFile:
    return SchemaFile.cut(proto.SerializeToString(), source, origin)


def refused(*files, **more) -> list[str]:
    with pytest.raises(SchemaError) as caught:
        Registry.build(files, **more)
    return [str(problem) for problem in caught.value.problems]


def test_files_come_in_any_order_as_bytes_or_protos():
    b = file("b.proto", "B", imports=["a.proto"])
    registry = Registry.build([b.SerializeToString(), file("a.proto", "A")])
    assert registry.message("p.B").full_name == "p.B"
    assert registry.message("p.A").file.name == "a.proto"
    assert registry.file_bytes["b.proto"] == b.SerializeToString()
    assert registry.origin("a.proto") == "a.proto"


def test_services_are_sorted_and_unknown_ones_are_key_errors():
    registry = Registry.build([file("a.proto", "M", services=[service("Z"), service("A")])])
    assert registry.services() == ("p.A", "p.Z")
    with pytest.raises(KeyError):
        registry.methods("p.Nope")


def test_registries_are_apart():
    one = Registry.build([file("a.proto", "One")])
    Registry.build([file("a.proto", "Two")])
    with pytest.raises(KeyError):
        one.message("p.Two")


def test_comments_are_kept_apart_and_come_back():
    proto = file("a.proto", "M", services=[service()])
    location = proto.source_code_info.location.add(path=[6, 0, 2, 0], span=[4, 2, 9])
    location.leading_comments = " Gets.\n"
    registry = Registry.build([proto])
    (method,) = registry.methods("p.S")
    assert (method.line, method.comment) == (5, "Gets.")
    assert FileDescriptorProto.FromString(registry.file_bytes["a.proto"]) == proto
    info = FileDescriptorProto(source_code_info=proto.source_code_info)
    assert bytes(registry.source_info("a.proto")) == info.SerializeToString()


def test_files_come_after_those_they_import():
    b = file("b.proto", "B", imports=["a.proto"])
    names = [each.name for each in Registry.build([b, file("a.proto", "A")]).files()]
    assert names.index("a.proto") < names.index("b.proto")


def test_a_comment_that_is_not_utf_8():
    proto = file("a.proto", "M", services=[service()])
    proto.source_code_info.location.add(path=[6, 0, 2, 0], span=[4, 2, 9], leading_comments="caf~")
    data = proto.SerializeToString().replace(b"caf~", b"caf\xe9")
    (method,) = Registry.build([data]).methods("p.S")
    assert method.comment == "caf\N{REPLACEMENT CHARACTER}"


def test_source_info_that_is_damaged():
    data = file("a.proto", "M", services=[service()]).SerializeToString()
    registry = Registry.build([data + b"\x4a\x02\x0a\x7f"])
    assert [method.name for method in registry.methods("p.S")] == ["p.S/Get"]
    assert list(map(str, registry.annotation_problems())) == [
        "a.proto: has damaged source_code_info"
    ]


def test_the_same_file_twice_is_fine():
    assert Registry.build([file("a.proto", "A"), file("a.proto", "A")]).message("p.A")


def test_the_same_file_by_two_generators_is_fine():
    """protoc writes json_name into descriptor sets, and leaves it out in generated code."""
    plain = file("a.proto", "A")
    plain.message_type[0].field.add(
        name="a_b", number=1, type=FieldDescriptorProto.TYPE_STRING, label=1
    )
    named = FileDescriptorProto.FromString(plain.SerializeToString())
    named.message_type[0].field[0].json_name = "aB"
    assert Registry.build([plain, named]).message("p.A").fields_by_name["a_b"].json_name == "aB"
    named.message_type[0].field[0].json_name = "other"
    assert len(refused(plain, named)) == 1


def test_two_versions_of_a_file_are_refused_naming_both():
    a = from_source(file("a.proto", "A"), Source.DESCRIPTOR_SET, "api.binpb")
    b = from_source(file("a.proto", "B"), Source.REFLECTION, "reflection of upstream 'x'")
    assert refused(a, b) == [
        (
            "a.proto (reflection of upstream 'x'): differs from a.proto (api.binpb): one schema has "
            "one a.proto (give the file in one source only, or the same version in both)"
        )
    ]


def test_two_files_that_define_the_same_are_refused_naming_both():
    a = from_source(file("a.proto", "M"), Source.DESCRIPTOR_SET, "one.binpb")
    b = from_source(file("x/a.proto", "M"), Source.DESCRIPTOR_SET, "two.binpb")
    assert refused(a, b) == [
        (
            "x/a.proto (two.binpb): defines p.M, which a.proto (one.binpb) defines too "
            "(is it one file under two import names? Then give it once)"
        )
    ]


def test_a_symbol_twice_in_one_file():
    assert refused(file("a.proto", "M", "M")) == ["a.proto: duplicate symbol 'p.M'"]


@pytest.mark.parametrize(
    "sources", [(Source.REFLECTION, Source.DESCRIPTOR_SET), (Source.REFLECTION, Source.REFLECTION)]
)
@pytest.mark.parametrize("turned", [False, True])
def test_of_a_common_proto_the_largest_version_is_taken(sources, turned):
    old, new = (
        file("google/type/date.proto", *each, package="google.type") for each in ("A", "AB")
    )
    files = [from_source(old, sources[0], "old"), from_source(new, sources[1], "new")]
    registry = Registry.build(files[::-1] if turned else files)
    assert registry.message("google.type.B")


def test_of_a_common_proto_the_users_folder_has_the_last_word():
    own = from_source(file("google/type/date.proto", package="google.type"), Source.FOLDER, "own")
    theirs = from_source(file("google/type/date.proto", "Date"), Source.REFLECTION, "theirs")
    assert merge([theirs, own]) == ([own], [])


def test_missing_imports_are_completed_from_the_bundled_ones():
    registry = Registry.build([file("a.proto", imports=["google/api/annotations.proto"])])
    assert registry.message("google.api.HttpRule")


def test_a_missing_import_names_file_and_import_and_nothing_follows():
    a = from_source(file("a.proto", imports=["no.proto"]), Source.DESCRIPTOR_SET, "api.binpb")
    b = file("b.proto", imports=["a.proto"])
    assert refused(a, b) == [
        (
            "a.proto (api.binpb): imports no.proto, which no source has "
            "(add a descriptor set or a folder that holds no.proto)"
        )
    ]


def test_imports_in_a_circle():
    a, b = file("a.proto", imports=["b.proto"]), file("b.proto", imports=["a.proto"])
    (problem,) = refused(a, b)
    assert problem.endswith("in a circle")
    assert refused(file("a.proto", imports=["a.proto"])) == ["a.proto: imports a.proto in a circle"]


def test_a_long_chain_of_imports_does_not_recurse():
    chain = [file(f"{n}.proto", imports=[f"{n + 1}.proto"]) for n in range(3000)]
    assert Registry.build([*chain, file("3000.proto", "End")]).message("p.End")


def test_a_type_that_no_file_has():
    broken = file("a.proto", "M")
    broken.message_type[0].field.add(name="f", number=1, type=11, label=1, type_name=".p.No")
    assert refused(broken) == ["a.proto: couldn't resolve name '.p.No'"]


def test_types_that_live_in_another_file_than_googles():
    registry = Registry.build([file("mine.proto", "Status", package="google.rpc")])
    assert registry.message("google.rpc.Status").file.name == "mine.proto"
    assert registry.message("google.rpc.BadRequest")


@pytest.mark.parametrize("data", [b"\xff\xff", b"\x0a\x05a", b"\x0b", b"\x08\xff"])
def test_bytes_that_are_no_descriptor(data):
    assert len(refused(data)) == 1


def test_an_annotation_that_is_garbage():
    options = MethodOptions()
    options.Extensions[annotations_pb2.http].get = "/v1"
    whole = file("a.proto", "M", services=[service(options=options.SerializeToString())])
    too_long = whole.SerializeToString().replace(b"\x12\x03/v1", b"\x12\x7f/v1")
    assert refused(too_long) == ["a.proto: is not a file descriptor, or a damaged one"]


RULES = [
    {"selector": "p.S.Get", "get": "/v1/{id}"},
    {
        "selector": "p.S.Get",
        "put": "/v2/{id}",
        "body": "*",
        "response_body": "x",
        "additional_bindings": [{"custom": {"kind": "LIST", "path": "/v2"}}],
    },
]


def test_configured_rules_replace_annotations_and_the_last_wins():
    options = MethodOptions()
    options.Extensions[annotations_pb2.http].get = "/annotated"
    annotated = file("a.proto", "M", services=[service(options=options.SerializeToString())])
    (method,) = Registry.build([annotated]).methods("p.S")
    assert method.rules == (HttpRule("GET", "/annotated", source="a.proto"),)
    (method,) = Registry.build([annotated], http_rules=RULES).methods("p.S")
    assert method.rules == (
        HttpRule("PUT", "/v2/{id}", "*", "x", "schema.http_rules[1] (p.S.Get)"),
        HttpRule("LIST", "/v2", source="schema.http_rules[1] (p.S.Get)"),
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param({"get": "/v1"}, "has no selector", id="no selector"),
        pytest.param({"selector": "p.S.Get"}, "has no HTTP method", id="no method"),
        pytest.param({"selector": "p.S.Get", "get": ""}, "no path in get", id="no path"),
        pytest.param({"selector": "p.S.Get", "gett": "/"}, '"gett"', id="unknown key"),
        pytest.param(
            {"selector": "p.S.Get", "get": "/", "put": "/"}, "get and put", id="two methods"
        ),
        pytest.param(
            {"selector": "p.S.Get", "custom": {"path": "/"}}, "has no kind", id="custom, no kind"
        ),
        pytest.param(
            {"selector": "p.S.Get", "custom": {"kind": "*"}},
            "no path in custom",
            id="custom, no path",
        ),
        pytest.param({"selector": "p.S.Get", "get": 1}, "get", id="not text"),
        pytest.param(
            {"selector": "p.S.Gat", "get": "/"}, "did you mean p.S.Get?", id="no such method"
        ),
        pytest.param({"selector": "p.S.*", "get": "/"}, "names one method", id="a pattern"),
        pytest.param(
            {
                "selector": "p.S.Get",
                "get": "/",
                "additional_bindings": [{"selector": "p.S.Put", "get": "/"}],
            },
            "additional_bindings[0] has a selector",
            id="selector inside",
        ),
    ],
)
def test_a_configured_rule_that_is_wrong(rule, expected):
    (problem,) = refused(file("a.proto", "M", services=[service()]), http_rules=[rule])
    assert problem.startswith("schema.http_rules[0]")
    assert expected in problem


def test_all_that_is_wrong_with_rules_comes_at_once():
    nested = {"get": "/", "additional_bindings": [{"put": "/", "additional_bindings": [{}]}, {}]}
    rules = [{"selector": "p.S.Get", **nested}, {"selector": "p.S.Gat"}, {"get": "/"}]
    assert refused(file("a.proto", "M", services=[service()]), http_rules=rules) == [
        (
            "schema.http_rules[0] (p.S.Get): additional_bindings[0] has additional_bindings itself; "
            "they may be one level deep only"
        ),
        (
            "schema.http_rules[0] (p.S.Get): additional_bindings[1] has no HTTP method; expected "
            "one of get, put, post, delete, patch, custom"
        ),
        (
            "schema.http_rules[1] (p.S.Gat): an HTTP rule has no HTTP method; expected one of get, "
            "put, post, delete, patch, custom"
        ),
        "schema.http_rules[1] (p.S.Gat): there is no method p.S.Gat (did you mean p.S.Get?)",
        "schema.http_rules[2]: has no selector, such as shop.v1.Catalog.Get",
    ]


def test_the_parts_of_a_file_are_the_file_again():
    proto = file("a.proto", "A")
    proto.source_code_info.location.add(path=[4, 0], span=[1, 2, 3])
    data = proto.SerializeToString()
    types, info = cut_source_info(data)
    assert file_name(types) == "a.proto"
    assert FileDescriptorProto.FromString(types + info) == proto
    assert not FileDescriptorProto.FromString(types).HasField("source_code_info")
    whole = FileDescriptorSet(file=[proto, proto]).SerializeToString()
    assert [bytes(each) for each in split_set(memoryview(whole))] == [data, data]


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_schema_error_or_fit(data):
    try:
        Registry.build([data])
    except SchemaError as error:
        assert error.problems


WHOLE = file(
    "a.proto", "M", "N", services=[service()], imports=["google/protobuf/any.proto"]
).SerializeToString()


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_a_descriptor_with_one_byte_changed_is_refused_or_fits(place, byte):
    changed = WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :]
    try:
        registry = Registry.build([changed])
        for name in registry.services():
            registry.methods(name)
    except SchemaError as error:
        assert error.problems


@given(st.binary(max_size=60))
def test_split_set_gives_parts_or_a_value_error(data):
    try:
        parts = split_set(memoryview(data))
    except ValueError:
        return
    assert sum(map(len, parts)) <= len(data)


def test_the_annotations_number_is_that_of_the_specification():
    assert ANNOTATION == 72295728
