"""Values that Python returned: how each becomes JSON, by its type in the graph.

A value is first *settled* into a node: leaves are written, lists are walked, what is awaitable is
waited for, messages of other pools become the graph's own, and of an interface or a union the type
is found. What fails is a node too, so that the rest goes on (GraphQL specification, section 6.4.3).
When all nodes of a level are there, the objects in them are gathered for what their fields need;
the JSON is written at the end, with all else.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias

from graphql import GraphQLError

from gateway.call import RpcError
from gateway.errors import error
from gateway.fronts.graphql.execute.trouble import Null, Place, Trouble, forget, within
from gateway.fronts.graphql.plan.foreign import ToMessage
from gateway.fronts.graphql.plan.objects import ObjectPlan
from gateway.fronts.graphql.plan.writing import InputError

log = logging.getLogger(__name__)

Put: TypeAlias = Callable[[Any], None]
"""Puts a node where it belongs."""

Found: TypeAlias = dict[int, tuple[ObjectPlan, list[Any]]]
"""Objects by the plan of what is asked of them."""


class Failed:
    """The node of what failed."""

    __slots__ = ("failure",)

    def __init__(self, failure: Exception) -> None:
        self.failure = failure


class Settling(Protocol):
    """Where values are settled: the field of one level."""

    label: str

    @property
    def info(self) -> Any:
        """What resolvers are told of the field."""

    def wait(self, awaitable: Awaitable[Any], then: Callable[[Any], None]) -> None:
        """Gives `then` what is awaited, or the exception; the level waits for it."""


class Shape(Protocol):
    """How values of a type are settled and written. None, and what failed, never come here."""

    @property
    def deep(self) -> bool:
        """Whether objects in it need anything."""

    def settle(self, value: Any, put: Put, at: Settling) -> None:
        """Makes the node of a value. Raises any exception."""

    def collect(self, node: Any, found: Found) -> None:
        """Adds the objects in a node."""

    def text(self, node: Any, run: Any, place: Place) -> str:
        """Returns the JSON of a node. Raises Null."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A type with its nullability.

    Attributes:
        shape: Of its values.
        required: Whether it is non-null.
    """

    shape: Shape
    required: bool

    def settle(self, value: Any, put: Put, at: Settling) -> None:
        """Makes the node of whatever Python returned."""
        if value is None:
            put(None)
        elif inspect.isawaitable(value):
            at.wait(value, lambda found: self.settle(found, put, at))
        elif isinstance(value, Exception):
            put(Failed(told(value, at.label)))
        else:
            try:
                self.shape.settle(value, put, at)
            except Exception as failure:  # noqa: BLE001 - a resolver's value may do anything
                put(Failed(told(failure, at.label)))

    def collect(self, node: Any, found: Found) -> None:
        """Adds the objects in a node."""
        if node is not None and type(node) is not Failed:
            self.shape.collect(node, found)

    def text(self, node: Any, run: Any, place: Place, label: str) -> str:
        """Returns the JSON of a node; paths of its troubles begin below it. Raises Null."""
        if node is None:
            if not self.required:
                return "null"
            node = Failed(GraphQLError(f"Cannot return null for non-nullable field {label}."))
        errors: list[Any] = run.errors
        before = len(errors)
        if type(node) is Failed:
            errors.append(Trouble(node.failure, [], place.nodes))
        else:
            try:
                return self.shape.text(node, run, place)
            except Null:
                if not self.required:
                    forget(errors, before)
        if self.required:
            raise Null
        return "null"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar or an enum: its node is its JSON."""

    write: Callable[[Any], str]
    deep: bool = False

    def settle(self, value: Any, put: Put, at: Settling) -> None:  # noqa: ARG002 - a Shape's
        """See Shape."""
        put(self.write(value))

    def collect(self, node: Any, found: Found) -> None:
        """See Shape."""

    def text(self, node: Any, run: Any, place: Place) -> str:  # noqa: ARG002 - a Shape's
        """See Shape."""
        written: str = node
        return written


