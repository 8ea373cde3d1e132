"""Whether a message has no more within it than may be looked at. Stops where it has."""

from __future__ import annotations

from google.protobuf.message import Message

from gateway.policies.validation.limits import Most
from gateway.schema.codec.traits import is_map_entry


def fits(message: Message, length: int, most: Most) -> bool:
    """Whether a message has no more messages and elements within it than `most` says.

    Args:
        message: The message.
        length: Its bytes: an element has one at least, a message two.
        most: What it may have; its `size` is not looked at.
    """
    messages = most.messages
    elements = length if most.elements is None else most.elements
    if length <= elements and length <= 2 * messages:
        return True
    ahead = [message]
    while ahead:
        for field, value in ahead.pop().ListFields():
            inner = field.message_type
            within: list[Message] = []
            if not field.is_repeated:
                if inner is not None:
                    messages -= 1
                    within = [value]
            else:
                elements -= len(value)
                if inner is not None and is_map_entry(inner):
                    if inner.fields_by_name["value"].message_type is not None:
                        messages -= len(value)
                        within = value.values()
                elif inner is not None:
                    messages -= len(value)
                    within = value
            if messages < 0 or elements < 0:
                return False
            ahead.extend(within)
    return True
