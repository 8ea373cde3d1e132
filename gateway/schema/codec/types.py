"""protobuf-py's message types, made from a descriptor pool when they are first needed.

A type is made with all that it reaches, and nothing else: 0.15 ms a message type, where whole files
with their imports take 30 to 90 ms. A message type has one class, whichever type reached it first,
so messages can be put into each other. Not thread-safe; a generation has its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, TypeAlias, cast

import protobuf
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    EnumValueDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from protobuf import DescExtension, DescMessage, Registry, wkt

# The public way, FileDescriptorSet.to_registry(), makes all types anew at each call, so that two
# types of one name would meet; there is no other way to add to a registry.
from protobuf._file_registry import add_file

if TYPE_CHECKING:
    _Declaration: TypeAlias = Descriptor | EnumDescriptor

# Opaque to callers: made and read by codecs only.
Message: TypeAlias = protobuf.Message


class Types:
    """The message types of a pool.

    It stands in for protobuf-py's `Registry`, which is asked for the types of `Any`s by name, so
    that these too are made when needed. It knows no extensions.
    """

    def __init__(self, pool: DescriptorPool) -> None:
        self._pool = pool
        self._registry = Registry()
        self._units = 0
        self._unknown: set[str] = set()

    @property
    def as_registry(self) -> Registry:
        """Itself, for protobuf-py, which asks it by duck typing."""
        return cast("Registry", self)

    def message(self, name: str) -> DescMessage | None:
        """Returns a message type by its full name; None when the pool has none."""
        found = self._registry.message(name)
        return found if found is not None else self._made(name)

    def type(self, name: str) -> type[Message]:
        """Returns the class of a message type by its full name. KeyError when there is none."""
        found = self.message(name)
        if found is None:
            raise KeyError(name)
        return found.type

    def extension(self, _name: str) -> DescExtension | None:
        """Returns no extension: ProtoJSON's `[full.name]` is an unknown field here."""
        return None

    def extensions_for(self, _type_info: object) -> list[DescExtension]:
        """Returns no extensions."""
        return []

    def extension_for(self, _type_info: object, _number: int) -> DescExtension | None:
        """Returns no extension."""
        return None

    def _made(self, name: str) -> DescMessage | None:
        try:
            root = self._pool.FindMessageTypeByName(name)
        except KeyError:
            return None
        missing = self._missing(root)
        self._units += 1
        for file in _in_order_of_imports({each.file.name: each.file for each in missing}):
            unit = _unit(file, [each for each in missing if each.file.name == file.name])
            # A file is added in several units, each with what was missing; none is ever whole.
            unit.name = f"{file.name}#{self._units}"
            data = unit.SerializeToString()
            add_file(self._registry, wkt.FileDescriptorProto.from_binary(data), None)
        # From the leaves on, as a class makes those that it refers to by recursion.
        for declaration in missing:
            if isinstance(declaration, Descriptor):
                self._make_classes(declaration)
        return self._registry.message(name)

    def _make_classes(self, message: Descriptor) -> None:
        made = self._registry.message(message.full_name)
        if made is not None:  # entries of maps are no messages of the registry
            _ = made.type
        for nested in message.nested_types:
            self._make_classes(nested)

    def _missing(self, root: Descriptor) -> list[_Declaration]:
        """Returns the top-level declarations to add for a type, those referred to first."""
        ordered: dict[str, _Declaration] = {}
        entered = set()
        stack: list[tuple[_Declaration, Iterator[_Declaration]]] = []

        def enter(declaration: _Declaration) -> None:
            top = _top_level(declaration)
            if top.full_name not in entered and not self._has(top):
                entered.add(top.full_name)
                stack.append((top, _references(top)))

        enter(root)
        while stack:
            top, references = stack[-1]
            following = next(references, None)
            if following is None:
                ordered[top.full_name] = top
                stack.pop()
            else:
                enter(following)
        return list(ordered.values())

    def _has(self, top: _Declaration) -> bool:
        if isinstance(top, Descriptor):
            return self._registry.message(top.full_name) is not None
        return self._registry.enum(top.full_name) is not None


def _top_level(declaration: _Declaration) -> _Declaration:
    while declaration.containing_type is not None:
        declaration = declaration.containing_type
    return declaration


def _references(declaration: _Declaration) -> Iterator[_Declaration]:
    """Yields the types of all fields of a message type and of those nested in it."""
    if isinstance(declaration, Descriptor):
        for field in declaration.fields:
            if field.message_type is not None:
                yield field.message_type
            elif field.enum_type is not None:
                yield field.enum_type
        for nested in declaration.nested_types:
            yield from _references(nested)


def _in_order_of_imports(files: dict[str, FileDescriptor]) -> Iterator[FileDescriptor]:
    """Yields files so that what a file imports, also by way of others, stands before it."""
    seen = set()
    stack = [(file, iter(file.dependencies)) for file in files.values()]
    while stack:
        file, imports = stack[-1]
        if file.name in seen:
            stack.pop()
            continue
        for imported in imports:
            if imported.name not in seen:
                stack.append((imported, iter(imported.dependencies)))
                break
        else:
            seen.add(file.name)
            stack.pop()
            if file.name in files:
                yield file


# What the declarations of a file mean depends on these alone.
_KEPT = ("package", "syntax", "edition", "options")


def _unit(file: FileDescriptor, declarations: list[_Declaration]) -> FileDescriptorProto:
    """Returns a file descriptor with some of a file's declarations, their options resolved."""
    unit = FileDescriptorProto()
    file.CopyToProto(unit)
    for field, _ in unit.ListFields():
        if field.name not in _KEPT:
            unit.ClearField(field.name)  # type: ignore[arg-type]  # typed as the known names
    for declaration in declarations:
        if isinstance(declaration, Descriptor):
            declaration.CopyToProto(proto := unit.message_type.add())
            _adapt(declaration, proto)
        else:
            declaration.CopyToProto(enum := unit.enum_type.add())
            _reverse_aliases(enum)
    return unit


def _adapt(message: Descriptor, proto: DescriptorProto) -> None:
    """Changes a message's proto to what protobuf-py takes for it."""
    for field in proto.field:
        # It takes the proto's word, and not all compilers write it.
        field.json_name = message.fields_by_name[field.name].json_name
    proto.ClearField("extension")
    for enum in proto.enum_type:
        _reverse_aliases(enum)
    for nested in proto.nested_type:
        _adapt(message.nested_types_by_name[nested.name], nested)


def _reverse_aliases(enum: EnumDescriptorProto) -> None:
    """Lets the first name of a number be written, where protobuf-py writes the last."""
    if not enum.options.allow_alias:
        return
    values = deepcopy(list(enum.value))
    aliases: dict[int, list[EnumValueDescriptorProto]] = {}
    for value in values:
        aliases.setdefault(value.number, []).append(value)
    for place, value in zip(enum.value, values, strict=True):
        place.CopyFrom(aliases[value.number].pop())
