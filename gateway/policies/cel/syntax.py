"""What a checked expression reads, found in its syntax tree and not in its text.

The tree is the one that the compiler made (`cel.expr.CheckedExpr`, google/cel-spec, proto/cel/expr/
checked.proto and syntax.proto). Of it only what is looked at is declared below; the rest of the
bytes is passed over. A name that a loop's variable hides counts as read: that costs, and harms
nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf import any_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway.policies.cel.variables import CLAIMS, METADATA, REQUEST

# Message -> its fields: name, number, and a message or `string`; `*` marks a repeated one.
_TREE: Final = {
    "Checked": (("expr", 4, "Expr"),),
    "Expr": (
        ("constant", 3, "Constant"),
        ("ident", 4, "Ident"),
        ("select", 5, "Select"),
        ("call", 6, "Call"),
        ("list", 7, "List"),
        ("struct", 8, "Struct"),
        ("loop", 9, "Loop"),
    ),
    "Constant": (("text", 6, "string"),),
    "Ident": (("name", 1, "string"),),
    "Select": (("operand", 1, "Expr"), ("field", 2, "string")),
    "Call": (("target", 1, "Expr"), ("function", 2, "string"), ("args", 3, "*Expr")),
    "List": (("elements", 1, "*Expr"),),
    "Struct": (("entries", 2, "*Entry"),),
    "Entry": (("key", 3, "Expr"), ("value", 4, "Expr")),
    "Loop": (
        ("range", 2, "Expr"),
        ("start", 4, "Expr"),
        ("condition", 5, "Expr"),
        ("step", 6, "Expr"),
        ("result", 7, "Expr"),
    ),
}
_PACKAGE: Final = "gateway.cel"
_INDEX: Final = "_[_]"
_BODY: Final = frozenset({"condition", "step", "result"})  # what every round of a loop does


class TooDeep(Exception):  # noqa: N818  what the expression is
    """A tree that is nested too deep to be read."""


@dataclass(slots=True)
class Reading:
    """What an expression reads.

    Attributes:
        names: Every name that it has, those of its loops too.
        keys: Of maps (`claims`, `metadata`): the keys that it reads; None where it may be any.
        builds_lists: Whether a loop makes a list (`map`, `filter`).
        request_in_loop: Whether the request is looked at in every round of a loop.
    """

    names: set[str] = field(default_factory=set)
    keys: dict[str, set[str] | None] = field(default_factory=dict)
    builds_lists: bool = False
    request_in_loop: bool = False


def reading(serialized: bytes) -> Reading:
    """Returns what a checked expression reads.

    Args:
        serialized: The compiler's tree, a `google.protobuf.Any`.

    Raises:
        TooDeep: It is nested too deep.
    """
    try:
        checked = _CHECKED.FromString(any_pb2.Any.FromString(serialized).value)
    except DecodeError as failure:  # protobuf reads no message deeper than 100
        raise TooDeep from failure
    found = Reading()
    _walk(checked.expr, found, in_loop=False)
    return found


def _walk(node: Any, found: Reading, *, in_loop: bool) -> None:
    kind = type(node).DESCRIPTOR.name
    if kind == "Expr" and (member := _member(node)):
        name, key = member
        keys = found.keys.setdefault(name, set())
        if keys is not None:
            keys.add(key)
        found.names.add(name)
        return
    if kind == "Ident":
        name = node.name.removeprefix(".")
        found.names.add(name)
        if name in {CLAIMS, METADATA}:
            found.keys[name] = None
        found.request_in_loop |= in_loop and name == REQUEST
    elif kind == "Loop":
        found.builds_lists |= node.start.HasField("list") or node.start.HasField("struct")
    for field_name, child in _children(node):
        _walk(child, found, in_loop=in_loop or (kind == "Loop" and field_name in _BODY))


def _member(node: Any) -> tuple[str, str] | None:
    """Returns map and key of `claims.tenant` and `claims["tenant"]`; None for all else."""
    if node.HasField("select"):
        operand, key = node.select.operand, node.select.field
    elif node.HasField("call") and node.call.function == _INDEX and len(node.call.args) == 2:
        operand, at = node.call.args
        if not at.HasField("constant") or not at.constant.HasField("text"):
            return None
        key = at.constant.text
    else:
        return None
    name = operand.ident.name.removeprefix(".") if operand.HasField("ident") else ""
    return (name, key) if name in {CLAIMS, METADATA} else None


def _children(node: Message) -> Iterator[tuple[str, Message]]:
    for descriptor, value in node.ListFields():
        if descriptor.message_type is not None:
            for child in value if descriptor.is_repeated else (value,):
                yield descriptor.name, child


def _file() -> FileDescriptorProto:
    """Returns the tree's messages: proto2, so that what is there and what is not can be told."""
    file = FileDescriptorProto(name="gateway/cel.proto", package=_PACKAGE, syntax="proto2")
    for name, fields in _TREE.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind in fields:
            added = message.field.add(name=field_name, number=number)
            added.label = (
                FieldDescriptorProto.LABEL_REPEATED
                if kind.startswith("*")
                else FieldDescriptorProto.LABEL_OPTIONAL
            )
            if kind == "string":
                added.type = FieldDescriptorProto.TYPE_STRING
            else:
                added.type = FieldDescriptorProto.TYPE_MESSAGE
                added.type_name = f".{_PACKAGE}.{kind.lstrip('*')}"
    return file


def _checked() -> Any:
    pool = DescriptorPool()
    pool.AddSerializedFile(_file().SerializeToString())
    return GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Checked"))


_CHECKED: Final = _checked()
