"""What TypeScript is made for, of a generation: its methods, routes, documents and sockets."""

from __future__ import annotations

from importlib import resources

from gateway.app import settings
from gateway.app.generation import Generation
from gateway.app.graphql import GraphqlParts, document_limits, operation_files, texts
from gateway.config.models import Graphql
from gateway.schema.codec import JsonOptions
from gateway.typescript import Api, Document, Route
from gateway.typescript.api import Connection, Graph

_PAGES = "gateway.fronts.websocket"


def api_of(generation: Generation) -> Api:
    """Returns all that clients of a generation can meet, at one host where it has several."""
    config, fronts = generation.config, generation.fronts
    websocket = config.websocket if fronts.websocket is not None else None
    return Api(
        registry=generation.registry,
        methods=[each.descriptor for each in fronts.methods.values()],
        json=settings.json_options(config.rest) if config.rest else JsonOptions(),
        routes=None
        if fronts.rest is None
        else [Route(each.verb, each.template, each.method, each.rule) for each in fronts.routes],
        graph=_graph(config.graphql, fronts.graphql, generation)
        if fronts.graphql is not None and config.graphql
        else None,
        socket_path=websocket.path if websocket else None,
        connection=_connection() if websocket else None,
    )


def _graph(given: Graphql, parts: GraphqlParts, generation: Generation) -> Graph:
    # graphql-core is imported only where there is a graph.
    from gateway.fronts.graphql.errors import RefusalCode  # noqa: PLC0415
    from gateway.fronts.graphql.trusted.reading import read_trusted  # noqa: PLC0415

    trusted = read_trusted(
        texts(operation_files(given)),
        parts.graph.schema,
        document_limits(given),
        partial=generation.hosts is not None,
    )
    documents = [
        Document(name, each.operation.node, each.document.fragments)
        for name, each in trusted.operations.items()
    ]
    return Graph(parts.graph.schema, given.path, documents, [*RefusalCode])


def _connection() -> Connection:
    pages = resources.files(_PAGES) / "pages"
    return Connection(
        (pages / "client.js").read_text("utf-8"), (pages / "client.d.ts").read_text("utf-8")
    )
