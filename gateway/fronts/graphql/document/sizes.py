"""How many items a list will have, guessed from the field's arguments before anything is called.

An argument bounds a list by its name (`page_size`, `limit`, `first`: AIP-158 and what others use)
or gives its keys (`ids`). What a client does not bound has a default. A guess is compiled once for
a field of a document, and is then a function of the request's variables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import TypeAlias

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from graphql.utilities import value_from_ast_untyped

from gateway.fronts.graphql.graph.sources import Argument, input_source

Variables: TypeAlias = "Mapping[str, object]"
Size: TypeAlias = "int | Callable[[Variables], int]"
"""Items of a list: known, or a function of the operation's coerced variables."""

PAGE = 10
"""Items of a list that a call brings, where no argument bounds it."""

NESTED = 5
"""Items of a list inside a message, such as the items of an order."""

_PAGES = frozenset({"max_page_size", "max_results", "page_limit", "page_size", "per_page"})
"""Arguments that bound all that a call brings."""

_BOUNDS = frozenset(
    {"count", "first", "last", "limit", "max_count", "max_items", "size", "take", "top"}
)
"""Arguments that bound it too, but for each key where there are keys."""

_KEYS = re.compile(r"(^|_)(ids|keys|names)$")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class _Role(Enum):
    """How an argument bounds a list."""

    PAGE = "page"
    BOUND = "bound"
    KEYS = "keys"


_DEEPEST = 2
"""Levels of arguments that a bound is looked for in: `page: {size: 10}` has two."""

_ENOUGH = 10**12
"""What is larger is not read exactly: it is over every limit."""

_Bound: TypeAlias = "int | Callable[[Variables], int | None] | None"
"""What one argument says: nothing, a number, or what a variable will say."""
_Input: TypeAlias = "GraphQLArgument | GraphQLInputField"
_Names: TypeAlias = "tuple[str, ...]"


def page_size(field: GraphQLField, node: FieldNode) -> Size | None:
    """Returns how many items a call of a field brings in a list; None where no argument says it.

    A page size that is given is it. Else it is the bound, for each key where keys are given. What
    is not given, or not positive (AIP-158: 0 is the service's default), is PAGE.
    """
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    read: dict[_Role, list[_Bound]] = {role: [] for role in _Role}
    for name, argument in field.args.items():
        for path, leaf, role in _candidates(name, argument, _DEEPEST):
            value, inward = given.get(name), path[1:]
            default = _at(_default(argument), inward) or _default(leaf)
            measure = _length if role is _Role.KEYS else _whole
            read[role].append(_bound(value, inward, default, measure))
    pages, bounds, keys = read[_Role.PAGE], read[_Role.BOUND], read[_Role.KEYS]
    if not (pages or bounds or keys):
        return None

    def evaluate(variables: Variables) -> int:
        if page := _largest(pages, variables):
            return page
        count = _largest(keys, variables)
        if count is None:
            return _largest(bounds, variables) or PAGE
        return count * (_largest(bounds, variables) or PAGE) if bounds else count

    if any(callable(each) for each in (*pages, *bounds, *keys)):
        return evaluate
    return evaluate({})


def list_size(field: GraphQLField, node: FieldNode) -> Size:
    """Returns how many items a field has whose own value is the list."""
    size = page_size(field, node)
    return PAGE if size is None else size


def _candidates(
    name: str, argument: _Input, deepest: int
) -> Iterator[tuple[_Names, _Input, _Role]]:
    """Yields what may bound a list: the names to it, itself, and how it does."""
    source = input_source(argument)
    proto = source.path[-1].name if isinstance(source, Argument) and source.path else None
    plain = _WORD.sub("_", name).lower() if proto is None else proto
    type_ = get_nullable_type(argument.type)
    if isinstance(type_, GraphQLInputObjectType):
        if deepest > 1:
            for inner, field in type_.fields.items():
                for path, leaf, role in _candidates(inner, field, deepest - 1):
                    yield (name, *path), leaf, role
    elif isinstance(type_, GraphQLList):
        if _KEYS.search(plain) and is_leaf_type(get_named_type(type_)):
            yield (name,), argument, _Role.KEYS
    elif plain in _PAGES or plain in _BOUNDS:
        yield (name,), argument, _Role.PAGE if plain in _PAGES else _Role.BOUND


def _largest(bounds: Iterable[_Bound], variables: Variables) -> int | None:
    """Returns the largest number that is said, if it is not negative; else None."""
    said = (bound(variables) if callable(bound) else bound for bound in bounds)
    return max((number for number in said if number is not None and number >= 0), default=None)


def _bound(
    value: ValueNode | None,
    path: _Names,
    default: object,
    measure: Callable[[object], int | None],
) -> _Bound:
    """Returns what an argument's value says, or a function that asks a variable for it."""
    while isinstance(value, ObjectValueNode) and path:
        inner = {field.name.value: field.value for field in value.fields}
        value, path = inner.get(path[0]), path[1:]
    match value:
        case None:
            return measure(default)
        case VariableNode():
            name = value.name.value
            return lambda variables: measure(
                _at(variables[name], path) if name in variables else default
            )
        case IntValueNode() | StringValueNode() | NullValueNode():
            return measure(_literal(value))
        case ListValueNode():
            return measure(value.values)
        case _:
            return None


def _at(value: object, path: _Names) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _default(argument: _Input) -> object:
    default = argument.default
    if default is None:
        return None if argument.default_value is Undefined else argument.default_value
    if default.literal is not None:
        return value_from_ast_untyped(default.literal)
    return default.value


def _literal(value: IntValueNode | StringValueNode | NullValueNode) -> object:
    return None if isinstance(value, NullValueNode) else value.value


def _whole(value: object) -> int | None:
    """Returns a bound: an integer, or its digits (Int64 is written as a string too)."""
    if isinstance(value, str):
        digits = value.isascii() and value.isdigit()
        return min(int(value[:20]), _ENOUGH) if digits else None
    if isinstance(value, int) and not isinstance(value, bool):
        return min(value, _ENOUGH)
    return None


def _length(value: object) -> int | None:
    """Returns the number of keys given; a single one stands for a list of it (section 3.11)."""
    if value is None:
        return None
    return len(value) if isinstance(value, list | tuple) else 1
