"""What a lookup leaves unsaid, found by the shape of its messages.

Something is inferred only where there is one choice; where there are several, the user says which.
All functions are pure, and return every choice that there is.
"""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.fronts.graphql.graph.kinds import is_map
from gateway.fronts.graphql.joins.kinds import is_key, same_keys


def key_fields(request: Descriptor) -> list[FieldDescriptor]:
    """Returns the request fields that may take keys: the lists, and the single ones without any."""
    fields = [field for field in request.fields if is_key(field)]
    return [field for field in fields if field.is_repeated] or fields


def item_of(field: FieldDescriptor) -> Descriptor | None:
    """Returns the message that a repeated field or a map holds; None of another field."""
    if not field.is_repeated or field.message_type is None:
        return None
    if is_map(field):
        value = field.message_type.fields_by_name["value"]
        found: Descriptor | None = value.message_type
        return found
    return field.message_type


def item_fields(reply: Descriptor, type_: str = "") -> list[FieldDescriptor]:
    """Returns the reply fields that may hold the answers.

    Args:
        reply: The reply.
        type_: Full name of the message that an answer is; empty for any.
    """
    found = []
    for field in reply.fields:
        item = item_of(field)
        if item is not None and type_ in ("", item.full_name):
            found.append(field)
    return found


def answer_key(item: Descriptor, keys: FieldDescriptor) -> FieldDescriptor | None:
    """Returns the field of an answer that holds its key, by the name of the request field.

    It has the singular of that name (`product_ids`: `product_id`), or the last word of it
    (`product_ids`: `id`), as the batch methods of AIP-231 have it.
    """
    singular = keys.name.removesuffix("s")
    for name in dict.fromkeys((singular, singular.rpartition("_")[2])):
        field = item.fields_by_name.get(name)
        if field is not None and not field.is_repeated and same_keys(field, keys):
            return field
    return None


def likely_keys(item: Descriptor, keys: FieldDescriptor) -> list[str]:
    """Returns the names of all fields of an answer that can hold its key, the likeliest first."""
    likeliest = answer_key(item, keys)
    fields = [field for field in item.fields if not field.is_repeated and same_keys(field, keys)]
    return sorted(
        (field.name for field in fields),
        key=lambda name: likeliest is None or name != likeliest.name,
    )
