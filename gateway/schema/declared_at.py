"""Where messages, their fields and oneofs are declared: the line of a proto, for operators."""

from __future__ import annotations

from typing import Final, TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor
from google.protobuf.message import DecodeError

from gateway.schema.registry import Registry
from gateway.schema.source_info import NOWHERE, Path, locations

Declaration: TypeAlias = Descriptor | FieldDescriptor | OneofDescriptor

_MESSAGES: Final = 4  # field numbers in descriptor.proto
_NESTED, _FIELDS, _ONEOFS = 3, 2, 8


def declared_at(registry: Registry, declaration: Declaration) -> tuple[str, int]:
    """Returns the file that declares something, as problems name it, and its line, 0 for none.

    Args:
        registry: Knows the file.
        declaration: A message, or a field or oneof of one.
    """
    owner = declaration if isinstance(declaration, Descriptor) else declaration.containing_type
    assert owner is not None, "every field and oneof is of a message"
    name = owner.file.name
    origin = registry.origin(name)
    path = path_of(owner)
    if isinstance(declaration, FieldDescriptor):
        path += (_FIELDS, declaration.index)
    elif isinstance(declaration, OneofDescriptor):
        path += (_ONEOFS, declaration.index)
    info = registry.source_info(name)
    try:
        found = locations(info, path.__eq__) if info else {}
    except DecodeError:
        found = {}  # damaged: then there are no lines to tell
    return origin, found.get(path, NOWHERE).line


def path_of(message: Descriptor) -> Path:
    """Returns the path of a message in the FileDescriptorProto that declares it."""
    above = message.containing_type
    if above is None:
        names = list(message.file.message_types_by_name)  # in the order of the file
        return (_MESSAGES, names.index(message.name))
    names = [each.name for each in above.nested_types]
    return (*path_of(above), _NESTED, names.index(message.name))
