"""The JSON of scalars and enums that Python returned: protobuf's values, and Python's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from graphql import GraphQLNamedType, is_leaf_type

from gateway.fronts.graphql.graph.scalars.untyped import read_json
from gateway.fronts.graphql.plan.leaves import json_text


def _timestamp(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    made = Timestamp()
    made.FromDatetime(value)  # one without an offset is in UTC, as in all of protobuf
    return made


def _duration(value: Any) -> Any:
    if not isinstance(value, timedelta):
        return value
    made = Duration()
    made.FromTimedelta(value)
    return made


_FROM_PYTHON: Final[Mapping[str, Callable[[Any], Any]]] = {
    "DateTime": _timestamp,
    "Duration": _duration,
}
"""What the graph's scalars serialize, of Python's own values. All others serialize both."""


def leaf_writer(type_: GraphQLNamedType) -> Callable[[Any], str]:
    """Returns what writes values of a scalar or an enum.

    What it returns raises any exception for what is no such value.
    """
    if not is_leaf_type(type_):
        raise TypeError(f"{type_} is no leaf")
    serialize = type_.coerce_output_value
    convert = _FROM_PYTHON.get(type_.name)
    if convert is not None:
        return lambda value: json_text(serialize(convert(value)))
    if type_.name == "JSON":
        return lambda value: json_text(
            serialize(value) if isinstance(value, Message) else read_json(value)
        )
    return lambda value: json_text(serialize(value))
