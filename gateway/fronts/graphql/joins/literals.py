"""Literals of `with`, as the values that a message takes: what a request field always gets."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping

from google.protobuf.descriptor import FieldDescriptor
from graphql import (
    BooleanValueNode,
    ConstValueNode,
    EnumValueNode,
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    StringValueNode,
    print_ast,
)

from gateway.fronts.graphql.joins.candidates import hint, nearest
from gateway.fronts.graphql.joins.kinds import described, whole_numbers

_Read = Callable[[ConstValueNode, FieldDescriptor], object]
_T = FieldDescriptor


class LiteralError(ValueError):
    """A literal that a request field can't take. The text is a whole sentence."""


def quoted(node: ConstValueNode) -> str | None:
    """Returns the text of `"'a text'"`; None where a node is something else."""
    if not isinstance(node, StringValueNode) or len(node.value) < 2:
        return None
    text = node.value
    return text[1:-1] if text[0] == text[-1] == "'" else None


def literal(node: ConstValueNode, field: FieldDescriptor) -> object:
    """Returns a literal as a field's value: a tuple of values for a repeated field.

    Raises:
        LiteralError: The field can't take it.
    """
    if not field.is_repeated:
        return _one(node, field)
    if field.message_type is None and isinstance(node, ListValueNode):
        return tuple(_one(each, field) for each in node.values)
    raise _refusal(node, field, "a list of literals" if field.message_type is None else "")


def _one(node: ConstValueNode, field: FieldDescriptor) -> object:
    if field.message_type is not None:
        raise _refusal(node, field, "")
    read, expected = _READERS.get(field.type, (_whole, "a whole number"))
    value = read(node, field)
    if value is None:
        raise _refusal(node, field, expected)
    return value


def _refusal(node: ConstValueNode, field: FieldDescriptor, expected: str) -> LiteralError:
    what = f"expected {expected}" if expected else "no literal can be given for that"
    return LiteralError(f"{field.full_name} is {described(field)}: {what}, not {print_ast(node)}")


def _whole(node: ConstValueNode, field: FieldDescriptor) -> object:
    room = whole_numbers(field)
    if room is None or not isinstance(node, IntValueNode):
        return None
    number = int(node.value)
    if number not in room:
        raise LiteralError(
            f"{field.full_name} is {described(field)}, which can't hold {node.value}"
        )
    return number


def _number(node: ConstValueNode, _: FieldDescriptor) -> object:
    return float(node.value) if isinstance(node, IntValueNode | FloatValueNode) else None


def _boolean(node: ConstValueNode, _: FieldDescriptor) -> object:
    return node.value if isinstance(node, BooleanValueNode) else None


def _text(node: ConstValueNode, _: FieldDescriptor) -> object:
    return quoted(node)


def _bytes(node: ConstValueNode, _: FieldDescriptor) -> object:
    text = quoted(node)
    try:
        return None if text is None else base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def _enum(node: ConstValueNode, field: FieldDescriptor) -> object:
    if not isinstance(node, EnumValueNode) or field.enum_type is None:
        return None
    values = field.enum_type.values_by_name
    if node.value not in values:
        near = hint(nearest(node.value, values))
        raise LiteralError(
            f"{field.enum_type.full_name} has no value {node.value}" + (f"; {near}" if near else "")
        )
    return values[node.value].number


_READERS: Mapping[int, tuple[_Read, str]] = {
    _T.TYPE_STRING: (_text, "a text in single quotes inside, \"'text'\""),
    _T.TYPE_BYTES: (_bytes, "base64 in single quotes inside, \"'aGk='\""),
    _T.TYPE_BOOL: (_boolean, "true or false"),
    _T.TYPE_FLOAT: (_number, "a number"),
    _T.TYPE_DOUBLE: (_number, "a number"),
    _T.TYPE_ENUM: (_enum, "a name of the enum"),
}
