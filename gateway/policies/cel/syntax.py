"""What a checked expression reads, found in its syntax tree and not in its text.

The tree is the one that the compiler made (`cel.expr.CheckedExpr`, google/cel-spec, proto/cel/expr/
checked.proto and syntax.proto). Of it only what is looked at is declared below; the rest of the
bytes is passed over. A name that a loop's variable hides counts as read: that costs, and harms
nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from google.protobuf import any_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway.policies.cel.variables import CLAIMS, METADATA
from gateway.policies.cel.work import Work, work

# Message -> its fields: name, number, and a message, `string` or `int`; `*` marks a repeated one.
_TREE: Final = {
    "Checked": (("types", 3, "*TypeOf"), ("expr", 4, "Expr")),
    "TypeOf": (("id", 1, "int"), ("type", 2, "Type")),
    "Type": (
        ("dynamic", 1, "Expr"),
        ("primitive", 3, "int"),
        ("well_known", 5, "int"),
        ("list", 6, "ListType"),
        ("map", 7, "MapType"),
        ("message", 9, "string"),
    ),
    "ListType": (("element", 1, "Type"),),
    "MapType": (("key", 1, "Type"), ("value", 2, "Type")),
    "Expr": (
        ("id", 2, "int"),
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
        ("variable", 1, "string"),
        ("range", 2, "Expr"),
        ("sum", 3, "string"),
        ("start", 4, "Expr"),
        ("condition", 5, "Expr"),
        ("step", 6, "Expr"),
        ("result", 7, "Expr"),
        ("second", 8, "string"),
    ),
}
_SCALARS: Final = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "int": FieldDescriptorProto.TYPE_INT64,
}
_PACKAGE: Final = "gateway.cel"
_INDEX: Final = "_[_]"
_ANY: Final = 1  # google.protobuf.Any among the well-known types
_OPENED: Final = frozenset({("Select", "operand"), ("Loop", "range")})


class TooDeep(Exception):  # noqa: N818  what the expression is
    """A tree that is nested too deep to be read."""


@dataclass(slots=True)
class Reading:
    """What an expression reads.

    Attributes:
        names: Every name that it has, those of its loops too.
        keys: Of maps (`claims`, `metadata`): the keys that it reads; None where it may be any.
        builds_lists: Whether a loop makes a list (`map`, `filter`).
        work: How much work it is.
        unpacks: Whether it looks into a `google.protobuf.Any`, or compares or hands on a message
            that may have one somewhere.
    """

    names: set[str] = field(default_factory=set)
    keys: dict[str, set[str] | None] = field(default_factory=dict)
    builds_lists: bool = False
    work: Work = field(default_factory=Work)
    unpacks: bool = False


def reading(serialized: bytes, holds_any: Callable[[str], bool]) -> Reading:
    """Returns what a checked expression reads.

    Args:
        serialized: The compiler's tree, a `google.protobuf.Any`.
        holds_any: Whether a message type, by its full name, has an Any among its fields or theirs.

    Raises:
        TooDeep: It is nested too deep.
    """
    try:
        checked = _CHECKED.FromString(any_pb2.Any.FromString(serialized).value)
    except DecodeError as failure:  # protobuf reads no message deeper than 100
        raise TooDeep from failure
    types = {each.id: each.type for each in checked.types}
    found = Reading(work=work(checked.expr, types))
    packed = {id_: packs for id_, type_ in types.items() if (packs := _packs(type_, holds_any))}
    _walk(checked.expr, found, packed, opened=False)
    return found


class _Packs(Enum):
    """What of a value is an Any."""

    IS = 1
    HOLDS = 2


def _packs(type_: Any, holds_any: Callable[[str], bool]) -> _Packs | None:
    if type_.well_known == _ANY:
        return _Packs.IS
    if type_.HasField("list"):
        inner = _packs(type_.list.element, holds_any)
    elif type_.HasField("map"):
        inner = _packs(type_.map.value, holds_any)
    else:
        return _Packs.HOLDS if type_.HasField("message") and holds_any(type_.message) else None
    return inner and _Packs.HOLDS


def _walk(
    node: Any,
    found: Reading,
    packed: Mapping[int, _Packs],
    *,
    opened: bool,
) -> None:
    """Notes what a node and all below it read.

    Args:
        node: The node.
        found: What was found so far.
        packed: The expressions that are an Any or hold one, by id.
        opened: Whether of its value only a part is taken: a field, an element.
    """
    kind = type(node).DESCRIPTOR.name
    if kind == "Expr" and (packs := packed.get(node.id)):
        found.unpacks |= packs is _Packs.IS or not opened
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
    elif kind == "Loop":
        found.builds_lists |= node.start.HasField("list") or node.start.HasField("struct")
    for number, (name, child) in enumerate(_children(node)):
        _walk(
            child,
            found,
            packed,
            opened=(kind, name) in _OPENED
            or (kind == "Call" and node.function == _INDEX and not number),
        )


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
            if kind in _SCALARS:
                added.type = _SCALARS[kind]
            else:
                added.type = FieldDescriptorProto.TYPE_MESSAGE
                added.type_name = f".{_PACKAGE}.{kind.lstrip('*')}"
    return file


def _checked() -> Any:
    pool = DescriptorPool()
    pool.AddSerializedFile(_file().SerializeToString())
    return GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Checked"))


_CHECKED: Final = _checked()
