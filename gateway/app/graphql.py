"""The GraphQL of a generation: from the config's section to a graph, an engine and a front."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from graphql import GraphQLField, GraphQLObjectType

from gateway.app.identity import Identities
from gateway.app.settings import from_here
from gateway.chain import Method
from gateway.config import Config, Settings, Source
from gateway.config.models import Graphql
from gateway.errors import error
from gateway.fronts.graphql.document import Documents, Limits
from gateway.fronts.graphql.engine import Admission, Engine, MakeContext, Prepared
from gateway.fronts.graphql.graph.additions import Additions
from gateway.fronts.graphql.graph.build import Graph, build_graph
from gateway.fronts.graphql.graph.options import (
    FieldOptions,
    GraphOptions,
    MethodOptions,
    OneofOptions,
)
from gateway.fronts.graphql.graph.sources import ProtoField, source_of
from gateway.fronts.graphql.graph.types import Types
from gateway.fronts.graphql.joins import LookupOptions, Place, edges
from gateway.fronts.graphql.serve.front import GraphqlFront
from gateway.fronts.graphql.serve.graphiql import Graphiql, shipped
from gateway.fronts.graphql.serve.incoming import Shared
from gateway.fronts.graphql.serve.socket import GraphqlSockets, SocketOptions
from gateway.fronts.graphql.trusted.automatic import Automatic
from gateway.fronts.graphql.trusted.lookup import Lookup
from gateway.fronts.graphql.trusted.reading import read_trusted
from gateway.fronts.graphql.trusted.views import ViewRoute, plan_ahead, views_of
from gateway.http.request_id import REQUEST_ID
from gateway.routing.metadata import HeaderRules
from gateway.schema.problem import Problem, SchemaError
from gateway.schema.registry import Registry


@dataclass(frozen=True, slots=True, eq=False)
class GraphqlParts:
    """What a generation has of GraphQL.

    Attributes:
        graph: The graph.
        engine: Runs documents over it.
        shared: What requests share.
        front: Answers requests.
        views: The REST routes of trusted documents.
        warnings: What an operator should know and can live with.
    """

    graph: Graph
    engine: Engine
    shared: Shared
    front: GraphqlFront[Prepared]
    views: tuple[ViewRoute, ...]
    warnings: tuple[str, ...]


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
        fields={
            name: FieldOptions(each.name, each.hide, each.scopes)
            for name, each in given.fields.items()
        },
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
    )


def lookups(given: Graphql, source: Source) -> list[LookupOptions]:
    """Returns the entries of `graphql.lookups`."""
    found = []
    for index, each in enumerate(given.lookups):
        place = source.place(("graphql", "lookups", index))
        where = Place() if place is None else Place(place.file, place.line or 0, place.column or 0)
        found.append(
            LookupOptions(
                each.method,
                each.type or "",
                each.keys or "",
                each.items or "",
                each.by or "",
                each.max_batch,
                each.mask or "",
                where,
            )
        )
    return found


def texts(paths: Iterable[Path]) -> list[tuple[str, str]]:
    """Returns what to call each file, and its text.

    Raises:
        SchemaError: With every one that is no text.
    """
    found, problems = [], []
    for path in paths:
        origin = str(from_here(path))
        try:
            found.append((origin, path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError):
            problems.append(Problem(origin, message="can't be read: it must be text in UTF-8"))
    if problems:
        raise SchemaError(problems)
    return found


def operation_files(given: Graphql) -> list[Path]:
    """Returns the files of trusted documents, in the order of their paths."""
    return sorted({path for folder in given.operations for path in folder.rglob("*.graphql")})


@dataclass(frozen=True, slots=True)
class _Extended:
    """What extensions in Python make of a graph and of a request."""

    additions: Callable[[Types], Additions] = lambda _types: Additions()
    context: MakeContext = lambda _caller, _heard: None


def _extended(
    given: Graphql, source: Source, methods: Mapping[str, Method], registry: Registry
) -> _Extended:
    """Imports the extensions of the config.

    Raises:
        SchemaError: They can't be imported.
    """
    if not given.extensions:
        return _Extended()
    # Strawberry is imported only for those who use it.
    from gateway.fronts.graphql.extend.client import Gateway, Services  # noqa: PLC0415
    from gateway.fronts.graphql.extend.context import Context  # noqa: PLC0415
    from gateway.fronts.graphql.extend.conversion import additions  # noqa: PLC0415
    from gateway.fronts.graphql.extend.modules import load  # noqa: PLC0415

    place = source.place(("graphql", "extensions"))
    written = place is not None and place.line is not None  # and not set by --set
    beside = Path(place.file).resolve().parent if place and written else Path.cwd()
    folders = dict.fromkeys([beside, *(path.resolve().parent for path in given.joins)])
    loaded = load(given.extensions, [*folders])
    services = Services(methods, registry)
    return _Extended(
        lambda types: additions(types, loaded),
        lambda caller, heard: Context(Gateway(services, caller, heard)),
    )


def graphql_parts(
    config: Config,
    given: Graphql,
    *,
    source: Source,
    methods: Mapping[str, Method],
    registry: Registry,
    rules: HeaderRules,
    clock: Callable[[], float],
    lease: object,
    identities: Identities,
    settings: Iterable[Settings],
    current: Callable[[], GraphqlParts | None],
) -> GraphqlParts:
    """Builds the graph and all that serves it.

    Args:
        config: The config.
        given: Its section `graphql`.
        source: Its lines.
        methods: Those that have an upstream.
        registry: Their descriptors.
        rules: Which headers pass.
        clock: The event loop's.
        lease: What must live as long as any request does.
        identities: The gates that know callers.
        settings: What holds for each method.
        current: The parts of the generation that serves now: sockets outlive a reload, and their
            next operation is run by what there is then.

    Raises:
        SchemaError: With all that is wrong with the graph.
    """
    described = [method.descriptor for method in methods.values()]
    options = graph_options(given)
    warnings: list[str] = []

    def joined(types: Types) -> Mapping[str, Mapping[str, GraphQLField]]:
        found = edges(
            types,
            described,
            registry,
            lookups=lookups(given, source),
            files=texts(given.joins),
            options=options,
        )
        warnings.extend(map(str, found.warnings))
        return found.fields

    extended = _extended(given, source, methods, registry)
    graph = build_graph(described, registry, options, joined, extended.additions)
    limits = document_limits(given)
    trusted = read_trusted(texts(operation_files(given)), graph.schema, limits)
    warnings.extend(map(str, trusted.warnings))
    to_see_pages = identities.of_pages(config.pages.authenticate)
    documents = Documents(
        graph.schema,
        limits,
        introspection=given.introspection,
        # They tell names of the graph, as introspection does.
        suggestions=given.suggestions and to_see_pages is None,
    )
    lookup = Lookup(
        documents,
        trusted,
        only=given.trusted_only,
        automatic=Automatic() if given.persisted else None,
    )
    engine = Engine(
        graph.schema,
        methods,
        documents,
        find=lookup.find,
        context=extended.context,
        scopes=graph.types.scopes,
        admission=Admission(to_see_pages, identities.of_anyone()),
    )
    plan_ahead(trusted, engine)
    shared = Shared(
        rules=rules,
        clock=clock,
        request_id_passes=REQUEST_ID in config.headers.request.allow,
        body_size=config.listener.limits.body_size,
        batch=given.limits.batch,
        subscriptions=given.subscriptions,
        sockets=identities.of_sockets(settings),
        lease=lease,
        private=bool(config.auth.providers),
    )

    # It must not hold what is made here: an idle socket would keep this generation for its life.
    def serving() -> tuple[Engine, Shared]:
        now = current()
        if now is None:
            raise error("ROUTE_NOT_FOUND", "GraphQL is not served here any more.")
        return now.engine, now.shared

    sockets = SocketOptions(
        message_size=shared.body_size,
        origins=config.websocket.origins if config.websocket else (),
    )
    front = GraphqlFront(
        engine,
        shared,
        path=given.path,
        pages=Graphiql(given.path, shipped(), to_see_pages) if given.graphiql else None,
        socket=GraphqlSockets(serving, sockets).handle if given.subscriptions else None,
    )
    views = views_of(
        trusted,
        engine,
        body_size=shared.body_size,
        etag=config.rest.etag if config.rest else False,
        private=shared.private,
        ignore_query=config.rest.unknown_query.ignore if config.rest else (),
    )
    if not identities.providers and (unseen := list(_scoped(graph))):
        warnings.append(
            f"nobody sees {', '.join(unseen)}: they need scopes, and there is no auth.providers"
        )
    return GraphqlParts(graph, engine, shared, front, views, (*graph.warnings, *warnings))


def _scoped(graph: Graph) -> Iterator[str]:
    """Yields the fields of messages that need scopes, as the graph calls them."""
    for type_ in graph.schema.type_map.values():
        if isinstance(type_, GraphQLObjectType):
            for name, field in type_.fields.items():
                source = source_of(field)
                if isinstance(source, ProtoField) and graph.types.scopes(source.descriptor):
                    yield f"{type_.name}.{name}"
