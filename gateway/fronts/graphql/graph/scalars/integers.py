"""`Int64`, `UInt64`, `UInt32`: integers that GraphQL's Int does not hold.

JSON numbers are doubles to most clients, so 64 bits travel as strings (ProtoJSON does the same).
"""

from __future__ import annotations

import re
from typing import Any

from graphql import GraphQLError, GraphQLScalarType

from gateway.fronts.graphql.graph.scalars.literals import Read, scalar

_DIGITS = re.compile(r"-?[0-9]{1,20}", re.ASCII)


def _reader(low: int, high: int, *, strings: bool) -> Read:
    what = "an integer, or a string of one," if strings else "an integer"

    def read(value: Any) -> int:
        number: int | None = None
        if isinstance(value, int) and not isinstance(value, bool):
            number = value
        elif strings and isinstance(value, str) and _DIGITS.fullmatch(value):
            number = int(value)
        if number is None or not low <= number <= high:
            raise GraphQLError(f"expected {what} from {low} to {high}")
        return number

    return read


def _wide(name: str, low: int, high: int) -> GraphQLScalarType:
    return scalar(
        name,
        write=str,
        read=_reader(low, high, strings=True),
        about=f"An integer from {low} to {high}: a string in answers, a string or an integer in "
        "arguments.",
    )


INT64 = _wide("Int64", -(2**63), 2**63 - 1)
UINT64 = _wide("UInt64", 0, 2**64 - 1)
UINT32 = scalar(
    "UInt32",
    write=int,
    read=_reader(0, 2**32 - 1, strings=False),
    about=f"An integer from 0 to {2**32 - 1}.",
)
