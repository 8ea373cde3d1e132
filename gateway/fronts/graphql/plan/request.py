"""A field's arguments to the bytes of a request.

What a document says with literals is put into a message once, when it is planned; what it takes
from variables is put into another one for each run. The two are joined as bytes: serialized
messages that follow each other are merged by whoever parses them (protobuf's encoding guide, "Last
One Wins"). So a request without variables costs nothing, and one with a single variable next to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import EncodeError, Message
from google.protobuf.message_factory import GetMessageClass
from graphql import FieldNode, GraphQLField, GraphQLNonNull, Undefined, ValueNode, VariableNode
from graphql.execution.values import VariableValues
from graphql.language import ListValueNode, ObjectValueNode
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

from gateway.fronts.graphql.graph.sources import Given
from gateway.fronts.graphql.plan.writing import InputError, Put, Writers, clash

MakeRequest: TypeAlias = Callable[[VariableValues], bytes]
"""Makes the bytes of a request from the operation's variables. Raises InputError."""


class _Put(NamedTuple):
    """One argument: what it is called, what it is, and where it goes."""

    name: str
    value: Callable[[VariableValues], Any]
    put: Put


def set_given(message: Message, given: Sequence[Given]) -> None:
    """Sets the request fields that the graph itself gives a value."""
    for each in given:
        inner: Any = message
        for field in each.path[:-1]:
            inner = getattr(inner, field.name)
        last = each.path[-1]
        if last.is_repeated:
            values = each.value if isinstance(each.value, list | tuple) else [each.value]
            getattr(inner, last.name).extend(values)
        else:
            setattr(inner, last.name, each.value)


def request_of(
    input_: Descriptor,
    definition: GraphQLField,
    node: FieldNode,
    writers: Writers,
    given: Sequence[Given] = (),
) -> MakeRequest:
    """Returns what makes the request of a field.

    Args:
        input_: The request message.
        definition: The field; its arguments have sources.
        node: The field in the document, which has passed validation.
        writers: What puts values into messages.
        given: Request fields that have fixed values.
    """
    cls = GetMessageClass(input_)
    fixed = cls()
    set_given(fixed, given)
    nodes = {argument.name.value: argument.value for argument in node.arguments or ()}
    names: list[tuple[str, Any]] = []
    varying: list[_Put] = []
    wrong: InputError | None = None
    for name, argument in definition.args.items():
        found = nodes.get(name)
        put, oneof = writers.argument(name, argument), writers.oneof(argument)
        if found is not None and has_variables(found):
            varying.append(_Put(name, value_of(name, found, argument), put))
        else:
            value = (
                coerce_default_value(argument)
                if found is None
                else coerce_input_literal(found, argument.type)
            )
            if value is Undefined or value is None:
                continue
            try:
                put(fixed, value)
            except InputError as refusal:
                wrong = wrong or refusal
        names.append((name, oneof))
    if wrong is None:
        wrong = clash(each for each in names if each[0] not in {put.name for put in varying})
    if wrong is not None:
        return _refusing(wrong)
    constant = fixed.SerializePartialToString()
    if not varying:
        return lambda _variables: constant
    # Only arguments that share a oneof need a look at which of them are there.
    oneofs = [oneof.full_name for _, oneof in names if oneof is not None]
    if len(set(oneofs)) < len(oneofs):
        return _checked(cls, constant, varying, names)
    return _maker(cls, constant, varying)


def _maker(cls: type[Message], constant: bytes, varying: Sequence[_Put]) -> MakeRequest:
    def make(variables: VariableValues) -> bytes:
        message = cls()
        for _, value_of, put in varying:
            value = value_of(variables)
            if value is not Undefined and value is not None:
                put(message, value)
        return constant + _serialized(message)

    return make


def _checked(
    cls: type[Message], constant: bytes, varying: Sequence[_Put], names: Sequence[tuple[str, Any]]
) -> MakeRequest:
    make_it = _maker(cls, constant, varying)
    by_name = {put.name: put.value for put in varying}

    def make(variables: VariableValues) -> bytes:
        def there(name: str) -> bool:
            value_of = by_name.get(name)
            return value_of is None or value_of(variables) not in (Undefined, None)

        if wrong := clash(each for each in names if there(each[0])):
            raise wrong
        return make_it(variables)

    return make


def _serialized(message: Message) -> bytes:
    try:
        return message.SerializePartialToString()
    except (EncodeError, ValueError) as failure:
        raise InputError("Expected text in UTF-8.") from failure


def _refusing(wrong: InputError) -> MakeRequest:
    text, path, denial = str(wrong), wrong.path, wrong.denial

    def refuse(_variables: VariableValues) -> bytes:
        raise InputError(text, *path, denial=denial)

    return refuse


def value_of(name: str, node: ValueNode, argument: Any) -> Callable[[VariableValues], Any]:
    """Returns what reads the value of an argument that has variables in it.

    What it returns gives Undefined where nothing is given, and raises InputError.
    """
    type_ = argument.type
    required = isinstance(type_, GraphQLNonNull)
    default = coerce_default_value(argument)
    if isinstance(node, VariableNode):
        variable = node.name.value

        def read(variables: VariableValues) -> Any:
            value = variables.coerced.get(variable, default)
            if required and (value is None or value is Undefined):
                raise InputError(f"Expected a value, found none in ${variable}.", name)
            return value

        return read

    def coerce(variables: VariableValues) -> Any:
        value = coerce_input_literal(node, type_, variables)
        if value is Undefined:
            raise InputError(f"Expected a value of type {type_}.", name)
        return value

    return coerce


def has_variables(node: ValueNode) -> bool:
    """Returns whether a value of a document has variables in it."""
    if isinstance(node, VariableNode):
        return True
    if isinstance(node, ListValueNode):
        return any(map(has_variables, node.values))
    if isinstance(node, ObjectValueNode):
        return any(has_variables(field.value) for field in node.fields)
    return False
