"""What a message says of itself, asked of its class: a field may be called `HasField` too."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message


def is_set(message: Message, field: str) -> bool:
    """Returns whether a field with presence is set."""
    return type(message).HasField(message, field)


def case_of(message: Message, oneof: str) -> str | None:
    """Returns the name of the field of a oneof that is set; None for none."""
    found: Any = type(message).WhichOneof(message, oneof)
    return found  # type: ignore[no-any-return]  # the stubs know literals only


def mark_set(message: Message) -> None:
    """Sets a message field to its empty message, where it is not set."""
    type(message).SetInParent(message)
