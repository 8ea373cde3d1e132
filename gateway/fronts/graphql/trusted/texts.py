"""The text of one value, from a path or a query, as the value of a variable, by its GraphQL type.

What it makes is what the JSON of `variables` would hold, so the type's own coercion still judges
it. A scalar that Python adds is taken as text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
)

from gateway.fronts.graphql.graph.scalars import SCALARS
from gateway.fronts.graphql.joins.candidates import listed
from gateway.fronts.graphql.serve.json_text import JsonError, loads
from gateway.routing.values import parse_bool, parse_double, parse_string

Parse: TypeAlias = Callable[[str], object]
"""Turns a text into a value. Raises ValueError, whose message ends the sentence "… must be …"."""

_INTEGER = re.compile(r"-?[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A variable that is set by text.

    Attributes:
        name: Its name, without `$`.
        parse: Reads one value.
        many: Whether it is a list, of which each text gives an item.
    """

    name: str
    parse: Parse
    many: bool


def parameter(name: str, type_: GraphQLInputType) -> Parameter | None:
    """Returns how a variable of a type is set by text; None where it can't be."""
    inner = _nullable(type_)
    many = isinstance(inner, GraphQLList)
    if isinstance(inner, GraphQLList):
        inner = _nullable(inner.of_type)
    match inner:
        case GraphQLEnumType():
            return Parameter(name, _enum(inner), many)
        case GraphQLScalarType():
            return Parameter(name, _scalar(inner), many)
        case _:
            return None


def _nullable(type_: GraphQLInputType) -> GraphQLInputType:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def _integer(low: int, high: int) -> Parse:
    def parse(text: str) -> int:
        if _INTEGER.fullmatch(text) is None or not low <= (value := int(text)) <= high:
            raise ValueError(f"an integer from {low} to {high}")
        return value

    return parse


def _float(text: str) -> float:
    value = parse_double(text)
    if not math.isfinite(value):
        raise ValueError("a number")
    return value


def _json(text: str) -> object:
    try:
        return loads(text)
    except JsonError:
        raise ValueError("a JSON value (a text in quotes)") from None


_PLAIN: dict[str, Parse] = {
    "Boolean": parse_bool,
    "Float": _float,
    "ID": parse_string,
    "Int": _integer(-(2**31), 2**31 - 1),
    "JSON": _json,
    "String": parse_string,
    "UInt32": _integer(0, 2**32 - 1),
}


def _enum(enum: GraphQLEnumType) -> Parse:
    def parse(text: str) -> str:
        if text not in enum.values:
            raise ValueError(f"{listed(enum.values, 'or')}")
        return text

    return parse


def _scalar(scalar: GraphQLScalarType) -> Parse:
    if (plain := _PLAIN.get(scalar.name)) is not None:
        return plain
    ours = SCALARS.get(scalar.name)
    if ours is None:
        return parse_string

    def parse(text: str) -> str:
        try:
            ours.coerce_input_value(text)
        except GraphQLError as wrong:
            raise ValueError(wrong.message.removeprefix("expected ")) from None
        return text

    return parse
