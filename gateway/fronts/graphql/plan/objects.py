"""An object's selection: the function that writes it, and the edges below it.

Fields that are in the message are written by one generated function. Fields that need another call
are edges: `gather` walks from parents to the edges of their children, level by level, and only
where there are any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from graphql import GraphQLNonNull, GraphQLOutputType, get_nullable_type, is_list_type

from gateway.fronts.graphql.execute.trouble import Null, Place, Text, forget, nullable, within
from gateway.fronts.graphql.graph.kinds import is_map
from gateway.fronts.graphql.graph.sources import OneofUnion
from gateway.fronts.graphql.plan.edges import Edge, JoinEdge
from gateway.fronts.graphql.plan.generated import Access, Code, Piece
from gateway.fronts.graphql.plan.leaves import leaf
from gateway.fronts.graphql.plan.packed import Packed
from gateway.fronts.graphql.plan.presence import case_of, is_set

Children = Callable[[Sequence[Any]], list[Any]]
"""The children, in one field, of some parents."""


@dataclass(slots=True)
class ObjectPlan:
    """What is asked of objects of one type.

    Attributes:
        text: Writes one object.
        fallible: Whether that can note a trouble or raise Null.
        edges: Fields of the object itself that need another call.
        below: Fields with children that have edges.
    """

    text: Text
    fallible: bool = False
    edges: Sequence[Edge] = ()
    below: Sequence[tuple[Children, ObjectPlan]] = ()

    @property
    def deep(self) -> bool:
        """Whether there is anything to gather."""
        return bool(self.edges or self.below)

    def gather(self, parents: Sequence[Any], run: Any) -> None:
        """Loads the edges of objects, and of those below them."""
        for edge in self.edges:
            edge.load(parents, run)
        for children, plan in self.below:
            found = children(parents)
            if found:
                plan.gather(found, run)


@dataclass(slots=True)
class Selection:
    """The parts of an object's plan as they are collected, field by field."""

    type_name: str
    access: Access
    code: Code
    pieces: list[tuple[str, Piece]] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    below: list[tuple[Children, ObjectPlan]] = field(default_factory=list)

    def add(self, key: str, piece: Piece) -> None:
        """Adds what writes a field."""
        self.pieces.append((key, piece))

    def typename(self, key: str) -> None:
        """Adds `__typename`."""
        self.add(key, Piece(f'"{self.type_name}"', ""))

    def null(self, key: str) -> None:
        """Adds a field that is always null."""
        self.add(key, Piece("null", ""))

    def called(self, key: str, text: Text, *, fallible: bool = True) -> None:
        """Adds a field that a function of the parent writes."""
        self.add(key, Piece("%s", f"{self.code.name(text, 'field')}(m, run)", fallible))

    def edge(self, key: str, edge: Edge) -> None:
        """Adds a field that needs another call."""
        self.edges.append(edge)
        self.called(key, edge.text)

    def join(self, key: str, edge: JoinEdge) -> None:
        """Adds a join. What is written already of an answer is looked up in place."""
        if edge.plain is None:
            self.edge(key, edge)
            return
        self.edges.append(edge)
        text = self.code.name(edge.text, "join")
        known = f"run.texts[{edge.index}].get({self.access.read(edge.plain.name)})"
        self.add(key, Piece("%s", f"({known} or {text}(m, run))", fallible=True))

    def same(self, key: str, plan: ObjectPlan) -> None:
        """Adds an object whose value is its parent's."""
        self.called(key, nullable(plan.text, key), fallible=plan.fallible)
        if plan.deep:
            self.below.append((list, plan))

    def union(self, key: str, source: OneofUnion, plans: Mapping[str, ObjectPlan]) -> None:
        """Adds a oneof, of which plans are given by the name of its case."""
        texts = {name: plan.text for name, plan in plans.items()}
        fallible = any(plan.fallible for plan in plans.values())
        text = _chosen(source, texts)
        self.called(key, nullable(text, key) if fallible else text, fallible=fallible)
        for name, plan in plans.items():
            if plan.deep:
                self.below.append((_case(source, name), plan))

    def value(self) -> ObjectPlan:
        """Returns the plan of the one field that was added, without the object around it."""
        ((_, piece),) = self.pieces
        return self._made(self.code.value(piece))

    def object(self) -> ObjectPlan:
        """Returns the plan of the object."""
        return self._made(self.code.object(self.pieces))

    def _made(self, text: Text) -> ObjectPlan:
        return ObjectPlan(
            text,
            any(piece.fallible for _, piece in self.pieces),
            tuple(self.edges),
            tuple(self.below),
        )


