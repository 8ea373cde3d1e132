"""What a backend's replies tell of its data: ids and names that requests can be made with. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

_DEPTH = 3  # messages within messages
_ITEMS = 3  # looked at of each list


class Known:
    """Messages seen, one of each type: the first one stands for its kind."""

    def __init__(self) -> None:
        self._seen: dict[str, Message] = {}

    def learn(self, reply: Message) -> None:
        """Takes note of a reply and of the messages in it."""
        for message in _within(reply, _DEPTH):
            self._seen.setdefault(type_of(message).full_name, message)

    def value(self, field: FieldDescriptor, subjects: Iterable[Descriptor]) -> Any:
        """Returns a value that a field of a request may have so that something is found, or None.

        Args:
            field: A scalar field of the request, or one of a request's path variables.
            subjects: The types that the request is about (`subjects_of`).
        """
        name = field.name
        if field.is_repeated:
            name = name.removesuffix("s")  # ids, product_ids
        for subject in subjects:
            if (value := self._of(subject.full_name, name, field)) is not None:
                return value
        what, _, part = name.rpartition("_")
        for full_name in self._seen:
            if what and full_name.rpartition(".")[2].lower() == what.replace("_", "").lower():
                for other in (part, name, "id", "name"):
                    if (value := self._of(full_name, other, field)) is not None:
                        return value
        if what:  # `id` and `name` of something else would find nothing
            for full_name in self._seen:
                if (value := self._of(full_name, name, field)) is not None:
                    return value
        return None

    def matching(self, form: re.Pattern[str]) -> str | None:
        """Returns a text seen that has a form, such as the resource names of a path, or None."""
        for message in self._seen.values():
            for _, value in message.ListFields():
                if isinstance(value, str) and form.fullmatch(value):
                    return value
        return None

    def _of(self, type_name: str, field_name: str, like: FieldDescriptor) -> Any:
        """Returns a field of the message seen of a type, if it is set and of the same kind."""
        message = self._seen.get(type_name)
        if message is None:
            return None
        field = type_of(message).fields_by_name.get(field_name)
        if field is None or field.is_repeated or field.cpp_type != like.cpp_type:
            return None
        return getattr(message, field_name) or None


def type_of(message: Any) -> Descriptor:
    """Returns a message's type; the stubs of protobuf give another class for it."""
    descriptor: Descriptor = message.DESCRIPTOR
    return descriptor


def subjects_of(reply: Descriptor) -> list[Descriptor]:
    """Returns what a reply's type is about: the items of its lists, and itself."""
    items = [
        field.message_type
        for field in reply.fields
        if field.is_repeated and field.message_type is not None
    ]
    return [*items, reply]


def _within(message: Message, depth: int) -> Iterator[Message]:
    yield message
    if not depth:
        return
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for each in value[:_ITEMS] if field.is_repeated else (value,):
            yield from _within(each, depth - 1)
