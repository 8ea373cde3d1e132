"""`JSON`: google.protobuf.Struct, Value, ListValue and Any, as the JSON values that they are.

Any is an object with "@type" beside the fields of what is packed; its types come from the pool of
the message itself. What is read is only known to be JSON: whether it suits the message (a Struct
takes objects only) is seen when it is put there.
"""

from __future__ import annotations

import math
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from graphql import GraphQLError

from gateway.fronts.graphql.graph.scalars.literals import MAX_DEPTH, scalar

ANY = "google.protobuf.Any"
_NUMBERS = 2**1024 - 2**970  # from here on an integer is no double


def write_json(value: Message) -> Any:
    """Returns the JSON value that a Struct, Value, ListValue or Any is.

    Raises:
        GraphQLError: There is none: NaN, infinity, an Any of an unknown type.
    """
    try:
        match value.DESCRIPTOR.name:
            case "Any":
                pool: Any = value.DESCRIPTOR.file.pool
                return json_format.MessageToDict(value, descriptor_pool=pool)
            case "Struct":
                return _object(value)
            case "ListValue":
                return _list(value)
            case _:
                return _value(value)
    except RecursionError:
        raise GraphQLError("JSON has no form for a value that deep") from None
    except (TypeError, ValueError, KeyError, DecodeError, json_format.Error):
        raise GraphQLError("JSON has no form for an Any of an unknown or broken type") from None


def _object(message: Any) -> dict[str, Any]:
    fields = message.fields
    return {key: _value(fields[key]) for key in sorted(fields)}


def _list(message: Any) -> list[Any]:
    return [_value(each) for each in message.values]


def _value(message: Any) -> Any:
    match message.WhichOneof("kind"):
        case "number_value":
            number = message.number_value
            if not math.isfinite(number):
                raise GraphQLError("JSON has no form for NaN and infinity")
            return int(number) if number.is_integer() and abs(number) < 2**53 else number
        case "struct_value":
            return _object(message.struct_value)
        case "list_value":
            return _list(message.list_value)
        case "null_value" | None:
            return None
        case kind:
            return getattr(message, kind)


def read_json(value: Any, depth: int = 0) -> Any:
    """Reads any JSON value.

    Raises:
        GraphQLError: It is deeper than 100 levels, or has a number that no double holds.
    """
    if depth > MAX_DEPTH:
        raise GraphQLError(f"expected at most {MAX_DEPTH} levels of lists and objects")
    if isinstance(value, list | tuple):
        return [read_json(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {key: read_json(each, depth + 1) for key, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        raise GraphQLError("expected a JSON value; numbers are finite")
    if isinstance(value, int) and abs(value) >= _NUMBERS:
        raise GraphQLError("expected a JSON value; numbers are doubles")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise GraphQLError("expected a JSON value")


JSON = scalar(
    "JSON",
    write=write_json,
    read=read_json,
    about="Any JSON value. Numbers are doubles. A message of its own type has its name under "
    '"@type".',
)
