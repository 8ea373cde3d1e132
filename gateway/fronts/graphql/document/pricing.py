"""An operation as the steps that cost something: RPCs, joins, fields in Python, lists around them.

The steps are made from the sources of the graph's fields, without running anything, once for an
operation; `cost` puts numbers to them. They are an upper bound of what a plan does: fields that
merge are one step, as in the plan, but calls that turn out to be the same are counted each, and so
is what `@skip` and `@include` decide by a variable. What they decide by a constant is decided here.

Fields are collected as the specification says (section 6.3.2), by type and response name; what is
collected is as large as the operation with its fragments written out, which `Limits.fields` bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import cast

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
)

from gateway.fronts.graphql.document.sizes import NESTED, Size, list_size, page_size
from gateway.fronts.graphql.graph.sources import Join, ParentCall, Rpc, made_of, source_of


class Kind(Enum):
    """What a step is."""

    RPC = auto()  # one call, whatever is above it
    PARENT_CALL = auto()  # one call for each parent
    JOIN = auto()  # calls with as many keys as a batch takes
    PYTHON = auto()  # a field that Python resolves: no call that is known of
    PAGE = auto()  # a list at the top of the reply of a call that has an argument to bound it
    LIST = auto()  # a list inside a message: it costs nothing, but multiplies what is below
    FIELD = auto()  # a field with steps below, and no cost of its own


@dataclass(frozen=True, slots=True)
class Step:
    """One field that costs something, or that stands above one that does.

    Attributes:
        name: Its response name.
        kind: What it is.
        method: The RPC that is called, else empty.
        size: Items for each value of the parent: of a join, for each key. 1 if it is no list.
        keys: Of a join: keys for each parent.
        batch: Of a join: the most keys in a call; 0 is no limit.
        brings: Whether the values of the field count as rows. The reply of a call does not where
            the lists in it do.
        below: The steps below.
        how: Of a join: which keys go where, for people: `ids from product_id`.
    """

    name: str
    kind: Kind
    method: str = ""
    size: Size = 1
    keys: int = 1
    batch: int = 0
    brings: bool = False
    below: tuple[Step, ...] = ()
    how: str = ""


def steps(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
) -> tuple[Step, ...]:
    """Returns the steps of a valid operation, those of the root."""
    root = schema.get_root_type(operation.operation)
    assert root is not None, "a valid operation has a root type"
    pricing = _Pricing(schema, fragments)
    return pricing.steps(root, [operation.selection_set], page=None)


class _Pricing:
    """One run over an operation."""

    __slots__ = ("_fragments", "_roots", "_schema")

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._roots = (schema.query_type, schema.mutation_type, schema.subscription_type)

    def steps(
        self,
        parent: GraphQLCompositeType,
        selected: Iterable[SelectionSetNode],
        page: Size | None,
    ) -> tuple[Step, ...]:
        """Returns the steps of merged selection sets.

        Args:
            parent: The type that they are of.
            selected: The selection sets.
            page: The items of lists in a message that is the reply of a call, where an argument of
                the call bounds them; else None.
        """
        collected: dict[tuple[str, str], tuple[GraphQLCompositeType, list[FieldNode]]] = {}
        seen: set[tuple[str, str]] = set()
        for selection_set in selected:
            for type_, node in self._fields(parent, selection_set.selections, seen):
                collected.setdefault((type_.name, _key(node)), (type_, []))[1].append(node)
        made = (self._step(type_, nodes, page) for type_, nodes in collected.values())
        return tuple(step for step in made if step is not None)

    def _fields(
        self,
        type_: GraphQLCompositeType,
        selections: Sequence[SelectionNode],
        seen: set[tuple[str, str]],
    ) -> Iterator[tuple[GraphQLCompositeType, FieldNode]]:
        for selection in selections:
            if _is_left_out(selection):
                continue
            if isinstance(selection, FieldNode):
                yield type_, selection
            elif isinstance(selection, InlineFragmentNode):
                within = self._narrowed(type_, selection)
                yield from self._fields(within, selection.selection_set.selections, seen)
            elif isinstance(selection, FragmentSpreadNode):
                key = (type_.name, selection.name.value)
                if key not in seen:
                    seen.add(key)
                    fragment = self._fragments[selection.name.value]
                    within = self._narrowed(type_, fragment)
                    yield from self._fields(within, fragment.selection_set.selections, seen)

    def _narrowed(
        self, type_: GraphQLCompositeType, fragment: InlineFragmentNode | FragmentDefinitionNode
    ) -> GraphQLCompositeType:
        """Returns the narrower of a type and a fragment's condition."""
        condition = fragment.type_condition
        if condition is None or isinstance(type_, GraphQLObjectType):
            return type_
        return cast("GraphQLCompositeType", self._schema.type_map[condition.name.value])

    def _step(
        self, parent: GraphQLCompositeType, nodes: list[FieldNode], page: Size | None
    ) -> Step | None:
        """Returns the step of one field; None for one that costs nothing, nor any below it."""
        name = nodes[0].name.value
        if name.startswith("__"):
            return None
        field = self._schema.get_field(parent, name)
        assert field is not None, "a valid field exists"
        match source_of(field):
            case Rpc(method=method):
                return self._call(Kind.RPC, method.name, field, nodes)
            case ParentCall(method=method):
                return self._call(Kind.PARENT_CALL, method.name, field, nodes)
            case Join() as join:
                return self._join(join, field, nodes)
            case None if self._costs_python(parent, field):
                size = list_size(field, nodes[0]) if _is_list(field) else 1
                below = self._below(field, nodes)
                return Step(_key(nodes[0]), Kind.PYTHON, size=size, brings=True, below=below)
            case _:
                return self._plain(field, nodes, page)

    def _call(self, kind: Kind, method: str, field: GraphQLField, nodes: list[FieldNode]) -> Step:
        size: Size = 1
        page = None
        if _is_list(field):
            size = list_size(field, nodes[0])
        else:
            page = page_size(field, nodes[0])
        below = self._below(field, nodes, page)
        brings = not any(step.kind is Kind.PAGE for step in below)
        return Step(_key(nodes[0]), kind, method, size, brings=brings, below=below)

    def _join(self, join: Join, field: GraphQLField, nodes: list[FieldNode]) -> Step:
        return Step(
            _key(nodes[0]),
            Kind.JOIN,
            join.lookup.method.name,
            list_size(field, nodes[0]) if join.many else 1,
            keys=NESTED if any(each.is_repeated for each in join.key) else 1,
            batch=join.lookup.max_batch if join.lookup.batches else 1,
            brings=True,
            below=self._below(field, nodes),
            how=f"{join.lookup.keys.name} from {'.'.join(each.name for each in join.key)}",
        )

    def _plain(self, field: GraphQLField, nodes: list[FieldNode], page: Size | None) -> Step | None:
        below = self._below(field, nodes)
        name = _key(nodes[0])
        if not _is_list(field):
            return Step(name, Kind.FIELD, below=below) if below else None
        if page is not None and is_composite_type(get_named_type(field.type)):
            return Step(name, Kind.PAGE, size=page, brings=True, below=below)
        return Step(name, Kind.LIST, size=NESTED, below=below) if below else None

    def _below(
        self, field: GraphQLField, nodes: Iterable[FieldNode], page: Size | None = None
    ) -> tuple[Step, ...]:
        type_ = get_named_type(field.type)
        if not is_composite_type(type_):
            return ()
        selected = [node.selection_set for node in nodes if node.selection_set]
        return self.steps(type_, selected, page)

    def _costs_python(self, parent: GraphQLCompositeType, field: GraphQLField) -> bool:
        """Returns whether a field of Python does work.

        A leaf of a type that is Python's too is an attribute, most of the time, and free.
        """
        if parent in self._roots or made_of(parent) is not None:
            return True
        return is_composite_type(get_named_type(field.type))


def _key(node: FieldNode) -> str:
    return (node.alias or node.name).value


def _is_list(field: GraphQLField) -> bool:
    return isinstance(get_nullable_type(field.type), GraphQLList)


def _is_left_out(selection: SelectionNode) -> bool:
    """Returns whether `@skip` or `@include` leaves a selection out whatever the variables are."""
    return any(
        isinstance(argument.value, BooleanValueNode)
        and argument.value.value is (directive.name.value == "skip")
        for directive in selection.directives or ()
        if directive.name.value in ("skip", "include")
        for argument in directive.arguments or ()
    )
