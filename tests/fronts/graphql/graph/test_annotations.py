"""gateway/v1/options.proto: that everyone finds it, and that what it says is read."""

from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

from gateway.fronts.graphql.graph.annotations import method_options
from gateway.fronts.graphql.graph.options import (
    DeclaredLookup,
    FieldOptions,
    MethodOptions,
    OneofOptions,
)
from gateway.schema import bundled
from gateway.schema.cache import Cache
from gateway.schema.folders import Folder
from gateway.schema.load import Sources, load
from gateway.schema.registry import Registry
from gateway.v1 import options_pb2
from tests.fronts.graphql import graphs

NAME = "gateway/v1/options.proto"
USING = (
    f'syntax = "proto3"; package x.v1; import "{NAME}";'
    " service S { rpc Get(M) returns (M) { option (gateway.v1.method).kind = QUERY; } }"
    ' message M { string a = 1 [(gateway.v1.field).name = "b"]; }'
)


def test_the_python_side_is_what_the_compiler_makes_of_the_proto(tmp_path):
    out = tmp_path / "options.pb"
    includes = [f"-I{graphs.SHOP}", f"-I{Path(protoc.__file__).parent / '_proto'}"]
    assert not protoc.main(["protoc", *includes, f"--descriptor_set_out={out}", NAME])
    (file,) = FileDescriptorSet.FromString(out.read_bytes()).file
    for extension in file.extension:
        extension.ClearField("json_name")  # the compiler's plug-ins are not given it
    for message in file.message_type:
        for field in message.field:
            field.ClearField("json_name")
    assert options_pb2.DESCRIPTOR.serialized_pb == file.SerializeToString()


async def test_the_compiler_finds_it_without_a_copy(tmp_path):
    folder = tmp_path / "protos"
    folder.mkdir()
    (folder / "x.proto").write_text(USING)
    loaded = await load(Sources(folders=[Folder(folder)]), cache=Cache(tmp_path / "cache"))
    methods = [method for each in loaded.methods.values() for method in each]
    graph = graphs.build_graph(methods, loaded.registry)
    assert list(graph.schema.query_type.fields["get"].args) == ["b"]


def test_a_registry_completes_files_with_it():
    assert bundled.find(NAME).name == NAME
    (file,) = [
        f for f in graphs.of_texts({"x.proto": USING}).file_bytes.items() if f[0] == "x.proto"
    ]
    assert NAME in Registry.build([file[1]]).file_bytes


def test_options_are_read_of_files_whose_import_was_cut_off():
    """As code generators of some languages do, and backends serve it by reflection."""
    proto = FileDescriptorSet().file.add()
    proto.ParseFromString(graphs.of_texts({"x.proto": USING}).file_bytes["x.proto"])
    del proto.dependency[:]
    registry = Registry.build([proto])
    assert NAME not in registry.file_bytes
    assert list(graphs.graph_of(registry).schema.query_type.fields["get"].args) == ["b"]


def test_lookups_are_read():
    registry = graphs.of_text(
        "service S { rpc Get(M) returns (M) { option (gateway.v1.method).lookups = {"
        ' type: "x.P" keys: "ids" items: "products" by: "id" max_batch: 7 mask: "read_mask" };'
        ' option (gateway.v1.method).lookups = { type: "x.Q" keys: "id" }; } }'
        " message M { string id = 1; }"
    )
    method = registry.pool.FindServiceByName("test.v1.S").methods_by_name["Get"]
    assert method_options(method).lookups == (
        DeclaredLookup("x.P", "ids", "products", "id", 7, "read_mask"),
        DeclaredLookup("x.Q", "id"),
    )


@pytest.mark.parametrize(
    ("configured", "declared", "both"),
    [
        (FieldOptions(name="a"), FieldOptions("b", True), FieldOptions("a", True)),
        (FieldOptions(hide=False), FieldOptions("b", True), FieldOptions("b", False)),
        (FieldOptions(), FieldOptions(scopes=("a",)), FieldOptions(scopes=("a",))),
        (FieldOptions(scopes=("b",)), FieldOptions(scopes=("a",)), FieldOptions(scopes=("b",))),
        (FieldOptions(scopes=()), FieldOptions(scopes=("a",)), FieldOptions(scopes=())),
        (OneofOptions(), OneofOptions(True), OneofOptions(True)),
        (OneofOptions(False), OneofOptions(True), OneofOptions(False)),
        (
            MethodOptions(aliases=("x",), hide=False),
            MethodOptions("n", ("y",), True, "query"),
            MethodOptions("n", ("x",), False, "query"),
        ),
    ],
    ids=["name", "hide", "no scopes", "scopes", "scopes taken back", "not said", "said", "method"],
)
def test_what_one_says_counts_more_than_the_other(configured, declared, both):
    assert configured.over(declared) == both
