"""`gateway generate`: descriptors that others read, stubs that Python imports, the graph."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from graphql import build_schema

from gateway.cli.failure import Exit
from tests.cli.conftest import PROTOS, write_config
from tests.cli.processes import invoke


def test_descriptors_are_whole_with_comments_and_in_order(shop: Path) -> None:
    done = invoke("generate", "descriptors", "--out", "out", cwd=shop)
    assert done.code == 0
    files = FileDescriptorSet.FromString((shop / "out" / "descriptors.binpb").read_bytes())
    pool = DescriptorPool()
    for file in files.file:  # each after what it imports, or this fails
        pool.AddSerializedFile(file.SerializeToString())
    assert pool.FindServiceByName("shop.catalog.v1.CatalogService")
    by_name = {file.name: file for file in files.file}
    comments = by_name["shop/catalog/v1/catalog_service.proto"].source_code_info.location
    assert any("Gets one product" in each.leading_comments for each in comments)


def test_a_gateway_serves_the_same_from_its_own_descriptors(shop: Path) -> None:
    invoke("generate", "descriptors", "--out", ".", cwd=shop)
    only = "schema={descriptor_sets: [descriptors.binpb], protos: []}"
    assert (
        invoke("routes", "--set", only, cwd=shop).out.splitlines()
        == invoke("routes", cwd=shop).out.splitlines()
    )


def test_stubs_are_imported_from_the_folder(tmp_path: Path) -> None:
    done = invoke("generate", "python", "--protos", PROTOS, "--out", "stubs", cwd=tmp_path)
    assert done.code == 0
    folder = tmp_path / "stubs" / "shop" / "orders" / "v1"
    assert {path.name for path in folder.iterdir()} == {
        f"{name}{end}"
        for name in ("orders", "orders_service")
        for end in ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py")
    }
    program = (
        "from shop.orders.v1 import orders_service_pb2, orders_service_pb2_grpc\n"
        "print(orders_service_pb2.GetOrderRequest(id='o1').id)\n"
        "print(orders_service_pb2_grpc.OrderServiceStub.__name__)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path / "stubs",
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == ["o1", "OrderServiceStub"]


def test_what_protobuf_brings_is_not_made_again(tmp_path: Path) -> None:
    invoke("generate", "python", "--protos", PROTOS, "--out", "stubs", cwd=tmp_path)
    assert sorted(path.name for path in (tmp_path / "stubs").iterdir()) == ["gateway", "shop"]


def test_stubs_can_be_imported_where_the_gateway_is_not_installed(tmp_path: Path) -> None:
    invoke("generate", "python", "--protos", PROTOS, "--out", "stubs", cwd=tmp_path)
    packages = sysconfig.get_path("purelib")  # without site, so without the gateway of this folder
    program = (
        f"import sys; sys.path += {[str(tmp_path / 'stubs'), packages]}\n"
        "from shop.catalog.v1 import catalog_service_pb2\n"
        "from gateway.v1 import options_pb2; print(options_pb2.__file__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.stdout.strip()) == (
        "",
        str(tmp_path / "stubs" / "gateway" / "v1" / "options_pb2.py"),
    )


def test_stubs_of_protos_with_rules_can_be_imported_too(tmp_path: Path) -> None:
    (tmp_path / "protos").mkdir()
    (tmp_path / "protos" / "ruled.proto").write_text(
        'syntax = "proto3"; import "buf/validate/validate.proto";\n'
        "message Ruled { string a = 1 [(buf.validate.field).string.min_len = 1]; }"
    )
    done = invoke("generate", "python", "--protos", "protos", "--out", "stubs", cwd=tmp_path)
    assert done.code == 0, done.err
    packages = sysconfig.get_path("purelib")
    program = (
        f"import sys; sys.path += {[str(tmp_path / 'stubs'), packages]}\n"
        "import ruled_pb2\n"
        "from buf.validate import validate_pb2\n"
        "field = ruled_pb2.Ruled.DESCRIPTOR.fields[0].GetOptions()\n"
        "print(field.Extensions[validate_pb2.field].string.min_len)\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.stdout.strip()) == ("", "1")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    done = invoke("generate", "descriptors", "--protos", PROTOS, "--out", "out/x", cwd=tmp_path)
    assert done.code == Exit.FAILED
    assert "can't be written" in done.err


SHOP = PROTOS.parent


def test_the_graph_that_is_checked_in_is_current(tmp_path: Path) -> None:
    joins = SHOP / "schema" / "joins.graphql"
    write_config(tmp_path, "127.0.0.1:1", "graphql:", f"  joins: [{json.dumps(str(joins))}]")
    done = invoke("generate", "graphql", "--out", "out", cwd=tmp_path)
    assert done.code == 0
    written = (tmp_path / "out" / "schema.graphql").read_text()
    checked_in = (SHOP / "schema" / "schema.graphql").read_text()
    assert written == checked_in, (
        "make it anew: gateway generate graphql --protos protos --out schema "
        "--set graphql.joins=[schema/joins.graphql]"
    )


def test_the_graph_of_a_folder_takes_no_config(tmp_path: Path) -> None:
    shutil.copytree(SHOP / "schema", tmp_path / "schema")  # where a config would find joins
    done = invoke("generate", "graphql", "--protos", PROTOS, "--out", "out", cwd=tmp_path)
    assert done.code == 0
    types = build_schema((tmp_path / "out" / "schema.graphql").read_text()).type_map
    assert done.out.startswith("wrote out/schema.graphql: ")
    assert "getProduct" in types["Query"].fields
    assert "stock" not in types["Product"].fields, "joins are of a config"
    joins = ["--set", "graphql.joins=[schema/joins.graphql]"]
    invoke("generate", "graphql", "--protos", PROTOS, *joins, "--out", "out", cwd=tmp_path)
    text = (tmp_path / "out" / "schema.graphql").read_text()
    assert text == (SHOP / "schema" / "schema.graphql").read_text(), "unless they are named"


def test_the_document_of_a_folder_takes_no_config(tmp_path: Path) -> None:
    done = invoke("generate", "openapi", "--protos", str(PROTOS), "--out", ".", cwd=tmp_path)
    assert done.code == 0
    document = json.loads((tmp_path / "openapi.json").read_text())
    assert document["openapi"].startswith("3.1")
    assert done.out == f"wrote openapi.json: {len(document['paths'])} paths\n"
    assert "get" in document["paths"]["/v1/products/{id}"]


@pytest.mark.parametrize(
    ("command", "name"),
    [("api", "api.json"), ("graphql", "schema.graphql"), ("openapi", "openapi.json")],
)
def test_check_says_whether_the_file_is_current_and_writes_nothing(
    command: str, name: str, shop: Path
) -> None:
    file, generate = shop / "out" / name, ("generate", command, "--out", "out")
    done = invoke(*generate, "--check", cwd=shop)
    assert (done.code, done.err) == (Exit.FAILED, f"out/{name}: is missing\n")
    assert not file.parent.exists()
    assert invoke(*generate, cwd=shop).code == 0
    done = invoke(*generate, "--check", cwd=shop)
    assert (done.code, done.out) == (0, f"out/{name} is current\n")
    file.write_text("edited")
    done = invoke(*generate, "--check", cwd=shop)
    assert (done.code, done.err) == (Exit.FAILED, f"out/{name}: is not current\n")
    assert file.read_text() == "edited"
    assert invoke(*generate, cwd=shop).code == 0, "it is written over"


def test_there_is_no_document_where_rest_is_off(shop: Path) -> None:
    done = invoke("generate", "openapi", "--set", "rest=false", "--out", ".", cwd=shop)
    assert done.code == Exit.MISTAKE
    assert "rest is off" in done.err


def test_there_is_no_graph_where_it_is_off(shop: Path) -> None:
    done = invoke("generate", "graphql", "--out", "out", "--set", "graphql=false", cwd=shop)
    assert done.code == Exit.MISTAKE
    assert done.err == "graphql is off in the config: there is no graph to write\n"
    assert not (shop / "out").exists()
