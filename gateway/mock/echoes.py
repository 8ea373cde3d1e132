"""What of a request comes back in its answer: fields of one name and type, things of one type."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway.mock.shape import is_key
from gateway.mock.typed import type_of
from gateway.schema.codec.traits import is_map_entry


def is_larger(request: Message, most: int) -> bool:
    """Whether a request has more than so many messages within it; those of maps do not count.

    Maps are copied as they are: nothing in them is made up.
    """
    count, waiting = 0, [request]
    while waiting:
        for field, held in waiting.pop().ListFields():
            inner = field.message_type
            if inner is None or is_map_entry(inner):
                continue
            messages = held if field.is_repeated else (held,)
            count += len(messages)
            if count > most:
                return True
            waiting.extend(messages)
    return False


def given(request: Message, of: Descriptor) -> Message | None:
    """Returns the message of a type that a request gives; None where it gives none."""
    for field, value in request.ListFields():
        inner = field.message_type
        if inner is not None and not field.is_repeated and inner.full_name == of.full_name:
            return value  # type: ignore[no-any-return]  # a field of messages holds one
    return None


def value(request: Message, name: str, like: FieldDescriptor) -> Any:
    """Returns what a request says under a name, if it can be a key like another; else None."""
    field = type_of(request).fields_by_name.get(name)
    if field is None or not is_key(field) or field.cpp_type != like.cpp_type:
        return None
    return getattr(request, name) or None


def alike(one: FieldDescriptor, other: FieldDescriptor) -> bool:
    """Whether what one field holds can be copied into another of the same name."""
    if one.is_repeated != other.is_repeated or one.type != other.type:
        return False
    mine, theirs = one.message_type, other.message_type
    if mine is None or theirs is None:
        return one.enum_type is None or one.enum_type is other.enum_type
    if is_map_entry(mine) and is_map_entry(theirs):
        return all(
            alike(mine.fields_by_name[name], theirs.fields_by_name[name])
            for name in ("key", "value")
        )
    return mine.full_name == theirs.full_name


def copy(made: Message, given: Message, name: str) -> None:
    """Copies a field that both have and that can hold the same; one that is not set empties it."""
    field = type_of(made).fields_by_name[name]
    made.ClearField(name)
    value = getattr(given, name)
    if field.is_repeated:
        of = field.message_type
        if of is not None and is_map_entry(of) and of.fields_by_name["value"].message_type:
            for key in value:
                getattr(made, name)[key].CopyFrom(value[key])
        elif of is not None and is_map_entry(of):
            getattr(made, name).update(value)
        else:
            getattr(made, name).extend(value)
    elif field.has_presence and not given.HasField(name):
        return
    elif field.message_type is not None:
        getattr(made, name).CopyFrom(value)
    else:
        setattr(made, name, value)


def copy_path(made: Message, given: Message, path: list[str]) -> None:
    """Copies what a path of a mask names; one that leads nowhere names nothing."""
    field = type_of(made).fields_by_name.get(path[0])
    if field is None:
        return
    if len(path) == 1 or field.message_type is None or field.is_repeated:
        copy(made, given, path[0])
        return
    copy_path(getattr(made, path[0]), getattr(given, path[0]), path[1:])
