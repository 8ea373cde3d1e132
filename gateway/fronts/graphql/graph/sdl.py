"""The graph as text, in an order that depends on nothing but its content."""

from __future__ import annotations

from graphql import lexicographic_sort_schema, print_schema

from gateway.fronts.graphql.graph.build import Graph


def sdl(graph: Graph) -> str:
    """Returns the schema in GraphQL's schema language, sorted by name."""
    return print_schema(lexicographic_sort_schema(graph.schema)) + "\n"
