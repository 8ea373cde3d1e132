"""The types of fields and messages, as ProtoJSON has them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor

from gateway.routing.fields import map_entry
from gateway.schema.codec import JsonOptions
from gateway.schema.comments import Comments
from gateway.typescript.names import Names
from gateway.typescript.roles import Role, Roles, fields_of, is_masked
from gateway.typescript.well_known import EMPTY, EXAMPLES, MESSAGES, NULL, SCALARS
from gateway.typescript.words import INHERITED, free, member, optional, paragraphs, quoted, tsdoc

_MOST_CASES = 1000  # of all oneofs of a message together: each is a type to the compiler


class Types:
    """Writes types and their declarations.

    Args:
        roles: Which there are.
        names: What they are called.
        json: How messages are written.
        comments: What their protos say of them.
    """

    def __init__(self, roles: Roles, names: Names, json: JsonOptions, comments: Comments) -> None:
        self._roles = roles
        self._names = names
        self._json = json
        self._comments = comments
        self._fields: dict[str, dict[str, str]] = {}  # names in JSON, by message and proto name

    def name(self, field: FieldDescriptor) -> str:
        """Returns the name of a field in JSON.

        Of fields of old protos that share one, all but the first have their proto names, which
        requests may use.
        """
        home = field.containing_type
        assert home is not None  # only extensions have none
        if home.full_name not in self._fields:
            named: dict[str, str] = {}
            for each in home.fields:
                usual = each.name if self._json.proto_names else each.json_name
                taken = named.values()
                named[each.name] = free(each.name if usual in taken else usual, taken)
            self._fields[home.full_name] = named
        return self._fields[home.full_name][field.name]

    def message(self, message: Descriptor, role: Role, *, of: str | None = None) -> str:
        """Returns the type of a message, for a module (`Names.referred`)."""
        known = MESSAGES.get(message.full_name)
        return known or self._names.referred(message, role, of=of)

    def field(self, field: FieldDescriptor, role: Role, *, of: str | None = None) -> str:
        """Returns the type of a field that is there."""
        entry = map_entry(field)
        if entry is not None:
            return f"{{ [key: string]: {self._one(entry.fields_by_name['value'], role, of)} }}"
        one = self._one(field, role, of)
        if not field.is_repeated:
            return one
        return f"({one})[]" if " | " in one else f"{one}[]"

    def _one(self, field: FieldDescriptor, role: Role, of: str | None) -> str:
        if field.message_type is not None:
            message = self.message(field.message_type, role, of=of)
            return f"Partial<{message}>" if role is Role.REQUEST and is_masked(field) else message
        if field.enum_type is not None:
            if field.enum_type.full_name == NULL:
                return "null"
            return self._names.referred(field.enum_type, None, of=of)
        return SCALARS[field.type]

    def is_there(self, field: FieldDescriptor, role: Role) -> bool:
        """Whether a message in a role always has a field."""
        if role is Role.REQUEST:
            return self._roles.must_be_given(field)
        return always_written(field, self._json)

    def may_be_left_out(self, message: Descriptor) -> bool:
        """Whether a request can be `{}`."""
        if message.full_name in MESSAGES:
            return MESSAGES[message.full_name] in {EMPTY, "JsonObject"}
        return not any(
            self.is_there(field, Role.REQUEST) for field in fields_of(message, Role.REQUEST)
        )

    def declaration(self, message: Descriptor, role: Role, package: str) -> str:
        """Returns the declaration of a message's type, in the module of its package."""
        name = self._names.declared(message, role)
        comment = self._comments.of(message.file, message.full_name) or ""
        start = tsdoc(comment, deprecated=message.GetOptions().deprecated)
        fields = list(fields_of(message, role))
        if not fields:
            return f"{start}export type {name} = {EMPTY};\n"
        oneofs = [each for each in message.oneofs if self._tells_apart(each, fields)]
        if math.prod(len(each.fields) for each in oneofs) > _MOST_CASES:
            oneofs = []
        apart = [field for each in oneofs for field in each.fields]
        plain = "".join(self._property(each, role, package) for each in fields if each not in apart)
        if not oneofs:
            return f"{start}export interface {name} {{\n{plain}}}\n"
        parts = [f"{{\n{plain}}}"] if plain else []
        parts += [self._oneof(each, fields, role, package) for each in oneofs]
        return f"{start}export type {name} = {' & '.join(parts)};\n".replace(" & \n", " &\n")

    def _tells_apart(self, oneof: OneofDescriptor, fields: list[FieldDescriptor]) -> bool:
        """Whether a type can say that the members of a oneof exclude each other.

        That is where it has several, as none has that `optional` makes of a field; and where none
        of them is what every object has: it would always be given.
        """
        members = [field for field in oneof.fields if field in fields]
        return len(members) > 1 and not any(self.name(each) in INHERITED for each in members)

    def _oneof(
        self, oneof: OneofDescriptor, fields: list[FieldDescriptor], role: Role, package: str
    ) -> str:
        comment = tsdoc(self._comments.of(oneof.containing_type.file, oneof.full_name) or "")
        start = f"\n{comment}" if comment else ""
        members = "".join(
            self._property(each, role, package, given=True)
            for each in oneof.fields
            if each in fields
        )
        return f"{start}OneOf<{{\n{members}}}>"

    def _property(
        self, field: FieldDescriptor, role: Role, package: str, *, given: bool = False
    ) -> str:
        comment = tsdoc(self._said(field), deprecated=field.GetOptions().deprecated, indent="  ")
        type_ = self.field(field, role, of=package)
        name = self.name(field)
        is_there = given or self.is_there(field, role)
        return f"{comment}  {f'{member(name)}: {type_};' if is_there else optional(name, type_)}\n"

    def _said(self, field: FieldDescriptor) -> str:
        """Returns what there is to say of a field: what its type can't."""
        held = field.message_type
        example = EXAMPLES.get(held.full_name) if held is not None else None
        notes = []
        if field.type == FieldDescriptor.TYPE_BYTES:
            notes.append("Base64.")
        if example is not None:
            notes.append(f"Such as {example}.")
        home = field.containing_type
        assert home is not None  # only extensions have none
        comment = self._comments.of(home.file, field.full_name) or ""
        return paragraphs([comment, " ".join(notes)])

    def enum(self, enum: EnumDescriptor) -> str:
        """Returns the declaration of an enum: its values' names, or its numbers by name."""
        name = self._names.declared(enum, None)
        comment = self._comments.of(enum.file, enum.full_name) or ""
        start = tsdoc(comment, deprecated=enum.GetOptions().deprecated)
        values = "".join(self._values(enum, numbers=self._json.enums_as_numbers))
        if not self._json.enums_as_numbers:
            return f"{start}export type {name} =\n{values}  | Unrecognized;\n"
        return (
            f"{start}export const {name} = {{\n{values}}} as const;\n\n"
            f"{start}export type {name} = (typeof {name})[keyof typeof {name}] | Unrecognized;\n"
        )

    def _values(self, enum: EnumDescriptor, *, numbers: bool) -> Iterator[str]:
        for value in enum.values:
            comment = self._comments.of(enum.file, f"{enum.full_name}.{value.name}") or ""
            said = tsdoc(comment, deprecated=value.GetOptions().deprecated, indent="  ")
            text = (
                f"{member(value.name)}: {value.number}," if numbers else f"| {quoted(value.name)}"
            )
            yield f"{said}  {text}\n"


def always_written(field: FieldDescriptor, json: JsonOptions) -> bool:
    """Whether a reply has a field whatever its value."""
    return field.is_required or (json.emit_defaults and not field.has_presence)
