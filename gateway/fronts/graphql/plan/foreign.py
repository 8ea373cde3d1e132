"""Messages that Python gives: of the graph's own types, of a user's stubs, or as a dict.

A message belongs to a pool. Stubs that a user has generated are in another pool than the graph's;
their bytes are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

ToMessage: TypeAlias = Callable[[Any], Message]
"""Returns the graph's own message for what Python gives. Raises TypeError."""


def to_message(descriptor: Descriptor) -> ToMessage:
    """Returns what makes messages of a type.

    It takes a message of the type's full name, of any pool, or a mapping in the form of ProtoJSON,
    with the proto's names or the JSON's.
    """
    cls = GetMessageClass(descriptor)
    name = descriptor.full_name
    pool: Any = descriptor.file.pool

    def read(value: Any) -> Message:
        if isinstance(value, cls):
            return value
        if isinstance(value, Message):
            if value.DESCRIPTOR.full_name == name:
                return cls.FromString(value.SerializePartialToString())
            raise TypeError(f"expected a {name}, found a {value.DESCRIPTOR.full_name}")
        if not isinstance(value, Mapping):
            raise TypeError(f"expected a {name} or a dict, found a {type(value).__name__}")
        made = cls()
        try:
            json_format.ParseDict(dict(value), made, descriptor_pool=pool)
        except json_format.ParseError as wrong:
            raise TypeError(f"the dict is no {name}: {wrong}") from wrong
        return made

    return read
