"""Fields of a message type, found by their path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor

Path: TypeAlias = "tuple[str, ...]"
"""The proto names of a field and of the messages around it, outermost first."""


def along(message: Descriptor, path: Path) -> Iterator[FieldDescriptor]:
    """Yields the fields of a path, outermost first."""
    inside: Descriptor | None = message
    for name in path:
        assert inside is not None  # a path goes through messages
        field = inside.fields_by_name[name]
        yield field
        inside = field.message_type


def map_entry(field: FieldDescriptor) -> Descriptor | None:
    """Returns the message type of a map's entries, None of another field."""
    entry = field.message_type if field.is_repeated else None
    return entry if entry is not None and entry.GetOptions().map_entry else None


def is_masked(field: FieldDescriptor) -> bool:
    """Whether a field is what an `update_mask` beside it is about (AIP-134).

    Of such a message a request has the fields that change, whichever are required of a whole one.
    """
    home = field.containing_type
    mask = None if home is None else home.fields_by_name.get("update_mask")
    return (
        mask is not None
        and mask.message_type is not None
        and mask.message_type.full_name == "google.protobuf.FieldMask"
        and mask is not field
        and single_message(field) is not None
    )


def single_message(field: FieldDescriptor) -> Descriptor | None:
    """Returns the message type of a singular message field, None of another."""
    return None if field.is_repeated else field.message_type