@dataclass(frozen=True, slots=True)
class Items:
    """A list: its node is the list of its items' nodes."""

    item: Typed
    label: str

    @property
    def deep(self) -> bool:
        """See Shape."""
        return self.item.shape.deep

    def settle(self, value: Any, put: Put, at: Settling) -> None:
        """See Shape."""
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            raise TypeError(f"expected a list, found a {type(value).__name__}")
        values = list(value)
        nodes: list[Any] = [None] * len(values)
        put(nodes)
        for index, each in enumerate(values):
            self.item.settle(each, partial(nodes.__setitem__, index), at)

    def collect(self, node: Any, found: Found) -> None:
        """See Shape."""
        for each in node:
            self.item.collect(each, found)

    def text(self, node: Any, run: Any, place: Place) -> str:
        """See Shape."""
        errors: list[Any] = run.errors
        items: list[str] = []
        count = len(errors)
        try:
            for each in node:
                items.append(self.item.text(each, run, place, self.label))
                if len(errors) != count:
                    within(errors, count, len(items) - 1)
                    count = len(errors)
        except Null:
            within(errors, count, len(items))
            raise
        return f"[{','.join(items)}]"


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects of one type: the node is the object, or the graph's own message.

    Attributes:
        plan: What is asked of one.
        read: Makes the graph's message of what Python gives; None for the types of users.
    """

    plan: ObjectPlan
    read: ToMessage | None

    @property
    def deep(self) -> bool:
        """See Shape."""
        return self.plan.deep

    def settle(self, value: Any, put: Put, at: Settling) -> None:  # noqa: ARG002 - a Shape's
        """See Shape."""
        put(value if self.read is None else self.read(value))

    def collect(self, node: Any, found: Found) -> None:
        """See Shape."""
        found.setdefault(id(self.plan), (self.plan, []))[1].append(node)

    def text(self, node: Any, run: Any, place: Place) -> str:  # noqa: ARG002 - a Shape's
        """See Shape."""
        return self.plan.text(node, run)


class _Chosen:
    """The node of an object whose type was chosen."""

    __slots__ = ("objects", "value")

    def __init__(self, objects: Objects, value: Any) -> None:
        self.objects = objects
        self.value = value


@dataclass(frozen=True, slots=True)
class Choice:
    """Objects whose type is found by looking at them.

    Attributes:
        name_of: Tells the name of a value's type, or an awaitable of it.
        types: What may be chosen.
    """

    name_of: Callable[[Any, Any], Any]
    types: Mapping[str, Objects]

    @property
    def deep(self) -> bool:
        """See Shape."""
        return any(each.deep for each in self.types.values())

    def settle(self, value: Any, put: Put, at: Settling) -> None:
        """See Shape."""
        name = self.name_of(value, at.info)
        if inspect.isawaitable(name):
            at.wait(name, lambda found: put(self._guarded(found, value, at.label)))
        else:
            put(self._chosen(name, value))

    def _guarded(self, name: Any, value: Any, label: str) -> Any:
        if isinstance(name, Exception):
            return Failed(told(name, label))
        try:
            return self._chosen(name, value)
        except Exception as failure:  # noqa: BLE001 - a resolver's value may do anything
            return Failed(told(failure, label))

    def _chosen(self, name: Any, value: Any) -> _Chosen:
        objects = self.types.get(name) if isinstance(name, str) else None
        if objects is None:
            known = " or ".join(self.types)
            raise TypeError(f"expected a value of {known}, found a {type(value).__name__}")
        return _Chosen(objects, value if objects.read is None else objects.read(value))

    def collect(self, node: Any, found: Found) -> None:
        """See Shape."""
        node.objects.collect(node.value, found)

    def text(self, node: Any, run: Any, place: Place) -> str:
        """See Shape."""
        chosen: _Chosen = node
        return chosen.objects.text(chosen.value, run, place)


def told(failure: Exception, label: str) -> Exception:
    """Returns what a client is told of a failure in Python; logs what is a bug of the extension.

    Args:
        failure: What was raised.
        label: The field, `Product.score`.
    """
    cause = failure.original_error if isinstance(failure, GraphQLError) else failure
    if cause is None or isinstance(cause, RpcError | InputError):
        return cause or failure
    if isinstance(cause, GraphQLError):
        return told(cause, label)
    log.error("%s failed in Python", label, exc_info=cause)
    return error("INTERNAL", "The field could not be resolved.")


def gather(typed: Typed, nodes: Sequence[Any], run: Any) -> None:
    """Loads what the objects in some nodes need, all of one kind together."""
    if not typed.shape.deep:
        return
    found: Found = {}
    for node in nodes:
        typed.collect(node, found)
    for plan, values in found.values():
        plan.gather(values, run)
