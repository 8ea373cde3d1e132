"""One file of a schema: its serialized descriptor, and where it came from. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from gateway.schema.serialized import Buffer, cut_source_info, file_name


class Source(IntEnum):
    """Where a file came from."""

    FOLDER = 0
    DESCRIPTOR_SET = 1
    REFLECTION = 2
    BUNDLED = 3  # installed with the gateway: well-known types and googleapis-common-protos


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """A proto file as a descriptor.

    Attributes:
        name: As it is imported, `shop/catalog/v1/catalog.proto`.
        types: The serialized FileDescriptorProto without `source_code_info`.
        source_info: The rest: the field `source_code_info` with its tag, or empty.
        source: The kind of source.
        origin: What to call the file in an error: `protos/shop/catalog/v1/catalog.proto`.
    """

    name: str
    types: Buffer
    source_info: Buffer = b""
    source: Source = Source.DESCRIPTOR_SET
    origin: str = ""

    @classmethod
    def cut(cls, data: Buffer, source: Source, origin: str) -> SchemaFile:
        """Makes one of a serialized FileDescriptorProto; `origin` is where that was found.

        Raises:
            ValueError: It is not a serialized message, or has no name.
        """
        types, info = cut_source_info(data)
        name = file_name(types)
        if not name:
            raise ValueError("it holds a file without a name")
        return cls(name, types, info, source, f"{name} ({origin})" if origin else name)

    def proto(self) -> FileDescriptorProto:
        """Returns the descriptor without its source info.

        Raises:
            google.protobuf.message.DecodeError: It is not one.
        """
        return FileDescriptorProto.FromString(bytes(self.types))

    def serialized(self) -> bytes:
        """Returns the whole serialized FileDescriptorProto, with source info where there is any."""
        return bytes(self.types) + bytes(self.source_info)
