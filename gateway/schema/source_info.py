"""Lines and comments of declarations, read from a file's `source_code_info`.

A declaration is named by its path in the FileDescriptorProto, field numbers and indexes: `(6, 0,
2, 1)` is the second RPC of the first service (descriptor.proto, SourceCodeInfo.Location).
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from gateway.schema.serialized import Buffer

Path: TypeAlias = tuple[int, ...]


class Location(NamedTuple):
    """Where a declaration stands, and the comment before it, stripped; or 0 and empty."""

    line: int = 0
    comment: str = ""


NOWHERE = Location()


def locations(source_info: Buffer, wanted: Callable[[Path], bool]) -> dict[Path, Location]:
    """Returns the locations of the wanted declarations of one file.

    Args:
        source_info: The field `source_code_info` with its tag (`SchemaFile.source_info`).
        wanted: Chooses by path.

    Raises:
        google.protobuf.message.DecodeError: It is damaged.
    """
    # A file that has that field only is a FileDescriptorProto too.
    info = FileDescriptorProto.FromString(bytes(source_info)).source_code_info
    found = {}
    for location in info.location:
        path = tuple(location.path)
        if wanted(path):
            comment = textwrap.dedent(_text(location.leading_comments)).strip()
            found[path] = Location(location.span[0] + 1 if location.span else 0, comment)
    return found


def _text(comment: str | bytes) -> str:
    """Returns a comment as text: what is not UTF-8 comes as bytes."""
    return comment if isinstance(comment, str) else comment.decode(errors="replace")
