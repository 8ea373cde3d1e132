"""Messages and enums as JSON Schema: the components that operations refer to.

A message is described twice where it is both sent and answered. What requests hold has the members
that must be given, the rules that they keep, and no others than its fields; what replies hold may
have more one day, and promises no member that could be left out. The one in requests is called
`package.Message-Input` then, which is the name of no message. Of one that an `update_mask` is
about, requests have what changes: that is a third one, `package.Message-Change`, where a whole one
has members that must be given.

Names are those that ProtoJSON writes. It takes more than is said here (numbers for enums, both
spellings of a field, null): whoever sends what is described is always understood.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import combinations
from typing import Final, NamedTuple

from google.api import field_behavior_pb2
from google.protobuf.descriptor import (
    Descriptor,
    EnumDescriptor,
    FieldDescriptor,
    FileDescriptor,
    OneofDescriptor,
)

from gateway.fronts.rest.openapi.constraints import Constraints
from gateway.fronts.rest.openapi.scalars import SCALARS, Schema, key_names
from gateway.fronts.rest.openapi.texts import Text, joined, text_of
from gateway.fronts.rest.openapi.well_known import NULL_VALUE, WELL_KNOWN
from gateway.routing.fields import Path, is_masked, map_entry
from gateway.schema.codec import JsonOptions
from gateway.schema.comments import Comments
from gateway.schema.registry import Registry

SCHEMAS: Final = "#/components/schemas/"
EXCLUSIVE: Final = "x-at-most-one"
"""Lists of members of which one at most is given, where JSON Schema would say it at length."""

_REQUIRED, _OUTPUT_ONLY, _INPUT_ONLY, _IMMUTABLE = 2, 3, 4, 5  # google.api.FieldBehavior
_MANY_MEMBERS: Final = 16
"""Of a oneof with more members JSON Schema does not say that they exclude each other."""


class Use(Enum):
    """Where a message is used."""

    INPUT = "input"
    CHANGE = "change"
    """In a request, with a mask that names what changes."""
    OUTPUT = "output"


class _Key(NamedTuple):
    """What a component is of."""

    name: str
    use: Use | None


@dataclass(frozen=True, slots=True)
class Style:
    """How JSON is written and read, as far as a description can tell.

    Attributes:
        json: The codec's options.
    """

    json: JsonOptions

    def name(self, field: FieldDescriptor) -> str:
        """Returns the name that a field has in JSON."""
        return field.name if self.json.proto_names else field.json_name


class Schemas:
    """Makes schemas, and gathers the components that they refer to.

    Args:
        registry: Knows the types.
        comments: Those of its files.
        style: How JSON looks.
    """

    def __init__(self, registry: Registry, comments: Comments, style: Style) -> None:
        self.style = style
        self._comments = comments
        self._constraints = Constraints(registry.pool)
        self._made: dict[_Key, Schema] = {}
        self._pending: list[tuple[_Key, Descriptor]] = []
        self._references: list[tuple[Schema, _Key]] = []

    def text(self, of: Descriptor | FieldDescriptor | EnumDescriptor | OneofDescriptor) -> Text:
        """Returns what the comment of a declaration says."""
        inside = of if isinstance(of, (Descriptor, EnumDescriptor)) else of.containing_type
        assert inside is not None, "fields of messages only"
        file: FileDescriptor = inside.file
        return text_of(self._comments.of(file, of.full_name))

    def message(self, message: Descriptor, use: Use, bound: Collection[Path] = ()) -> Schema:
        """Returns the schema of a message.

        Args:
            message: Its type.
            use: Where it is used.
            bound: Paths of fields that it has not, for the path of the request has them.
        """
        known = WELL_KNOWN.get(message.full_name)
        if known is not None:
            return dict(known)
        if use is Use.CHANGE and not any(map(_is_said_to_be_required, message.fields)):
            use = Use.INPUT
        if bound:
            return self._object(message, use, bound)
        return self._reference(_Key(message.full_name, use), message)

    def field(self, field: FieldDescriptor, use: Use, bound: Collection[Path] = ()) -> Schema:
        """Returns the schema of a field's value, with what its proto says of it.

        Args:
            field: The field.
            use: Where it is used.
            bound: Paths in its message, see `message`.
        """
        schema = self.value(field, use, bound)
        words: tuple[str, ...] = ()
        if use is not Use.OUTPUT:
            found = self._constraints.of_field(field, schema)
            schema |= found.keywords
            words = found.words
        text = self.text(field)
        behavior = behavior_of(field)
        if _IMMUTABLE in behavior:
            words = (*words, "Can't be changed later.")
        description = joined(text.description, *words)
        if description:
            schema["description"] = description
        if examples := text.examples_of(schema.get("type")):
            schema["examples"] = examples
        if field.GetOptions().deprecated or text.deprecated:
            schema["deprecated"] = True
        if _OUTPUT_ONLY in behavior:
            schema["readOnly"] = True
        elif _INPUT_ONLY in behavior:
            schema["writeOnly"] = True
        return schema

    def value(self, field: FieldDescriptor, use: Use, bound: Collection[Path] = ()) -> Schema:
        """Returns the schema of a field's value, by its type alone."""
        entry = map_entry(field)
        if entry is not None:
            schema: Schema = {"type": "object"}
            names = key_names(entry.fields_by_name["key"])
            if names is not None:
                schema["propertyNames"] = names
            schema["additionalProperties"] = self._single(entry.fields_by_name["value"], use)
            return schema
        if field.is_repeated:
            return {"type": "array", "items": self._single(field, use)}
        return self._single(field, use, bound)

    def is_required(self, field: FieldDescriptor, *, of_whole: bool = True) -> bool:
        """Whether requests must give a field.

        Args:
            field: The field.
            of_whole: Whether its message is a whole one, and not what changes of one. Rules hold
                of both: who checks them knows of no mask.
        """
        if _OUTPUT_ONLY in behavior_of(field):
            return False
        return (
            field.is_required
            or (of_whole and _is_said_to_be_required(field))
            or self._constraints.of_field(field, {}).required
        )

    def components(self) -> dict[str, Schema]:
        """Returns all components by name, in order, and fills in the references to them."""
        while self._pending:
            key, message = self._pending.pop()
            assert key.use is not None, "only messages wait"
            self._made[key] = self._object(message, key.use)
        for reference, key in self._references:
            reference["$ref"] = SCHEMAS + self._name(key)
        found = {self._name(key): schema for key, schema in self._made.items()}
        return dict(sorted(found.items()))

    def _name(self, key: _Key) -> str:
        answered = _Key(key.name, Use.OUTPUT) in self._made
        if key.use is Use.CHANGE:
            return f"{key.name}-Change"
        return f"{key.name}-Input" if key.use is Use.INPUT and answered else key.name

    def _reference(self, key: _Key, message: Descriptor) -> Schema:
        if key not in self._made:
            self._made[key] = {}
            self._pending.append((key, message))
        return self._referring(key)

    def _referring(self, key: _Key) -> Schema:
        reference: Schema = {"$ref": ""}
        self._references.append((reference, key))
        return reference

    def _single(self, field: FieldDescriptor, use: Use, bound: Collection[Path] = ()) -> Schema:
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        if field.message_type is not None:
            changes = use is Use.INPUT and is_masked(field)
            return self.message(field.message_type, Use.CHANGE if changes else use, bound)
        return dict(SCALARS[field.type])

    def _enum(self, enum: EnumDescriptor) -> Schema:
        if enum.full_name == NULL_VALUE:
            return {"type": "null"}
        key = _Key(enum.full_name, None)
        if key not in self._made:
            self._made[key] = self._enum_schema(enum)
        return self._referring(key)

    def _enum_schema(self, enum: EnumDescriptor) -> Schema:
        numbers = self.style.json.enums_as_numbers
        text = self.text(enum)
        schema: Schema = {"type": "integer", "format": "int32"} if numbers else {"type": "string"}
        schema["enum"] = list(
            dict.fromkeys(each.number if numbers else each.name for each in enum.values)
        )
        lines = []
        for value in enum.values:
            said = text_of(self._comments.of(enum.file, f"{enum.full_name}.{value.name}"))
            gone = value.GetOptions().deprecated or said.deprecated
            shown = f"`{value.number}` {value.name}" if numbers else f"`{value.name}`"
            about = " ".join(said.description.split())
            if numbers or gone or about:
                lines.append(
                    f"- {shown}{' (deprecated)' if gone else ''}{': ' + about if about else ''}"
                )
        description = joined(text.description, "\n".join(lines))
        if description:
            schema["description"] = description
        if enum.GetOptions().deprecated or text.deprecated:
            schema["deprecated"] = True
        return schema

    def _object(self, message: Descriptor, use: Use, bound: Collection[Path] = ()) -> Schema:
        text = self.text(message)
        fields = [each for each in message.fields if (each.name,) not in bound]
        inside = Use.INPUT if use is Use.CHANGE else use
        properties = {
            self.style.name(each): self.field(
                each, inside, [path[1:] for path in bound if path[0] == each.name]
            )
            for each in fields
        }
        schema: Schema = {"type": "object"}
        if properties:
            schema["properties"] = properties
        required = [self.style.name(each) for each in fields if self._always_there(each, use)]
        if required:
            schema["required"] = required
        words = list(self._oneofs(schema, message, fields, use))
        if use is not Use.OUTPUT:
            words += self._constraints.of_message(message)
            if not self.style.json.ignore_unknown_fields:
                schema["additionalProperties"] = False
        description = joined(text.description, *words)
        if description:
            schema["description"] = description
        if message.GetOptions().deprecated or text.deprecated:
            schema["deprecated"] = True
        return schema

    def _always_there(self, field: FieldDescriptor, use: Use) -> bool:
        if use is not Use.OUTPUT:
            return self.is_required(field, of_whole=use is Use.INPUT)
        return self.style.json.emit_defaults and not field.has_presence

    def _oneofs(
        self, schema: Schema, message: Descriptor, fields: Iterable[FieldDescriptor], use: Use
    ) -> Iterator[str]:
        """Says of requests that the members of oneofs exclude each other; yields it in words."""
        there = {each.name for each in fields}
        excluded: list[object] = []
        chosen: list[object] = []
        many_members: list[object] = []
        for oneof in message.oneofs:
            names = [self.style.name(each) for each in oneof.fields if each.name in there]
            if len(names) < 2:  # of a field that is `optional` there is one
                continue
            needed = use is not Use.OUTPUT and self._constraints.of_oneof(oneof)
            many = "One" if needed else "At most one"
            yield joined(
                f"{many} of {', '.join(f'`{each}`' for each in names)} is given.",
                self.text(oneof).description,
            )
            if use is Use.OUTPUT:
                continue
            if needed:
                chosen.append({"oneOf": [{"required": [each]} for each in names]})
            elif len(names) <= _MANY_MEMBERS:
                excluded += ({"required": list(pair)} for pair in combinations(names, 2))
            else:
                many_members.append(names)
        if excluded:
            schema["not"] = {"anyOf": excluded}
        if chosen:
            schema["allOf"] = chosen
        if many_members:
            schema[EXCLUSIVE] = many_members


def behavior_of(field: FieldDescriptor) -> frozenset[int]:
    """Returns a field's `google.api.field_behavior` (AIP-203), as `FieldBehavior` numbers."""
    if not field.has_options:
        return frozenset()
    return frozenset(field.GetOptions().Extensions[field_behavior_pb2.field_behavior])


def _is_said_to_be_required(field: FieldDescriptor) -> bool:
    return _REQUIRED in behavior_of(field)
