"""The codec over protos that have everything, and the reference over the same descriptors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc

from gateway.schema.codec import Codec, JsonOptions, MessageCodec
from gateway.schema.registry import Registry

PROTOS = Path(__file__).parent / "protos"
WELL_KNOWN = Path(protoc.__file__).parent / "_proto"


def compiled(folder: Path, target: Path, *more: Path) -> Registry:
    """Compiles all protos below a folder."""
    files = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*.proto"))]
    includes = [f"-I{path}" for path in (folder, *more, WELL_KNOWN)]
    arguments = ["protoc", *includes, "--include_imports", f"--descriptor_set_out={target}"]
    assert protoc.main([*arguments, *files]) == 0
    return Registry.build(FileDescriptorSet.FromString(target.read_bytes()).file)


@dataclass(frozen=True)
class Reference:
    """json_format over the registry's pool."""

    registry: Registry

    def type(self, name: str) -> type[Message]:
        return GetMessageClass(self.registry.message(name))

    def read(self, name: str, body: str) -> bytes:
        message = self.type(name)()
        json_format.Parse(body, message, descriptor_pool=self.registry.pool)
        return message.SerializeToString()

    def write(self, name: str, wire: bytes, **options: bool) -> str:
        return json_format.MessageToJson(
            self.type(name).FromString(wire), descriptor_pool=self.registry.pool, **options
        )


@pytest.fixture(scope="session")
def registry(tmp_path_factory) -> Registry:
    return compiled(PROTOS, tmp_path_factory.mktemp("descriptors") / "all.pb")


@pytest.fixture(scope="session")
def shop(tmp_path_factory) -> Registry:
    import google.api.annotations_pb2 as annotations

    protos = Path(__file__).parents[3] / "protos"
    googleapis = Path(annotations.__file__).parents[2]
    return compiled(protos, tmp_path_factory.mktemp("descriptors") / "shop.pb", googleapis)


@pytest.fixture(scope="session")
def reference(registry) -> Reference:
    return Reference(registry)


@pytest.fixture(scope="session")
def codec(registry) -> Codec:
    return Codec(registry)


@pytest.fixture(scope="session")
def everything(codec) -> MessageCodec:
    return codec.message("codec.v1.Everything")


@pytest.fixture(scope="session")
def with_options(registry) -> Callable[..., MessageCodec]:
    """Makes the codec of Everything under options."""

    def make(**options: bool) -> MessageCodec:
        return Codec(registry, JsonOptions(**options)).message("codec.v1.Everything")

    return make
