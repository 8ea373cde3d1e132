"""What TypeScript is made for: all that a client of one generation can meet. Data only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.schema.codec import JsonOptions
from gateway.schema.method import HttpRule, MethodDescriptor
from gateway.schema.registry import Registry

if TYPE_CHECKING:
    from graphql import FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode


@dataclass(frozen=True, slots=True)
class Route:
    """One REST route of an RPC.

    Attributes:
        verb: The HTTP method, or `*` for any.
        template: Its path, prefix included.
        method: The RPC.
        rule: What its body and its reply are.
    """

    verb: str
    template: str
    method: MethodDescriptor
    rule: HttpRule


@dataclass(frozen=True, slots=True)
class Document:
    """One operation of a trusted document, by whose name it is asked for.

    Attributes:
        name: Its name.
        node: Its syntax, which is valid.
        fragments: Those of its file, by name.
    """

    name: str
    node: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]


@dataclass(frozen=True, slots=True)
class Connection:
    """The client of the multiplexed WebSocket, as pages are given it.

    Attributes:
        script: The text of the module, JavaScript.
        declarations: The text of its types.
    """

    script: str
    declarations: str


@dataclass(frozen=True, slots=True)
class Graph:
    """The graph, and what is asked of it.

    Attributes:
        schema: Its types.
        path: Where it is served.
        documents: The trusted ones.
        reasons: Why requests are refused.
    """

    schema: GraphQLSchema
    path: str
    documents: Sequence[Document]
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class Api:
    """All that a client can meet.

    Attributes:
        registry: The descriptors.
        methods: What can be called; without a route or a socket it still has its types.
        json: How messages are written.
        routes: Those of REST; None where it is off.
        graph: The graph; None where it is off.
        socket_path: Where the multiplexed WebSocket is; None where it is off.
        connection: Its client; None where it is off.
    """

    registry: Registry
    methods: Sequence[MethodDescriptor]
    json: JsonOptions = field(default_factory=JsonOptions)
    routes: Sequence[Route] | None = None
    graph: Graph | None = None
    socket_path: str | None = None
    connection: Connection | None = None
