"""Which declaration of a proto a field or argument of the graph is made of."""

from __future__ import annotations

from graphql import GraphQLInputObjectType, GraphQLNamedType, GraphQLObjectType

from gateway.fronts.graphql.graph.sources import (
    FieldSource,
    InputSource,
    Join,
    OneofInput,
    OneofUnion,
    ParentCall,
    ProtoField,
    Rpc,
    input_source,
    made_of,
    source_of,
)


def element(type_: GraphQLNamedType, field: str, argument: str) -> str:
    """Returns the full name of a declaration, or of the nearest around it that is there.

    Args:
        type_: A type of the graph.
        field: The name of one of its fields, which need not be there; empty for the type itself.
        argument: Likewise of an argument of the field.

    Returns:
        The name of a method, message, field or oneof; empty where the type is made of none.
    """
    made = made_of(type_)
    owner = "" if made is None else made.message.full_name
    if isinstance(type_, GraphQLInputObjectType):
        given = type_.fields.get(field)
        return (_set_by(input_source(given)) if given is not None else "") or owner
    if not isinstance(type_, GraphQLObjectType) or field not in type_.fields:
        return owner
    found = type_.fields[field]
    taken = found.args.get(argument)
    by_argument = _set_by(input_source(taken)) if taken is not None else ""
    return by_argument or _made_of(source_of(found)) or owner


def _made_of(source: FieldSource | None) -> str:
    match source:
        case ProtoField() | OneofUnion():
            return str(source.descriptor.full_name)
        case Rpc() | ParentCall():
            return source.method.name
        case Join():
            return source.lookup.method.name
        case _:
            return ""


def _set_by(source: InputSource | None) -> str:
    if isinstance(source, OneofInput):
        return str(source.descriptor.full_name)
    return "" if source is None or not source.path else str(source.path[-1].full_name)
