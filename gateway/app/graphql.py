"""The GraphQL of a generation: from the config's section to a graph, an engine and a front."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.chain import Method
from gateway.config import Config
from gateway.config.models import Graphql
from gateway.fronts.graphql.document import Documents, Limits
from gateway.fronts.graphql.engine import Engine, Prepared
from gateway.fronts.graphql.graph.build import Graph, build_graph
from gateway.fronts.graphql.graph.options import (
    FieldOptions,
    GraphOptions,
    MethodOptions,
    OneofOptions,
)
from gateway.fronts.graphql.serve.front import GraphqlFront
from gateway.fronts.graphql.serve.incoming import Shared
from gateway.http.request_id import REQUEST_ID
from gateway.routing.metadata import HeaderRules
from gateway.schema.registry import Registry


@dataclass(frozen=True, slots=True, eq=False)
class GraphqlParts:
    """What a generation has of GraphQL.

    Attributes:
        path: Where it is served.
        graph: The graph.
        engine: Runs documents over it.
        front: Answers requests.
    """

    path: str
    graph: Graph
    engine: Engine
    front: GraphqlFront[Prepared]


def graph_options(given: Graphql) -> GraphOptions:
    """Returns what the config says of the graph."""
    return GraphOptions(
        services=given.services,
        naming=given.naming,
        names=given.names,
        subscriptions=given.subscriptions,
        methods={
            name: MethodOptions(each.name, each.aliases, each.hide, each.kind)
            for name, each in given.methods.items()
        },
        fields={name: FieldOptions(each.name, each.hide) for name, each in given.fields.items()},
        oneofs={name: OneofOptions(each.union) for name, each in given.oneofs.items()},
    )


def document_limits(given: Graphql) -> Limits:
    """Returns how much one document may ask."""
    limits = given.limits
    return Limits(
        depth=limits.depth,
        cost=limits.cost,
        aliases=limits.aliases,
        tokens=limits.tokens,
        root_fields=limits.root_fields,
        batch=limits.batch,
    )


def graphql_parts(
    config: Config,
    given: Graphql,
    *,
    methods: Mapping[str, Method],
    registry: Registry,
    rules: HeaderRules,
    clock: Callable[[], float],
    lease: object,
) -> GraphqlParts:
    """Builds the graph and all that serves it.

    Args:
        config: The config.
        given: Its section `graphql`.
        methods: Those that have an upstream.
        registry: Their descriptors.
        rules: Which headers pass.
        clock: The event loop's.
        lease: What must live as long as any request does.

    Raises:
        SchemaError: With all that is wrong with the graph.
    """
    graph = build_graph(
        [method.descriptor for method in methods.values()], registry, graph_options(given)
    )
    documents = Documents(
        graph.schema,
        document_limits(given),
        introspection=given.introspection,
        suggestions=given.suggestions,
    )
    engine = Engine(graph.schema, methods, documents)
    shared = Shared(
        rules=rules,
        clock=clock,
        request_id_passes=REQUEST_ID in config.headers.request.allow,
        body_size=config.listener.limits.body_size,
        batch=given.limits.batch,
        subscriptions=given.subscriptions,
        lease=lease,
    )
    return GraphqlParts(given.path, graph, engine, GraphqlFront(engine, shared))
