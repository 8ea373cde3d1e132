"""Python's types that are scalars of the graph: one DateTime in a graph, whoever has made it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NewType

from graphql import GraphQLNamedType, GraphQLScalarType
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from gateway.fronts.graphql.graph import scalars

Int64 = NewType("Int64", int)
"""An `int` of 64 bits: a string in JSON."""

UInt64 = NewType("UInt64", int)
"""An `int` of 64 bits without a sign: a string in JSON."""

UInt32 = NewType("UInt32", int)
"""An `int` of 32 bits without a sign."""

_OWN: Final[Mapping[object, GraphQLScalarType]] = {
    datetime: scalars.DATE_TIME,
    timedelta: scalars.DURATION,
    bytes: scalars.BYTES,
    JSON: scalars.JSON,
    Int64: scalars.INT64,
    UInt64: scalars.UINT64,
    UInt32: scalars.UINT32,
}


def standing_for(type_: GraphQLNamedType) -> ScalarDefinition:
    """Returns what makes Strawberry take a type of the graph for whatever is mapped to this.

    To Strawberry it is a scalar, whose values pass as they are, and which is implemented already.
    """
    implementation: Any = type_  # an object type too: nothing but the schema looks at it
    return ScalarDefinition(
        name=type_.name,
        description=None,
        specified_by_url=None,
        serialize=None,
        parse_value=None,
        parse_literal=None,
        implementation=implementation,
    )


def own_scalars() -> dict[object, ScalarDefinition]:
    """Returns the scalars of the graph by the Python types that mean them."""
    return {python: standing_for(type_) for python, type_ in _OWN.items()}
