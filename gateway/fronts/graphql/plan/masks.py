"""The field mask of a selection: what a lookup is asked to send, where it takes a mask.

A path ends at a field that is asked for, or at a list, a map or a well-known type on the way to it:
those are sent whole (google/protobuf/field_mask.proto: only the last field of a path may be
repeated). What edges need of the message (their keys) is in it too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from google.protobuf.descriptor import FieldDescriptor
from graphql import GraphQLField, GraphQLObjectType, GraphQLUnionType, get_named_type
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet

from gateway.fronts.graphql.graph.sources import (
    Given,
    Group,
    Join,
    Lookup,
    Nothing,
    OneofUnion,
    ParentCall,
    Path,
    ProtoField,
    made_of,
    source_of,
)

Grouped = Callable[[GraphQLObjectType, FieldDetailsList], GroupedFieldSet]
"""The fields that are asked of objects of a type, collected."""


def mask_given(
    grouped: Grouped, lookup: Lookup, definition: GraphQLField, details: FieldDetailsList
) -> Sequence[Given]:
    """Returns the mask that a lookup is sent; none where it takes none.

    Args:
        grouped: Collects fields.
        lookup: How the value of a field is found.
        definition: The field.
        details: Where the document asks for it.
    """
    mask, item = lookup.mask, get_named_type(definition.type)
    if mask is None or mask.message_type is None or not isinstance(item, GraphQLObjectType):
        return ()
    paths = mask_of(grouped, item, details)
    if lookup.by and "*" not in paths:
        paths.add(dotted(lookup.by))
    field = mask.message_type.fields_by_name["paths"]
    return [Given((mask, field), tuple(sorted(paths)))]


def mask_of(grouped: Grouped, type_: GraphQLObjectType, details: FieldDetailsList) -> set[str]:
    """Returns the paths of what is asked of a message.

    A single path `*` is all of it: something in Python may read whatever there is.

    Args:
        grouped: Collects fields.
        type_: The type that is made of the message.
        details: Where its selection is.
    """
    paths: set[str] = set()
    for each in grouped(type_, details).values():
        name = each[0].node.name.value
        if name == "__typename":
            continue
        definition = type_.fields[name]
        match source_of(definition):
            case ProtoField(descriptor=field):
                paths |= _below(grouped, field, get_named_type(definition.type), each)
            case OneofUnion() as union:
                paths |= _union(grouped, union, get_named_type(definition.type), each)
            case Join(key=key):
                paths.add(dotted(key))
            case ParentCall(bound=bound):
                paths.update(dotted(parent) for _, parent in bound)
            case Nothing() | Group():
                pass
            case _:
                return {"*"}
    return {"*"} if "*" in paths else paths


def dotted(path: Path) -> str:
    """Returns a path as masks have it; what follows a list or a wrapper is in it whole."""
    names = []
    for field in path:
        names.append(field.name)
        if field.is_repeated or _is_well_known(field):
            break
    return ".".join(names)


def _below(
    grouped: Grouped, field: FieldDescriptor, type_: object, details: FieldDetailsList
) -> set[str]:
    if (
        field.is_repeated
        or not isinstance(type_, GraphQLObjectType)
        or made_of(type_) is None
        or _is_well_known(field)
    ):
        return {field.name}
    inner = mask_of(grouped, type_, details)
    if not inner or "*" in inner:
        return {field.name}
    return {f"{field.name}.{path}" for path in inner}


def _union(
    grouped: Grouped, union: OneofUnion, type_: object, details: FieldDetailsList
) -> set[str]:
    """All cases are asked for: which one is set is only known when it is there."""
    if not isinstance(type_, GraphQLUnionType):
        raise TypeError(f"{type_} is no union")
    types = {each.name: each for each in type_.types}
    fields = {field.name: field for field in union.descriptor.fields}
    paths: set[str] = set()
    for case, name in union.members.items():
        if case in union.wrapped:
            paths.add(case)
        else:
            paths |= _below(grouped, fields[case], types[name], details)
    return paths


def _is_well_known(field: FieldDescriptor) -> bool:
    message = field.message_type
    return message is not None and message.full_name.startswith("google.protobuf.")
