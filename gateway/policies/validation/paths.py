"""Where a rule was broken, as the client writes it: `items[2].unitPrice`, `prices["a b"].units`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from google.protobuf.descriptor import Descriptor

from gateway.schema.codec.text import joined
from gateway.schema.codec.traits import is_map_entry


class Subscript(Protocol):
    """Which element of a list or map: a member of the oneof `subscript`."""

    @property
    def field(self) -> str:
        """Its name: `index`, `string_key`, `bool_key`, `int_key`, `uint_key`."""

    @property
    def value(self) -> object:
        """The index or key."""


class Element(Protocol):
    """One step of a path: `buf.validate.FieldPathElement`."""

    @property
    def field_number(self) -> int:
        """The field's number, 0 for a oneof."""

    @property
    def field_name(self) -> str:
        """The field's name in the proto, or the oneof's."""

    @property
    def subscript(self) -> Subscript | None:
        """Which of its elements; None for all of it."""


def json_path(message: Descriptor, elements: Iterable[Element]) -> str:
    """Returns a path in the JSON of a message, empty for the message itself.

    Args:
        message: The type that the path begins in.
        elements: Its steps.
    """
    path = ""
    at: Descriptor | None = message
    for element in elements:
        field = at.fields_by_number.get(element.field_number) if at is not None else None
        path = joined(path, element.field_name if field is None else field.json_name)
        at = None if field is None else field.message_type
        subscript = element.subscript
        if subscript is not None:
            if subscript.field == "index":
                path += f"[{subscript.value}]"
            elif isinstance(subscript.value, bool):
                path = joined(path, str(subscript.value).lower())
            else:
                path = joined(path, str(subscript.value))
            if at is not None and is_map_entry(at):
                at = at.fields_by_name["value"].message_type
    return path
