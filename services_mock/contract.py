"""The shop's types and services, compiled from its protos when they are first asked for.

There are no stubs: compiling all protos takes 50 ms, less than importing grpc, so nothing is
cached on disk. The types live in a pool of their own, apart from any other copy in the process.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any

import grpc_tools  # type: ignore[import-untyped]  # ships no types
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parent.parent / "protos"

# google/api and google/type come with googleapis-common-protos, google/protobuf with grpcio-tools.
_GOOGLEAPIS = Path(annotations_pb2.__file__).parent.parent.parent
_WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"


def compile_protos() -> descriptor_pb2.FileDescriptorSet:
    """Compiles the shop's protos, with their imports and comments.

    Raises:
        SystemExit: protoc refused them; it has written why to stderr.
    """
    files = sorted(str(path.relative_to(PROTOS)) for path in (PROTOS / "shop").rglob("*.proto"))
    with tempfile.TemporaryDirectory(prefix="services-mock-") as folder:
        output = Path(folder) / "shop.binpb"
        arguments = [
            "protoc",
            *(f"--proto_path={path}" for path in (PROTOS, _GOOGLEAPIS, _WELL_KNOWN)),
            "--include_imports",
            "--include_source_info",
            f"--descriptor_set_out={output}",
            *files,
        ]
        if protoc.main(arguments) != 0:
            sys.exit(f"services_mock: the protos in {PROTOS} do not compile")
        return descriptor_pb2.FileDescriptorSet.FromString(output.read_bytes())


@dataclass(frozen=True, slots=True)
class Contract:
    """What the shop's protos say: a pool of types, and the services by full name."""

    pool: DescriptorPool
    services: dict[str, ServiceDescriptor]

    def message(self, full_name: str) -> Any:
        """Gives the class of a message, such as `shop.catalog.v1.Product`.

        Raises:
            KeyError: there is no such message.
        """
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(full_name))

    def enum(self, full_name: str) -> type[IntEnum]:
        """Gives an enum, such as `shop.catalog.v1.ProductState`, as Python's.

        Raises:
            KeyError: there is no such enum.
        """
        values = self.pool.FindEnumTypeByName(full_name).values
        make: Any = IntEnum  # its functional form has no type for names that are not literal
        found: type[IntEnum] = make(
            full_name.rpartition(".")[2], [(value.name, value.number) for value in values]
        )
        return found

    def request(self, method: MethodDescriptor) -> Any:
        """Gives the class of a method's requests."""
        return message_factory.GetMessageClass(method.input_type)

    def reply(self, method: MethodDescriptor) -> Any:
        """Gives the class of a method's replies."""
        return message_factory.GetMessageClass(method.output_type)


def _services(
    pool: DescriptorPool, files: descriptor_pb2.FileDescriptorSet
) -> Iterator[ServiceDescriptor]:
    for file in files.file:
        yield from pool.FindFileByName(file.name).services_by_name.values()


@cache
def contract() -> Contract:
    """Compiles the protos once a process; forked children share the result."""
    files = compile_protos()
    pool = DescriptorPool()
    for file in files.file:
        file.ClearField("source_code_info")  # a server's reflection has no comments either
        pool.AddSerializedFile(file.SerializeToString())
    return Contract(pool, {service.full_name: service for service in _services(pool, files)})


class Package:
    """A package's messages and enums as attributes, such as `catalog.Product(id="p1")`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        """Gives the class of a message or an enum.

        Raises:
            AttributeError: the package has neither of this name.
        """
        full_name = f"{self._name}.{name}"
        for find in (contract().message, contract().enum):
            with suppress(KeyError):
                found: Any = find(full_name)
                setattr(self, name, found)
                return found
        raise AttributeError(f"{self._name} has no {name}")


catalog = Package("shop.catalog.v1")
inventory = Package("shop.inventory.v1")
orders = Package("shop.orders.v1")
users = Package("shop.users.v1")
reviews = Package("shop.reviews.v1")
chat = Package("shop.chat.v1")
media = Package("shop.media.v1")
wellknown = Package("google.protobuf")
api = Package("google.api")
common = Package("google.type")
