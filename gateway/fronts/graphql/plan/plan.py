"""A plan: what one operation of a document needs, ready to be run. Data only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import Message
from graphql import FieldNode, OperationType

from gateway.chain import Method
from gateway.fronts.graphql.execute.trouble import Text
from gateway.fronts.graphql.plan.edges import Edge
from gateway.fronts.graphql.plan.objects import ObjectPlan
from gateway.fronts.graphql.plan.python import PythonEdge
from gateway.fronts.graphql.plan.request import MakeRequest
from gateway.fronts.graphql.plan.scopes import NO_SCOPES


@dataclass(frozen=True, slots=True)
class Fetch:
    """An RPC that a root field makes.

    Attributes:
        index: Where its reply is kept in the run's `values`.
        method: What is called.
        reply: The class of its reply.
        request: Makes the request.
        selected: What is asked of the reply.
        nodes: The field in the document.
        shared: Whether an identical call of the same run will do: it has no side effects.
    """

    index: int
    method: Method
    reply: type[Message]
    request: MakeRequest
    selected: ObjectPlan
    nodes: tuple[FieldNode, ...]
    shared: bool

    @property
    def name(self) -> str:
        """What the field is called in the answer."""
        node = self.nodes[0]
        return (node.alias or node.name).value


@dataclass(frozen=True, slots=True)
class Resolver:
    """A root field that Python resolves.

    Attributes:
        edge: The field; its one parent is None.
    """

    edge: PythonEdge


@dataclass(frozen=True, slots=True)
class Plan:
    """What an operation needs.

    Attributes:
        kind: Query, mutation or subscription. A subscription has one fetch, a stream or Python.
        fetches: The calls of the root fields and those that Python resolves: all at once, or one
            after the other in a mutation.
        text: Writes the data.
        edges: The fields below that need other calls, by their index.
        puts_off: Whether a `@defer` splits its answer.
        scopes: All that a caller must have to see and to give what it asks for; none for most.
        introspects: Whether it asks for the schema.
    """

    kind: OperationType
    fetches: Sequence[Fetch | Resolver]
    text: Text
    edges: Sequence[Edge] = ()
    puts_off: bool = False
    scopes: frozenset[str] = NO_SCOPES
    introspects: bool = False
