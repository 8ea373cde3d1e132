"""A field's arguments to what a resolver in Python is called with.

Values are coerced as graphql-core does it; then what Python code does not expect becomes what it
does: an input that is made of a message becomes the message, a DateTime a `datetime`, a Duration a
`timedelta`. Literals are coerced once, when the document is planned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias

from google.protobuf.message_factory import GetMessageClass
from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
)
from graphql.execution.values import VariableValues
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

from gateway.fronts.graphql.graph.sources import made_of
from gateway.fronts.graphql.plan.request import has_variables, value_of
from gateway.fronts.graphql.plan.writing import Writers

MakeArguments: TypeAlias = Callable[[VariableValues], dict[str, Any]]
"""Makes the keyword arguments of a resolver. Raises InputError."""

Adapt: TypeAlias = Callable[[Any], Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Given(NamedTuple):
    """One argument, by the name that the resolver knows it by."""

    name: str
    read: Callable[[VariableValues], Any]
    adapt: Adapt | None


def arguments_of(definition: GraphQLField, node: FieldNode, writers: Writers) -> MakeArguments:
    """Returns what makes the arguments of a field.

    Args:
        definition: The field.
        node: The field in the document, which has passed validation.
        writers: What puts values into messages.
    """
    nodes = {argument.name.value: argument.value for argument in node.arguments or ()}
    given = []
    for name, argument in definition.args.items():
        found = nodes.get(name)
        if found is None:
            read = _constant(coerce_default_value(argument))
        elif has_variables(found):
            read = value_of(name, found, argument)
        else:
            read = _constant(coerce_input_literal(found, argument.type))
        given.append(_Given(argument.out_name or name, read, _adapter(argument.type, writers, {})))

    def make(variables: VariableValues) -> dict[str, Any]:
        values = {}
        for name, read, adapt in given:
            value = read(variables)
            if value is Undefined:
                continue
            values[name] = value if adapt is None or value is None else adapt(value)
        return values

    return make


def _constant(value: Any) -> Callable[[VariableValues], Any]:
    return lambda _variables: value


def _adapter(type_: Any, writers: Writers, known: dict[str, Adapt | None]) -> Adapt | None:
    """Returns what makes of a coerced value, not null, what Python expects; None for itself."""
    if isinstance(type_, GraphQLNonNull):
        return _adapter(type_.of_type, writers, known)
    if isinstance(type_, GraphQLList):
        adapt = _adapter(type_.of_type, writers, known)
        return None if adapt is None else _each(adapt)
    if not isinstance(type_, GraphQLInputObjectType):
        return _SCALARS.get(type_.name)
    if type_.name not in known:
        made = made_of(type_)
        if made is not None:
            known[type_.name] = _message(type_, writers)
        else:
            # For a type that has itself in it, which is looked up while its fields are.
            fields: dict[str, Adapt] = {}
            known[type_.name] = _fields(fields)
            for name, field in type_.fields.items():
                adapt = _adapter(field.type, writers, known)
                if adapt is not None:
                    fields[field.out_name or name] = adapt
    return known[type_.name]


def _each(adapt: Adapt) -> Adapt:
    return lambda values: [None if value is None else adapt(value) for value in values]


def _fields(adapts: Mapping[str, Adapt]) -> Adapt:
    def adapt(given: Any) -> dict[str, Any]:
        return {
            name: value if value is None or name not in adapts else adapts[name](value)
            for name, value in given.items()
        }

    return adapt


def _message(type_: GraphQLInputObjectType, writers: Writers) -> Adapt:
    made = made_of(type_)
    if made is None:
        raise TypeError(f"{type_} is made of no message")
    cls, fill = GetMessageClass(made.message), writers.filling(type_)

    def adapt(given: Any) -> Any:
        message = cls()
        fill(message, given)
        return message

    return adapt


def _datetime(value: Any) -> datetime:
    seconds, nanos = value
    return _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)


def _timedelta(value: Any) -> timedelta:
    seconds, nanos = value
    return timedelta(seconds=seconds, microseconds=nanos / 1000)


_SCALARS: Final[Mapping[str, Adapt]] = {"DateTime": _datetime, "Duration": _timedelta}
