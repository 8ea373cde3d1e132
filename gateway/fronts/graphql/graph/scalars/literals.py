"""Literals of a document as the Python values that JSON would give: one reading for both.

Every custom scalar reads literals through `plain`, then the value as it reads a variable's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from graphql import (
    BooleanValueNode,
    FloatValueNode,
    GraphQLError,
    GraphQLScalarType,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
)

Read: TypeAlias = Callable[[Any], Any]
"""Reads a JSON value as the canonical one. Raises GraphQLError."""

# More digits than any number of protobuf has; beyond, Python's own conversion takes its time.
_MOST_DIGITS = 400
MAX_DEPTH = 100


def plain(node: ValueNode, depth: int = 0) -> Any:
    """Returns a literal as JSON would give it: None, bool, int, float, str, list or dict.

    Raises:
        GraphQLError: It is an enum's name or a variable, a number with too many digits, or it is
            deeper than 100 levels.
    """
    if depth > MAX_DEPTH:
        raise GraphQLError(f"expected at most {MAX_DEPTH} levels of lists and objects")
    match node:
        case StringValueNode():
            return node.value
        case IntValueNode() | FloatValueNode():
            if len(node.value) > _MOST_DIGITS:
                raise GraphQLError(f"expected a number of at most {_MOST_DIGITS} digits")
            return int(node.value) if isinstance(node, IntValueNode) else float(node.value)
        case BooleanValueNode():
            return node.value
        case NullValueNode():
            return None
        case ListValueNode():
            return [plain(each, depth + 1) for each in node.values]
        case ObjectValueNode():
            return {each.name.value: plain(each.value, depth + 1) for each in node.fields}
        case _:
            raise GraphQLError("expected a JSON value; names of enum values are strings here")


def scalar(
    name: str, *, write: Callable[[Any], Any], read: Read, about: str, specification: str = ""
) -> GraphQLScalarType:
    """Makes a scalar.

    Args:
        name: Its name.
        write: Makes the JSON value of what a message holds.
        read: Makes the canonical value of a JSON value, be it a literal's or a variable's.
        about: Its description.
        specification: URL of what specifies its form.
    """

    def literal(node: ValueNode) -> Any:
        try:
            return read(plain(node))
        except GraphQLError as wrong:  # which knows neither the scalar nor the place
            raise GraphQLError(f"{name}: {wrong.message}", node) from None

    return GraphQLScalarType(
        name,
        coerce_output_value=write,
        coerce_input_value=read,
        coerce_input_literal=literal,
        description=about,
        specified_by_url=specification or None,
    )
