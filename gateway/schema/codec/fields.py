"""Access to one field of a message, at any depth of messages around it. Compiled once a path.

Presence is the proto's: of optional fields, members of oneofs and messages whether they were set,
of others whether they differ from their default.
"""

from __future__ import annotations

from typing import cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from protobuf import DescField, Oneof

from gateway.schema.codec.context import Context
from gateway.schema.codec.field_json import FieldJson
from gateway.schema.codec.types import Message


class Member:
    """A field as an attribute of protobuf-py's message, which knows a oneof by its own name."""

    __slots__ = ("_in_oneof", "_name", "attribute", "desc")

    def __init__(self, desc: DescField) -> None:
        oneof = getattr(desc.value, "oneof", None)  # repeated fields and maps have none
        self.desc = desc
        self.attribute: str = desc.local_name if oneof is None else oneof.local_name
        self._name = desc.name
        self._in_oneof = oneof is not None

    def present(self, message: Message) -> bool:
        """Whether the field is set."""
        return self.desc in message

    def get(self, message: Message) -> object:
        """Returns the value; the default where it is not set, None for a message."""
        if not self._in_oneof:
            return getattr(message, self.attribute)
        return message[self.desc]

    def set(self, message: Message, value: object) -> None:
        """Sets the value; of a oneof, instead of any other member."""
        setattr(message, self.attribute, Oneof(self._name, value) if self._in_oneof else value)


class FieldCodec:
    """Reads and writes one field.

    Values are Python's own (`int`, `float`, `str`, `bytes`, `bool`, the number of an enum value),
    messages of this generation's codecs, lists of these, and dicts of these for maps.

    Attributes:
        descriptor: The field.
    """

    __slots__ = ("_context", "_json", "_member", "_owner", "_parents", "descriptor")

    def __init__(self, context: Context, root: Descriptor, path: tuple[str, ...]) -> None:
        owner = root
        parents = []
        for name in path[:-1]:
            parent = owner.fields_by_name[name]
            if parent.is_repeated or parent.message_type is None:
                raise KeyError(".".join(path))
            made = context.types.type(parent.message_type.full_name)
            parents.append((_member(context, parent), made))
            owner = parent.message_type
        self.descriptor: FieldDescriptor = owner.fields_by_name[path[-1]]
        self._context = context
        self._parents = parents
        self._owner = context.types.type(owner.full_name)
        self._member = _member(context, self.descriptor)
        self._json: FieldJson | None = None

    def present(self, message: Message) -> bool:
        """Whether the field is set, and so all messages around it."""
        inside = self._inside(message)
        return inside is not None and self._member.present(inside)

    def get(self, message: Message) -> object:
        """Returns the value. Where it is not set: the default; None for a message."""
        inside = self._inside(message)
        return self._member.get(self._owner() if inside is None else inside)

    def set(self, message: Message, value: object) -> None:
        """Sets the value, and the messages around it where they are not."""
        self._member.set(self._made_inside(message), value)

    def append(self, message: Message, value: object) -> None:
        """Adds a value to a repeated field."""
        cast("list[object]", self._member.get(self._made_inside(message))).append(value)

    def put(self, message: Message, key: object, value: object) -> None:
        """Sets the value of a key in a map."""
        cast("dict[object, object]", self._member.get(self._made_inside(message)))[key] = value

    def from_json(self, message: Message, body: bytes) -> None:
        """Sets the value from its JSON: of a message, scalar, enum, repeated field or map.

        Raises:
            CodecError: As of `MessageCodec.from_json`. Paths start at the value.
        """
        self.set(message, self._as_json().read(body))

    def to_json(self, message: Message) -> bytes:
        """Returns the JSON of the value; where it is not set, of the default: null for a message.

        Raises:
            CodecError: It holds a value that has no JSON.
        """
        return self._as_json().write(self.get(message))

    def _as_json(self) -> FieldJson:
        # Most fields are only ever set from a path or a query.
        if self._json is None:
            self._json = FieldJson(self._context, self.descriptor, self._member.get)
        return self._json

    def _inside(self, message: Message) -> Message | None:
        """Returns the message that the field is in; None where it is not set."""
        inside: Message | None = message
        for parent, _ in self._parents:
            if inside is None:
                return None
            inside = cast("Message | None", parent.get(inside))
        return inside

    def _made_inside(self, message: Message) -> Message:
        for parent, made in self._parents:
            inside = parent.get(message)
            if inside is None:
                inside = made()
                parent.set(message, inside)
            message = cast("Message", inside)
        return message


def _member(context: Context, field: FieldDescriptor) -> Member:
    assert field.containing_type is not None  # it is no extension
    owner = context.types.message(field.containing_type.full_name)
    assert owner is not None  # it is in the pool
    return Member(next(each for each in owner.fields if each.name == field.name))
