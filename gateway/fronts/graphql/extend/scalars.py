"""Python's types that are scalars of the graph: one DateTime in a graph, whoever has made it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, NewType

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
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


class _Moment(NamedTuple):
    """A time or a time span as the graph's scalars read it, and as they write it."""

    seconds: int
    nanos: int


def as_read(value: Any) -> Any:
    """Returns a default of Python's as the graph's scalars would have read it.

    So it can be shown in the schema, and comes to the resolver like any value of a client.
    """
    if isinstance(value, datetime):
        stamp = Timestamp()
        stamp.FromDatetime(value)
        return _Moment(stamp.seconds, stamp.nanos)
    if isinstance(value, timedelta):
        span = Duration()
        span.FromTimedelta(value)
        return _Moment(span.seconds, span.nanos)
    if isinstance(value, list):
        return [as_read(each) for each in value]
    if isinstance(value, dict):
        return {name: as_read(each) for name, each in value.items()}
    return value


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
