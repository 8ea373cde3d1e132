"""What `@join` and `@call` say, read: their arguments by name, each of the right kind.

    @join(by: Text, method: Text, keys: {request_field: "parent.path"}, many: Boolean, with: {…})
    @call(method: Text!, with: {…}, pick: Text)

Of `with`, each entry sets one request field, in messages inside by nesting: `{page: {size: 5}}`.
Its value is `"$argument"` of the field, `"path.of.the.parent"` (`@call` only), `"'a text'"`, or
any other literal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    BooleanValueNode,
    ConstValueNode,
    Node,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    print_ast,
)

from gateway.fronts.graphql.joins.candidates import hint, listed, nearest
from gateway.fronts.graphql.joins.places import Findings
from gateway.fronts.graphql.joins.sdl import CALL, JOIN, Edge


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a directive, and where it stands."""

    value: str
    node: Node


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of `with`, or of `keys`.

    Attributes:
        path: The request field, dotted.
        value: What is set.
        node: Where the entry stands.
    """

    path: str
    value: ConstValueNode
    node: Node


@dataclass(frozen=True, slots=True)
class Said:
    """What a directive says; None and empty where it says nothing."""

    by: Text | None = None
    method: Text | None = None
    pick: Text | None = None
    many: bool = False
    keys: tuple[Entry, ...] = ()
    sets: tuple[Entry, ...] = field(default=())


_KINDS: Mapping[str, tuple[type[ValueNode], str]] = {
    "by": (StringValueNode, "a text"),
    "method": (StringValueNode, "a text"),
    "pick": (StringValueNode, "a text"),
    "many": (BooleanValueNode, "true or false"),
    "keys": (ObjectValueNode, 'an object such as {ids: "product_id"}'),
    "with": (ObjectValueNode, 'an object such as {user_id: "$userId"}'),
}
_TAKES = {JOIN: ("by", "method", "keys", "many", "with"), CALL: ("method", "with", "pick")}


def said(edge: Edge, findings: Findings) -> Said | None:
    """Returns what an edge's directive says; None where that is wrong, which `findings` gets."""
    directive = edge.directive.name.value
    known: dict[str, ConstValueNode] = {}
    right = True
    for argument in edge.directive.arguments or ():
        name, value = argument.name.value, argument.value
        problem = fix = ""
        if name not in _TAKES[directive]:
            near = nearest(name, _TAKES[directive])
            problem = f"@{directive} has no {name}; it has {listed(_TAKES[directive])}"
            line = edge.line(changed={name: "", near[0]: print_ast(value)}) if near else ""
            fix = hint(near, line)
        elif name in known:
            problem = f"@{directive} has {name} twice"
        elif not isinstance(value, _KINDS[name][0]):
            problem = f"{name} is {_KINDS[name][1]}, not {print_ast(value)}"
        if problem:
            right = False
            findings.wrong(edge.place(argument), f"{edge.label}: {problem}", fix)
        known.setdefault(name, value)
    return _said(known) if right else None


def _said(known: Mapping[str, ConstValueNode]) -> Said:
    def text(name: str) -> Text | None:
        node = known.get(name)
        return Text(node.value, node) if isinstance(node, StringValueNode) else None

    many = known.get("many")
    return Said(
        by=text("by"),
        method=text("method"),
        pick=text("pick"),
        many=isinstance(many, BooleanValueNode) and many.value,
        keys=tuple(_entries(known.get("keys"))),
        sets=tuple(_entries(known.get("with"))),
    )


def _entries(node: ConstValueNode | None, above: str = "") -> Iterator[Entry]:
    """Yields the entries of an object, those of objects inside with their whole path."""
    if not isinstance(node, ObjectValueNode):
        return
    for each in node.fields:
        path = f"{above}{each.name.value}"
        if isinstance(each.value, ObjectValueNode):
            yield from _entries(each.value, f"{path}.")
        else:
            yield Entry(path, each.value, each)
