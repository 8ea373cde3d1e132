"""Fields that Python resolves: an edge whose answers are what resolvers return.

All parents of a level are resolved together: by one resolver for each, or by one for them all where
the field says so (`BATCH`). When everything that they returned is settled (`values`), what it needs
itself is loaded, in one go for the level. Resolvers are called as graphql-core calls them, so
whatever makes GraphQLFields makes extensions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final, NamedTuple, TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationDefinitionNode,
)
from graphql.execution.values import VariableValues
from graphql.pyutils.path import Path
from graphql.type.definition import GraphQLResolveInfoHelpers

from gateway.fronts.graphql.execute.trouble import Place, within
from gateway.fronts.graphql.plan.arguments import MakeArguments
from gateway.fronts.graphql.plan.values import Failed, Typed, gather, told
from gateway.fronts.graphql.plan.writing import InputError

BATCH: Final = "gateway.batch"
"""Entry of a GraphQLField's `extensions`: its resolver takes a list of parents, gives a list."""

Resolve: TypeAlias = Callable[..., Any]
"""`resolve(parent, info, **arguments)`, as graphql-core calls it."""


class ResolveInfo(NamedTuple):
    """What a resolver is told of its field: graphql-core's GraphQLResolveInfo, and Strawberry's.

    Attributes are graphql-core's. All parents of a level are resolved together, so `path` has the
    response keys, and no indexes of lists.
    """

    field_name: str
    field_nodes: list[FieldNode]
    return_type: GraphQLOutputType
    parent_type: GraphQLObjectType
    path: Path
    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    root_value: Any
    operation: OperationDefinitionNode
    variable_values: VariableValues
    context: Any
    is_awaitable: Callable[[Any], Any]
    abort_signal: Any
    async_helpers: GraphQLResolveInfoHelpers
    operation_extensions: dict[str, Any]


async def _all(values: Sequence[Awaitable[Any]]) -> list[Any]:
    return list(await asyncio.gather(*values))


def _watch(_values: Sequence[Any]) -> None:
    """Keeps track of nothing: a run waits for what resolvers return."""


