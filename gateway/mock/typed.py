"""The types of messages and fields, as type checkers are to see them: the runtime has two kinds.

The stubs of protobuf name those of its C implementation beside its own, and know of no field for
sure that it holds messages.
"""

from __future__ import annotations

from typing import cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message


def type_of(message: Message) -> Descriptor:
    """Returns the type of a message."""
    return cast("Descriptor", message.DESCRIPTOR)


def messages_of(field: FieldDescriptor) -> Descriptor:
    """Returns the type of the messages that a field holds; it must hold some."""
    return cast("Descriptor", field.message_type)


def enum_of(field: FieldDescriptor) -> EnumDescriptor:
    """Returns the type of the numbers that a field of an enum holds."""
    return cast("EnumDescriptor", field.enum_type)


def owner_of(field: FieldDescriptor) -> Descriptor:
    """Returns the type that a field is of; it must be no extension."""
    return cast("Descriptor", field.containing_type)
