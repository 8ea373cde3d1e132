"""Which messages are sent, which are received, and which look different either way.

A message that is both, and is not the same as a request and as a reply, has two types. What makes
it differ is said by its proto (`google.api.field_behavior`, AIP-203) and by how replies are
written; and a message that holds one that differs does so itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from gateway.routing import fields
from gateway.routing.fields import map_entry
from gateway.typescript.well_known import MESSAGES, NULL


class Role(Enum):
    """What a message is."""

    REQUEST = "request"
    REPLY = "reply"


_NOT_IN = {
    Role.REQUEST: field_behavior_pb2.OUTPUT_ONLY,
    Role.REPLY: field_behavior_pb2.INPUT_ONLY,
}


def has(field: FieldDescriptor, role: Role) -> bool:
    """Whether a message has a field in a role."""
    return _NOT_IN[role] not in _behavior(field)


def fields_of(message: Descriptor, role: Role) -> Iterator[FieldDescriptor]:
    """Yields the fields that a message has in a role."""
    return (field for field in message.fields if has(field, role))


def is_masked(field: FieldDescriptor) -> bool:
    """Whether a field is a message of which a request has the fields that change."""
    return fields.is_masked(field) and inside(field) is not None


def inside(field: FieldDescriptor) -> Descriptor | None:
    """Returns the message that a field, or each value of it, is; None of other types."""
    entry = map_entry(field)
    held = field.message_type if entry is None else entry.fields_by_name["value"].message_type
    return None if held is None or held.full_name in MESSAGES else held


def enum_of(field: FieldDescriptor) -> EnumDescriptor | None:
    """Returns the enum that a field, or each value of it, is."""
    entry = map_entry(field)
    return field.enum_type if entry is None else entry.fields_by_name["value"].enum_type


class Roles:
    """Finds the messages that can be met, and what they are.

    Args:
        requests: The messages that calls take.
        replies: The messages that calls give.
        always: Whether a reply has a field whatever its value.

    Attributes:
        messages: All messages, by full name, without those that have a JSON of their own.
        enums: All enums, by full name.
    """

    def __init__(
        self,
        requests: Iterable[Descriptor],
        replies: Iterable[Descriptor],
        always: Callable[[FieldDescriptor], bool],
    ) -> None:
        self._always = always
        self._by_role = {
            Role.REQUEST: _reach(requests, Role.REQUEST),
            Role.REPLY: _reach(replies, Role.REPLY),
        }
        self.messages = {**self._by_role[Role.REQUEST], **self._by_role[Role.REPLY]}
        self.enums = {
            enum.full_name: enum
            for role, messages in self._by_role.items()
            for message in messages.values()
            for field in fields_of(message, role)
            if (enum := enum_of(field)) is not None and enum.full_name != NULL
        }
        self._differing = self._find_differing()

    def roles(self, message: Descriptor) -> tuple[Role, ...]:
        """Returns the roles for which a message has a type: one for both where they are the same.

        The first one has the message's own name.
        """
        found = [
            role for role in (Role.REPLY, Role.REQUEST) if message.full_name in self._by_role[role]
        ]
        return tuple(found if message.full_name in self._differing else found[:1])

    def must_be_given(self, field: FieldDescriptor) -> bool:
        """Whether a request must have a field: a circle of such fields could never be closed."""
        return _is_required(field) and not _is_circular(field)

    def _find_differing(self) -> frozenset[str]:
        both = [
            message
            for name, message in self.messages.items()
            if all(name in found for found in self._by_role.values())
        ]
        holders: dict[str, list[str]] = {}
        pending = []
        for message in both:
            if any(map(self._differs, message.fields)):
                pending.append(message.full_name)
            for field in message.fields:
                if (held := inside(field)) is not None:
                    holders.setdefault(held.full_name, []).append(message.full_name)
        found: set[str] = set()
        while pending:
            if (name := pending.pop()) not in found:
                found.add(name)
                pending += holders.get(name, ())
        return frozenset(found)

    def _differs(self, field: FieldDescriptor) -> bool:
        return (
            bool(_behavior(field) & set(_NOT_IN.values()))
            or is_masked(field)
            or self.must_be_given(field) != self._always(field)
        )


def _reach(roots: Iterable[Descriptor], role: Role) -> dict[str, Descriptor]:
    found: dict[str, Descriptor] = {}
    pending = [each for each in roots if each.full_name not in MESSAGES]
    while pending:
        message = pending.pop()
        if message.full_name in found:
            continue
        found[message.full_name] = message
        pending += [held for each in fields_of(message, role) if (held := inside(each)) is not None]
    return found


def _behavior(field: FieldDescriptor) -> frozenset[int]:
    return frozenset(field.GetOptions().Extensions[field_behavior_pb2.field_behavior])


def _is_required(field: FieldDescriptor) -> bool:
    said = field_behavior_pb2.REQUIRED in _behavior(field) and field.containing_oneof is None
    return said or field.is_required


def _is_circular(field: FieldDescriptor) -> bool:
    start = field.containing_type
    pending, seen = [field], set()
    while pending:
        each = pending.pop()
        if each.is_repeated or each.message_type is None:
            continue
        if each.message_type is start:
            return True
        if each.message_type.full_name not in seen:
            seen.add(each.message_type.full_name)
            pending += filter(_is_required, each.message_type.fields)
    return False
