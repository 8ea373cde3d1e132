"""Descriptions: the comments before declarations, read from a file when it is first asked about.

Of a file whose source info is damaged there are none; the registry reports that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FileDescriptor
from google.protobuf.message import DecodeError

from gateway.schema.registry import Registry
from gateway.schema.source_info import Path, locations

# Field numbers in descriptor.proto.
_MESSAGE, _ENUM, _SERVICE = 4, 5, 6  # of a file
_FIELD, _NESTED, _NESTED_ENUM, _ONEOF = 2, 3, 4, 8  # of a message
_VALUE = 2  # of an enum


class Comments:
    """The comments of a registry's files, by full name. Enum values are named below their enum."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._files: dict[str, Mapping[str, str]] = {}

    def of(self, file: FileDescriptor, name: str) -> str | None:
        """Returns the comment of a declaration, None without one.

        Args:
            file: The file that declares it.
            name: Its full name; of an enum's value, `shop.v1.State.STATE_ACTIVE`.
        """
        known = self._files.get(file.name)
        if known is None:
            known = self._files[file.name] = self._read(file)
        return known.get(name)

    def _read(self, file: FileDescriptor) -> Mapping[str, str]:
        info = self._registry.source_info(file.name)
        if not info:
            return {}
        try:
            found = locations(info, _is_described)
        except DecodeError:
            return {}
        return {
            name: comment
            for path, name in _declared(file)
            if path in found and (comment := found[path].comment)
        }


def _is_described(path: Path) -> bool:
    # Comments of methods are in their MethodDescriptor.
    return bool(path) and (path[0] in (_MESSAGE, _ENUM) or (path[0] == _SERVICE and len(path) == 2))


def _declared(file: FileDescriptor) -> Iterator[tuple[Path, str]]:
    """Yields the path and the name of everything in a file that can have a description."""
    for index, enum in enumerate(file.enum_types_by_name.values()):
        yield from _enum((_ENUM, index), enum)
    for index, message in enumerate(file.message_types_by_name.values()):
        yield from _message((_MESSAGE, index), message)
    for index, service in enumerate(file.services_by_name.values()):
        yield (_SERVICE, index), service.full_name


def _message(path: Path, message: Descriptor) -> Iterator[tuple[Path, str]]:
    yield path, message.full_name
    for field in message.fields:
        yield (*path, _FIELD, field.index), field.full_name
    for oneof in message.oneofs:
        yield (*path, _ONEOF, oneof.index), oneof.full_name
    for index, enum in enumerate(message.enum_types):
        yield from _enum((*path, _NESTED_ENUM, index), enum)
    for index, nested in enumerate(message.nested_types):
        yield from _message((*path, _NESTED, index), nested)


def _enum(path: Path, enum: EnumDescriptor) -> Iterator[tuple[Path, str]]:
    yield path, enum.full_name
    for value in enum.values:
        yield (*path, _VALUE, value.index), f"{enum.full_name}.{value.name}"