def message_access(
    message: Descriptor, code: Code, packed: Packed | None = None, *, pair: bool = False
) -> Access:
    """Returns how fields of a message are read."""
    return Access(code.name(GetMessageClass(message).HasField, "has"), pair, packed)


def add_field(
    selection: Selection,
    field: FieldDescriptor,
    type_: GraphQLOutputType,
    place: Place,
    child: ObjectPlan | None,
) -> None:
    """Adds a field of the message itself.

    Args:
        selection: Of the parent.
        field: The field of the message.
        type_: Its type in the graph.
        place: Where it is in the answer.
        child: What is asked of its objects; None for scalars and enums.
    """
    if child is None:
        piece = leaf(field, type_, place, selection.access, selection.code)
        selection.add(place.key, piece)
        return
    name, access, code = field.name, selection.access, selection.code
    value = access.read(name)
    if is_list_type(get_nullable_type(type_)):
        entries = is_map(field)
        loose = not isinstance(type_, GraphQLNonNull)
        if entries or child.fallible:
            write = listed(child.text, place.key, loose=loose, entries=entries)
            text = f"{code.name(write, 'list')}({value}, run)"
            selection.add(place.key, Piece("%s", text, child.fallible))
        else:
            item = code.name(child.text, "item")
            piece = Piece("[%s]", f"join([{item}(v, run) for v in {value}])")
            selection.add(place.key, piece)
        children: Children = _entries(name) if entries else _items(name)
    else:
        one = nullable(child.text, place.key) if child.fallible else child.text
        written = f"{code.name(one, 'object')}({value}, run)"
        expression = f"({written} if {access.present(name)} else 'null')"
        selection.add(place.key, Piece("%s", expression, child.fallible))
        children = _single(name, pair=access.pair)
    if child.deep:
        selection.below.append((children, child))


def _chosen(source: OneofUnion, texts: Mapping[str, Text]) -> Text:
    oneof, wrapped = source.descriptor.name, source.wrapped

    def text(message: Any, run: Any) -> str:
        case = case_of(message, oneof)
        write = None if case is None else texts.get(case)
        if case is None or write is None:  # none is set, or one that the graph does not show
            return "null"
        return write(message if case in wrapped else getattr(message, case), run)

    return text


def _case(source: OneofUnion, case: str) -> Children:
    oneof, wrapped = source.descriptor.name, case in source.wrapped

    def children(parents: Sequence[Any]) -> list[Any]:
        found = [parent for parent in parents if case_of(parent, oneof) == case]
        return found if wrapped else [getattr(parent, case) for parent in found]

    return children


def _single(name: str, *, pair: bool) -> Children:
    if pair:
        return lambda parents: [parent[1] for parent in parents]
    return lambda parents: [getattr(each, name) for each in parents if is_set(each, name)]


def _items(name: str) -> Children:
    return lambda parents: [item for each in parents for item in getattr(each, name)]


def _entries(name: str) -> Children:
    return lambda parents: [entry for each in parents for entry in getattr(each, name).items()]


def listed(text: Text, key: str, *, loose: bool, entries: bool = False) -> Text:
    """Returns what writes a list of objects, none of which may be null.

    Args:
        text: Writes an item.
        key: Of the field, for paths.
        loose: The list itself may be null.
        entries: The value is a map, of which (key, value) pairs are written in the keys' order.
    """

    def write(values: Any, run: Any) -> str:
        errors = run.errors
        start = len(errors)
        items: list[str] = []
        count = start
        try:
            for value in sorted(values.items(), key=_first) if entries else values:
                items.append(text(value, run))
                if len(errors) != count:
                    within(errors, count, len(items) - 1)
                    count = len(errors)
        except Null:
            within(errors, count, len(items))
            within(errors, start, key)
            if loose:
                forget(errors, start)
                return "null"
            raise
        if count != start:
            within(errors, start, key)
        return f"[{','.join(items)}]"

    return write


def _first(entry: tuple[Any, Any]) -> Any:
    return entry[0]
