"""The types of binding.proto, as a registry and a codec."""

from pathlib import Path

import google.api
import grpc_tools
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

from gateway.schema.codec import Codec
from gateway.schema.registry import Registry


@pytest.fixture(scope="session")
def registry(tmp_path_factory):
    out = tmp_path_factory.mktemp("protos") / "binding.binpb"
    here = Path(__file__).parent
    status = protoc.main(
        [
            "protoc",
            f"-I{here}",
            f"-I{Path(grpc_tools.__file__).with_name('_proto')}",
            f"-I{Path(next(iter(google.api.__path__))).parents[1]}",
            "--include_imports",
            f"--descriptor_set_out={out}",
            str(here / "binding.proto"),
        ]
    )
    assert status == 0
    return Registry.build(FileDescriptorSet.FromString(out.read_bytes()).file)


@pytest.fixture(scope="session")
def codec(registry):
    return Codec(registry)
