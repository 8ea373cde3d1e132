"""Files that hold descriptor sets."""

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from gateway.schema.cache import Cache
from gateway.schema.folders import Folder
from gateway.schema.load import Sources, load
from gateway.schema.problem import SchemaError
from gateway.schema.protoc import protoc

SHOP = """\
syntax = "proto3";
package shop;
import "google/api/annotations.proto";
service Shop {
  // Gets.
  rpc Get(Item) returns (Item) { option (google.api.http).get = "/v1/{id}"; }
}
message Item { string id = 1; }
"""


def set_of(*files: FileDescriptorProto) -> bytes:
    return FileDescriptorSet(file=files).SerializeToString()


async def test_what_the_compiler_writes_is_read(write, tmp_path):
    """Together with the folder that it was made of: the same content is no clash."""
    path = write({"shop.proto": SHOP})
    loaded = await load(Sources(folders=[Folder(path)]), cache=Cache(None))
    out = tmp_path / "api.binpb"
    files = [loaded.registry.file_bytes[name] for name in loaded.registry.file_bytes]
    out.write_bytes(set_of(*map(FileDescriptorProto.FromString, files)))
    for folders in ([], [Folder(path)]):
        again = await load(Sources(folders=folders, descriptor_sets=[out]), cache=Cache(None))
        (method,) = again.methods["shop.Shop"]
        assert (method.line, method.comment, method.rules[0].template) == (6, "Gets.", "/v1/{id}")


async def test_a_set_without_its_imports_is_completed(write, tmp_path):
    path = write({"name.proto": 'syntax = "proto3"; package p; message Name {}'})
    outcome = await protoc(path, ["name.proto"], tmp_path / "one.binpb")
    assert outcome.ok
    importer = FileDescriptorProto(
        name="a.proto",
        syntax="proto3",
        dependency=["name.proto", "google/type/money.proto", "google/api/annotations.proto"],
    )
    two = tmp_path / "two.binpb"
    two.write_bytes(set_of(importer))
    loaded = await load(Sources(descriptor_sets=[tmp_path / "one.binpb", two]), cache=Cache(None))
    assert loaded.registry.message("p.Name")
    assert loaded.registry.message("google.type.Money")


GOOD = set_of(FileDescriptorProto(name="a.proto", syntax="proto3"))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"", "it is empty", id="empty"),
        pytest.param(GOOD[:-3], "it is cut off: 3 bytes or more are missing", id="cut off"),
        pytest.param(GOOD[:1], "it ends in the middle of a number", id="cut in a length"),
        pytest.param(b'{"file": []}', "byte 0 does not begin a field", id="JSON"),
        pytest.param(b"\x1f\x8b\x08\x00", "byte 0 does not begin a field", id="gzip"),
        pytest.param(b"\x12\x00", "byte 0 does not begin a file", id="another message"),
        pytest.param(b"\x08\x01", "byte 0 does not begin a file", id="a number for a file"),
        pytest.param(b"\x0a\x00", "it holds a file without a name", id="nameless"),
        pytest.param(b"\x0a\x03\x0a\x01\xff", "name that is not UTF-8", id="name not UTF-8"),
        pytest.param(b"\x0a" + b"\xff" * 11, "is longer than 10 bytes", id="endless number"),
    ],
)
async def test_what_is_no_descriptor_set(tmp_path, data, expected):
    path = tmp_path / "api.binpb"
    path.write_bytes(data)
    with pytest.raises(SchemaError) as caught:
        await load(Sources(descriptor_sets=[path]), cache=Cache(None))
    (problem,) = caught.value.problems
    assert problem.where == str(path)
    assert problem.message.startswith("is not a descriptor set: ")
    assert expected in problem.message


async def test_all_sources_report_at_once(tmp_path):
    bad = tmp_path / "bad.binpb"
    bad.write_bytes(b"?")
    with pytest.raises(SchemaError) as caught:
        await load(
            Sources(
                folders=[Folder(tmp_path / "gone")],
                descriptor_sets=[bad, tmp_path / "none.binpb"],
                http_rules=[{"get": "/"}],
            ),
            cache=Cache(None),
        )
    assert [problem.where.removeprefix(f"{tmp_path}/") for problem in caught.value.problems] == [
        "bad.binpb",
        "gone",
        "none.binpb",
        "schema.http_rules[0]",
    ]
