"""Message types as a surface has them, from descriptors.

Options come as the global pool's messages, which know `google.api.field_behavior` once it is
imported. Those of `buf.validate` are read again as messages of the pool that declares them; where
it does not, nobody can have written a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from google.api.field_behavior_pb2 import REQUIRED, field_behavior
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass

from gateway.app.surface.model import Cardinality, Field, Message, Rules
from gateway.routing.fields import map_entry

_F = FieldDescriptor
_NAMES: Final[Mapping[int, str]] = {
    _F.TYPE_DOUBLE: "double",
    _F.TYPE_FLOAT: "float",
    _F.TYPE_INT64: "int64",
    _F.TYPE_UINT64: "uint64",
    _F.TYPE_INT32: "int32",
    _F.TYPE_FIXED64: "fixed64",
    _F.TYPE_FIXED32: "fixed32",
    _F.TYPE_BOOL: "bool",
    _F.TYPE_STRING: "string",
    _F.TYPE_GROUP: "group",
    _F.TYPE_MESSAGE: "message",
    _F.TYPE_BYTES: "bytes",
    _F.TYPE_UINT32: "uint32",
    _F.TYPE_ENUM: "enum",
    _F.TYPE_SFIXED32: "sfixed32",
    _F.TYPE_SFIXED64: "sfixed64",
    _F.TYPE_SINT32: "sint32",
    _F.TYPE_SINT64: "sint64",
}
_VALIDATE: Final = {
    Descriptor: ("google.protobuf.MessageOptions", "buf.validate.message"),
    FieldDescriptor: ("google.protobuf.FieldOptions", "buf.validate.field"),
    OneofDescriptor: ("google.protobuf.OneofOptions", "buf.validate.oneof"),
}


class Types:
    """Reads the types of a pool.

    Args:
        pool: Knows them.

    Attributes:
        messages: Those that were read, by full name.
        enums: Likewise; the number of each value by its name, as they are declared: of several
            names of a number, JSON has the first.
    """

    def __init__(self, pool: DescriptorPool) -> None:
        self.messages: dict[str, Message] = {}
        self.enums: dict[str, Mapping[str, int]] = {}
        try:
            self._validate: Mapping[type, tuple[Any, Any]] = {
                kind: (
                    GetMessageClass(pool.FindMessageTypeByName(options)),
                    pool.FindExtensionByName(extension),
                )
                for kind, (options, extension) in _VALIDATE.items()
            }
        except KeyError:
            self._validate = {}

    def read(self, messages: Iterable[Descriptor]) -> None:
        """Reads message types, and all that they reach."""
        for _ in self.reading(messages):
            pass

    def reading(self, messages: Iterable[Descriptor]) -> Iterator[Descriptor]:
        """Reads as `read` does, and yields each message once it is read."""
        waiting = list(messages)
        while waiting:
            message = waiting.pop()
            if message.full_name in self.messages:
                continue
            fields = sorted(message.fields, key=lambda each: each.number)
            self.messages[message.full_name] = Message(
                tuple(map(self._field, fields)), dict(self._rules_of_message(message))
            )
            for each in fields:
                valued = _valued(each)
                if valued.message_type is not None:
                    waiting.append(valued.message_type)
                elif valued.enum_type is not None:
                    self.enums[valued.enum_type.full_name] = _values(valued.enum_type)
            yield message

    def _field(self, field: FieldDescriptor) -> Field:
        entry, valued = map_entry(field), _valued(field)
        cardinality: Cardinality = "many" if field.is_repeated else "one"
        of = valued.message_type or valued.enum_type
        oneof = field.containing_oneof
        return Field(
            number=field.number,
            name=field.name,
            json_name=field.json_name,
            type=_NAMES[valued.type],
            of="" if of is None else of.full_name,
            cardinality=cardinality if entry is None else "map",
            key="" if entry is None else _NAMES[entry.fields_by_name["key"].type],
            oneof="" if oneof is None or _is_of_optional(oneof) else oneof.name,
            required=field.is_required or _behaves_as_required(field),
            rules=self._rules(field),
        )

    def _rules_of_message(self, message: Descriptor) -> Iterator[tuple[str, Any]]:
        yield from self._rules(message).items()
        for oneof in message.oneofs:
            for name, value in self._rules(oneof).items():
                yield f"oneof.{oneof.name}.{name}", value

    def _rules(self, declaration: Descriptor | FieldDescriptor | OneofDescriptor) -> Rules:
        if not self._validate or not declaration.has_options:
            return {}
        options, extension = next(
            each for kind, each in self._validate.items() if isinstance(declaration, kind)
        )
        said = options.FromString(declaration.GetOptions().SerializeToString())
        if not said.HasExtension(extension):
            return {}
        rules = MessageToDict(said.Extensions[extension], preserving_proto_field_name=True)
        return dict(sorted(_flat(rules)))


def _valued(field: FieldDescriptor) -> FieldDescriptor:
    """Returns the field that has a field's values: of a map, that of its entries."""
    entry = map_entry(field)
    return field if entry is None else entry.fields_by_name["value"]


def _is_of_optional(oneof: OneofDescriptor) -> bool:
    """Whether a oneof only stands for `optional` (descriptor.proto, `proto3_optional`)."""
    return len(oneof.fields) == 1 and oneof.name == f"_{oneof.fields[0].name}"


def _behaves_as_required(field: FieldDescriptor) -> bool:
    return field.has_options and REQUIRED in field.GetOptions().Extensions[field_behavior]


def _values(enum: EnumDescriptor) -> Mapping[str, int]:
    return {each.name: each.number for each in enum.values}


def _flat(rules: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yields rules by their paths; a list is the texts of what is in it, in order."""
    for name, value in rules.items():
        path = f"{above}{name}"
        if isinstance(value, dict):
            yield from _flat(value, f"{path}.")
        else:
            yield path, tuple(map(_text, value)) if isinstance(value, list) else value


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {each}" for name, each in sorted(value.items()))
    return str(value)
