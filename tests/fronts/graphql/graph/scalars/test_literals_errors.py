"""A literal that a scalar refuses is told with the scalar's name and its place."""

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    validate,
)
from graphql import parse as parse_document

from gateway.fronts.graphql.graph.scalars import SCALARS


@pytest.mark.parametrize("name", ["DateTime", "Duration", "Int64", "UInt64", "UInt32", "Bytes"])
def test_the_name_and_the_place(name):
    field = GraphQLField(GraphQLString, args={"given": GraphQLArgument(SCALARS[name])})
    schema = GraphQLSchema(GraphQLObjectType("Query", {"field": field}))
    (error,) = validate(schema, parse_document('{\n  field(given: "?")\n}'))
    assert error.message.startswith(f"{name}: expected ")
    assert [(each.line, each.column) for each in error.locations] == [(2, 16)]
