"""The fields of a graph as plain data: what clients see of them, and how they get their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
)

from gateway.fronts.graphql.graph.build import Graph
from gateway.fronts.graphql.graph.sources import ProtoField, input_source, source_of
from gateway.schema.method import MethodDescriptor

_PLACE = "source"  # where a lookup is written: no part of what it does


def fields_of(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Yields `Product.reviews` with its arguments and type; values of enums, members of unions."""
    for name, type_ in schema.type_map.items():
        if name.startswith("__"):
            continue
        match type_:
            case GraphQLObjectType() | GraphQLInterfaceType():
                for field, each in type_.fields.items():
                    given = ", ".join(f"{arg}: {one.type}" for arg, one in each.args.items())
                    yield f"{name}.{field}", f"({given}): {each.type}" if given else f"{each.type}"
            case GraphQLInputObjectType():
                for field, one in type_.fields.items():
                    yield f"{name}.{field}", f"{one.type}"
            case GraphQLEnumType():
                for value in type_.values:
                    yield f"{name}.{value}", "value"
            case GraphQLUnionType():
                for member in type_.types:
                    yield f"{name}.{member.name}", "member"


def sources_of(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Yields where fields have their values from: the proto's field, the RPC, the join."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for name, field in type_.fields.items():
                source = source_of(field)
                if isinstance(source, ProtoField):
                    yield f"{type_.name}.{name}", source.descriptor.full_name
                elif source is not None:
                    given = {arg: input_source(one) for arg, one in field.args.items()}
                    values = {arg: one.default_value for arg, one in field.args.items()}
                    yield f"{type_.name}.{name}", _text((source, given, values))
            continue
        if isinstance(type_, GraphQLInputObjectType):
            for name, one in type_.fields.items():
                yield f"{type_.name}.{name}", _text((input_source(one), one.default_value))


def scoped_of(graph: Graph) -> Iterator[tuple[str, frozenset[str]]]:
    """Yields the fields of messages that need scopes, with these."""
    for type_ in graph.schema.type_map.values():
        if isinstance(type_, GraphQLObjectType):
            for name, field in type_.fields.items():
                source = source_of(field)
                if isinstance(source, ProtoField) and (
                    scopes := graph.types.scopes(source.descriptor)
                ):
                    yield f"{type_.name}.{name}", frozenset(scopes)


def _text(value: object) -> str:
    """Returns a source as a text that is the same for the same, whatever pool it is of."""
    match value:
        case Descriptor() | FieldDescriptor() | OneofDescriptor():
            return str(value.full_name)
        case MethodDescriptor():
            return value.name
        case tuple():
            return f"({', '.join(map(_text, value))})"
        case frozenset():
            return f"({', '.join(sorted(map(_text, value)))})"
        case Mapping():
            return f"({', '.join(f'{name}: {_text(each)}' for name, each in value.items())})"
        case _ if is_dataclass(value):
            said = (
                f"{each.name}: {_text(getattr(value, each.name))}"
                for each in fields(value)
                if each.name != _PLACE
            )
            return f"{type(value).__name__}({', '.join(said)})"
        case _:
            return repr(value)
