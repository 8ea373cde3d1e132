"""Types as SDL writes them, looked up in the graph, and compared with what a field gives."""

from __future__ import annotations

from typing import Any

from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLType,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    TypeNode,
)

from gateway.fronts.graphql.graph.types import Types


def type_of(node: TypeNode, types: Types) -> Any:
    """Returns the type that is written; None where the graph has none of its name.

    Whether it is one of inputs or of outputs, the caller knows.
    """
    if isinstance(node, NamedTypeNode):
        return types.named(node.name.value)
    if isinstance(node, ListTypeNode | NonNullTypeNode):
        inner = type_of(node.type, types)
        if inner is None:
            return None
        if isinstance(node, ListTypeNode):
            return GraphQLList(inner)
        return GraphQLNonNull(inner)
    return None


def name_of(node: TypeNode) -> NamedTypeNode:
    """Returns the name inside lists and non-nulls."""
    while not isinstance(node, NamedTypeNode):
        assert isinstance(node, ListTypeNode | NonNullTypeNode)  # there are three kinds
        node = node.type
    return node


def gives(expected: GraphQLType, written: GraphQLType) -> bool:
    """Whether a field of the written type can give values of another.

    It may promise less: nullable where values are never null.
    """
    if isinstance(written, GraphQLNonNull):
        return isinstance(expected, GraphQLNonNull) and gives(expected.of_type, written.of_type)
    if isinstance(expected, GraphQLNonNull):
        return gives(expected.of_type, written)
    if isinstance(expected, GraphQLList) and isinstance(written, GraphQLList):
        return gives(expected.of_type, written.of_type)
    return str(expected) == str(written)


def nullable(type_: GraphQLType) -> GraphQLType:
    """Returns a type without its outermost non-null."""
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_