_HELPERS: Final = GraphQLResolveInfoHelpers(_all, _watch)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What is known of a field before a run: the rest of its ResolveInfo."""

    nodes: tuple[FieldNode, ...]
    type: GraphQLOutputType
    parent: GraphQLObjectType
    path: Path
    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    operation: OperationDefinitionNode

    @property
    def label(self) -> str:
        """The field as errors name it: `Product.score`."""
        return f"{self.parent.name}.{self.nodes[0].name.value}"

    def info(self, context: Any, variables: VariableValues) -> ResolveInfo:
        """Returns what the resolvers of a run are told."""
        return ResolveInfo(
            self.nodes[0].name.value,
            list(self.nodes),
            self.type,
            self.parent,
            self.path,
            self.schema,
            self.fragments,
            None,
            self.operation,
            variables,
            context,
            isawaitable,
            None,
            _HELPERS,
            {},
        )


@dataclass(frozen=True, slots=True, eq=False)
class PythonEdge:
    """A field that Python resolves.

    Attributes:
        index: The edge's number in the plan.
        place: Where the field is.
        told: What its resolvers are told.
        resolve: The resolver.
        arguments: Makes its arguments.
        typed: The field's type.
        batch: Whether it resolves a list of parents.
        subscribe: Of a subscription: makes the events, which `resolve` is then given.
    """

    index: int
    place: Place
    told: Told
    resolve: Resolve
    arguments: MakeArguments
    typed: Typed
    batch: bool = False
    subscribe: Resolve | None = None

    def load(self, parents: Sequence[Any], run: Any) -> None:
        """Resolves the field of all parents; of one that is there twice, once."""
        slots = self._new(parents, run)
        if not slots:
            return
        try:
            arguments = self.arguments(run.variables)
        except (InputError, GraphQLError) as wrong:
            for slot in slots:
                slot.node = Failed(wrong)
            return
        _Level(self, slots, run).resolve(arguments)

    def follow(self, event: object, run: Any) -> None:
        """Takes an event of a subscription as the value of the field."""
        _Level(self, self._new((None,), run), run).take_event(event)

    def events(self, run_context: Any, variables: VariableValues) -> Any:
        """Returns the events of a subscription: an async iterator, or an awaitable of one.

        Raises:
            InputError: An argument is wrong.
        """
        if self.subscribe is None:
            raise TypeError(f"{self.told.label} is no subscription")
        arguments = self.arguments(variables)
        return self.subscribe(None, self.told.info(run_context, variables), **arguments)

    def text(self, parent: Any, run: Any) -> str:
        """Returns the JSON of the field."""
        errors: list[Any] = run.errors
        before = len(errors)
        node = run.sources[self.index][id(parent)].node
        try:
            return self.typed.text(node, run, self.place, self.told.label)
        finally:
            if len(errors) > before:
                within(errors, before, self.place.key)

    def _new(self, parents: Sequence[Any], run: Any) -> list[_Slot]:
        """Returns slots for parents that have none; a slot keeps its parent, and so its id."""
        known: dict[int, _Slot] | None = run.sources[self.index]
        if known is None:
            known = run.sources[self.index] = {}
        slots = []
        for parent in parents:
            if id(parent) not in known:
                slot = known[id(parent)] = _Slot(parent)
                slots.append(slot)
        return slots


class _Slot:
    """The field of one parent: the node of its value, when that is settled."""

    __slots__ = ("node", "parent")

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.node: Any = None

    def put(self, node: Any) -> None:
        """Takes the node."""
        self.node = node


class _Level:
    """The field of some parents while it is resolved."""

    __slots__ = ("_edge", "_left", "_run", "_slots", "info", "label")

    def __init__(self, edge: PythonEdge, slots: list[_Slot], run: Any) -> None:
        self._edge = edge
        self._slots = slots
        self._run = run
        self._left = 1
        self.label = edge.told.label
        self.info = edge.told.info(run.context, run.variables)

    def resolve(self, arguments: dict[str, Any]) -> None:
        """Calls the resolver, or the resolvers."""
        resolve, info = self._edge.resolve, self.info
        if self._edge.batch:
            parents = [slot.parent for slot in self._slots]
            self._call(lambda: resolve(parents, info, **arguments), self._spread)
        else:
            for slot in self._slots:
                self._one(slot, resolve, arguments)
        self._done()

    def take_event(self, event: object) -> None:
        """Settles the value that an event is."""
        (slot,) = self._slots
        self._edge.typed.settle(event, slot.put, self)
        self._done()

    def wait(self, awaitable: Awaitable[Any], then: Callable[[Any], None]) -> None:
        """See values.Settling."""
        self._left += 1

        def came(value: Any) -> None:
            then(value)
            self._done()

        self._run.wait(awaitable, came)

    def _one(self, slot: _Slot, resolve: Resolve, arguments: dict[str, Any]) -> None:
        def settle(value: Any) -> None:
            self._edge.typed.settle(value, slot.put, self)

        self._call(lambda: resolve(slot.parent, self.info, **arguments), settle)

    def _call(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        self._left += 1

        def came(value: Any) -> None:
            then(value)
            self._done()

        self._run.python(work, came)

    def _spread(self, values: Any) -> None:
        """Gives each parent its value of a batch."""
        count = len(self._slots)
        failure = values if isinstance(values, Exception) else None
        if failure is None and not isinstance(values, list | tuple):
            failure = TypeError(f"expected a list, found a {type(values).__name__}")
        if failure is None and len(values) != count:
            failure = ValueError(f"expected a value for each of {count}, found {len(values)}")
        if failure is not None:
            failed = Failed(told(failure, self.label))
            for slot in self._slots:
                slot.put(failed)
            return
        for slot, value in zip(self._slots, values, strict=True):
            self._edge.typed.settle(value, slot.put, self)

    def _done(self) -> None:
        self._left -= 1
        if not self._left:
            gather(self._edge.typed, [slot.node for slot in self._slots], self._run)
