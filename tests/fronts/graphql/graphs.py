"""Registries and graphs of protos that are compiled in this process."""

import tempfile
from functools import cache
from pathlib import Path

import google.api
import grpc_tools
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

from gateway.fronts.graphql.graph.build import Graph, build_graph
from gateway.fronts.graphql.graph.options import GraphOptions
from gateway.schema.registry import Registry

ROOT = Path(__file__).parents[3]
SHOP = ROOT / "protos"
TORTURE = Path(__file__).parent / "graph" / "protos"
_BUNDLED = (
    SHOP,  # gateway/v1/options.proto
    Path(grpc_tools.__file__).with_name("_proto"),
    Path(next(iter(google.api.__path__))).parents[1],
)


def compiled(folder: Path) -> Registry:
    """Compiles all protos below a folder, with their comments."""
    files = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*.proto"))]
    includes = dict.fromkeys(f"-I{path}" for path in (folder, *_BUNDLED))
    with tempfile.TemporaryDirectory() as out:
        target = Path(out) / "all.pb"
        arguments = ["--include_imports", "--include_source_info", f"--descriptor_set_out={target}"]
        assert protoc.main(["protoc", *includes, *arguments, *files]) == 0
        return Registry.build(FileDescriptorSet.FromString(target.read_bytes()).file)


def of_texts(files: dict[str, str]) -> Registry:
    """Compiles protos from their texts, by import name."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = Path(root) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return compiled(Path(root))


def of_text(text: str) -> Registry:
    """Compiles one proto3 file of package `test.v1`, given without its head."""
    head = (
        'syntax = "proto3"; package test.v1;'
        ' import "gateway/v1/options.proto"; import "google/api/field_behavior.proto";'
        ' import "google/api/annotations.proto"; import "google/protobuf/any.proto";'
        ' import "google/protobuf/duration.proto"; import "google/protobuf/empty.proto";'
        ' import "google/protobuf/field_mask.proto"; import "google/protobuf/struct.proto";'
        ' import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";\n'
    )
    return of_texts({"test.proto": head + text})


def graph_of(registry: Registry, options: GraphOptions | None = None, **more) -> Graph:
    """Builds the graph of all services of a registry."""
    methods = [method for service in registry.services() for method in registry.methods(service)]
    return build_graph(methods, registry, options or GraphOptions(), **more)


@cache
def shop_registry() -> Registry:
    """Returns the descriptors of the shop."""
    return compiled(SHOP)


@cache
def shop() -> Graph:
    """Returns the graph of the shop."""
    return graph_of(shop_registry())


@cache
def torture_registry() -> Registry:
    """Returns the descriptors of the torture protos."""
    return compiled(TORTURE)


@cache
def torture() -> Graph:
    """Returns the graph of the torture protos."""
    return graph_of(torture_registry())
