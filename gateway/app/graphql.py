"""The GraphQL of a generation: from the config's section to a graph, an engine and a front."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import TextIOWrapper
from pathlib import Path
from typing import Final

from graphql import GraphQLField, GraphQLObjectType

from gateway.app.id_cookies import cookies_of
from gateway.app.identity import Identities
from gateway.app.lasting import Taken
from gateway.app.settings import from_here
from gateway.app.spoken import messages_of
from gateway.chain import Method
from gateway.config import Config, Settings, Source
from gateway.config.models import Graphql
from gateway.errors import error
from gateway.fronts.graphql.document import Documents, Limits
from gateway.fronts.graphql.document.lookups import Lookups
from gateway.fronts.graphql.engine import Admission, Engine, MakeContext, Prepared
from gateway.fronts.graphql.graph.additions import Additions
from gateway.fronts.graphql.graph.build import Graph, building_graph
from gateway.fronts.graphql.graph.options import (
    FieldOptions,
    GraphOptions,
    MethodOptions,
    OneofOptions,
)
from gateway.fronts.graphql.graph.sources import ProtoField, made_of, source_of
from gateway.fronts.graphql.graph.types import Types
from gateway.fronts.graphql.joins import Edges, LookupOptions, Place, edges
from gateway.fronts.graphql.serve.front import GraphqlFront
from gateway.fronts.graphql.serve.graphiql import Graphiql, shipped
from gateway.fronts.graphql.serve.incoming import Shared
from gateway.fronts.graphql.serve.socket import GraphqlSockets
from gateway.fronts.graphql.serve.socket_options import SocketOptions
from gateway.fronts.graphql.trusted.automatic import Automatic
from gateway.fronts.graphql.trusted.lookup import Lookup
from gateway.fronts.graphql.trusted.reading import Trusted, reading_trusted
from gateway.fronts.graphql.trusted.views import ViewRoute, plan_ahead, views_of
from gateway.fronts.roster import Roster
from gateway.http import Request
from gateway.http.request_id import REQUEST_ID
from gateway.regular import open_regular
from gateway.routing.metadata import HeaderRules
from gateway.schema.method import MethodDescriptor
from gateway.schema.problem import Problem, SchemaError
from gateway.schema.registry import Registry

LOOKUPS: Final = ("lookups of documents",)
"""Under what it is kept how often documents and plans were there, over generations."""


@dataclass(frozen=True, slots=True, eq=False)
class GraphqlParts:
    """What a generation has of GraphQL.

    Attributes:
        graph: The graph.
        engine: Runs documents over it.
        shared: What requests share.
        front: Answers requests.
        views: The REST routes of trusted documents.
        trusted: The trusted documents.
        warnings: What an operator should know and can live with.
        left_out: Of a partial graph: what does not fit it, and why; nothing of joins in vain.
    """

    graph: Graph
    engine: Engine
    shared: Shared
    front: GraphqlFront[Prepared]
    views: tuple[ViewRoute, ...]
    trusted: Trusted
    warnings: tuple[str, ...]
    left_out: Mapping[str, tuple[Problem, ...]]


def graph_options(given: Graphql, *, partial: bool = False) -> GraphOptions:
    """Returns what the config says of the graph.

    Args:
        given: Its section `graphql`.
        partial: Whether it is of some services only, and others have graphs of theirs.
    """
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
        partial=partial,
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
            with TextIOWrapper(open_regular(path), "utf-8") as file:
                found.append((origin, file.read()))
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
    given: Graphql,
    source: Source,
    methods: Mapping[str, Method],
    registry: Registry,
    *,
    elsewhere: Iterable[MethodDescriptor],
    left_out: dict[str, tuple[Problem, ...]],
) -> _Extended:
    """Imports the extensions of the config.

    Args:
        given: Its section `graphql`.
        source: Its lines.
        methods: What they can call.
        registry: Their descriptors.
        elsewhere: The methods that other graphs have; none where this one has all.
        left_out: Takes those that do not fit a partial graph.

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
    try:
        loaded = load(given.extensions, [*folders])
    except SchemaError as wrong:
        lines = {
            name: source.locate(f"graphql.extensions.{index}")
            for index, name in enumerate(given.extensions)
        }
        raise SchemaError(
            replace(each, where=f"{lines[each.where]}: {each.where}") for each in wrong.problems
        ) from wrong
    services = Services(methods, registry)

    strange = messages_of(elsewhere, registry)
    if strange:
        strange -= messages_of((each.descriptor for each in methods.values()), registry)

    def added(types: Types) -> Additions:
        fitting = []
        for each in loaded:
            others = [
                Problem(each.name, message=f"{one.name} is of services that are not here")
                for one in each.extensions.generated_types
                if isinstance(found := types.named(one.name), GraphQLObjectType)
                and (made := made_of(found)) is not None
                and made.message.full_name in strange
            ]
            if others:
                left_out[each.name] = tuple(others)
            else:
                fitting.append(each)
        return additions(types, fitting)

    return _Extended(
        added,
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
    current: Callable[[Request], GraphqlParts | None],
    roster: Roster,
    taken: Taken,
    elsewhere: Sequence[MethodDescriptor] = (),
) -> Generator[None, None, GraphqlParts]:
    """Builds the graph and all that serves it; yields where others may have their turn.

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
        current: The parts of the generation that serves now, for a request: sockets outlive a
            reload, and their next operation is run by what there is then.
        roster: Where sockets are entered.
        taken: What outlives a generation.
        elsewhere: The methods that other graphs have: what does not fit this one is left out of it.
            None are given where it has all.

    Raises:
        SchemaError: With all that is wrong with the graph.
    """
    partial = bool(elsewhere)
    described = [method.descriptor for method in methods.values()]
    options = graph_options(given, partial=partial)
    warnings: list[str] = []
    left_out: dict[str, tuple[Problem, ...]] = {}

    found = Edges({})

    def joined(types: Types) -> Mapping[str, Mapping[str, GraphQLField]]:
        nonlocal found
        found = edges(
            types,
            described,
            registry,
            lookups=lookups(given, source),
            files=texts(given.joins),
            options=options,
        )
        warnings.extend(map(str, found.warnings))
        left_out.update(found.left_out)
        return found.fields

    extended = _extended(given, source, methods, registry, elsewhere=elsewhere, left_out=left_out)
    graph = yield from building_graph(described, registry, options, joined, extended.additions)
    if partial:
        left_out.update((name, ()) for name in found.in_vain(graph.schema.type_map))
    limits = document_limits(given)
    files = texts(operation_files(given))
    trusted = yield from reading_trusted(files, graph.schema, limits, partial=partial)
    warnings.extend(map(str, trusted.warnings))
    left_out.update(trusted.left_out)
    to_see_pages = identities.of_pages(config.pages.authenticate)
    documents = Documents(
        graph.schema,
        limits,
        introspection=given.introspection,
        # They tell names of the graph, as introspection does.
        suggestions=given.suggestions and to_see_pages is None,
        lookups=taken.for_good(LOOKUPS, Lookups),
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
    yield from plan_ahead(trusted, engine)
    cookies = cookies_of(methods.values())
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
        cookies=cookies,
    )

    # It must not hold what is made here: an idle socket would keep this generation for its life.
    def serving(request: Request) -> tuple[Engine, Shared]:
        now = current(request)
        if now is None:
            raise error("ROUTE_NOT_FOUND", "GraphQL is not served here any more.")
        return now.engine, now.shared

    sockets = SocketOptions(
        message_size=shared.body_size,
        origins=config.websocket.origins if config.websocket else (),
        cookies=cookies,
    )
    front = GraphqlFront(
        engine,
        shared,
        path=given.path,
        pages=Graphiql(given.path, shipped(), to_see_pages) if given.graphiql else None,
        socket=GraphqlSockets(serving, sockets, roster=roster).handle
        if given.subscriptions
        else None,
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
    told = (*graph.warnings, *warnings)
    return GraphqlParts(graph, engine, shared, front, views, trusted, told, left_out)


def _scoped(graph: Graph) -> Iterator[str]:
    """Yields the fields of messages that need scopes, as the graph calls them."""
    for type_ in graph.schema.type_map.values():
        if isinstance(type_, GraphQLObjectType):
            for name, field in type_.fields.items():
                source = source_of(field)
                if isinstance(source, ProtoField) and graph.types.scopes(source.descriptor):
                    yield f"{type_.name}.{name}"
