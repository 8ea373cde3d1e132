"""A generation: everything that a config and its protos make, frozen, replaced whole.

A request takes `app.current` once and keeps it. What must outlive a generation (upstreams with
their connections) it only borrows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.app import backends, settings
from gateway.app.ambient import open_to_sites
from gateway.app.build_error import BuildError
from gateway.app.chains import chains_of
from gateway.app.codec import CodecKey, codec_of
from gateway.app.conditions import conditions
from gateway.app.coverage import alike, idle_globs, unasked, unencrypted
from gateway.app.governing import governing, open_warning
from gateway.app.identity import Identities
from gateway.app.lasting import Lasting, Taken
from gateway.app.operations import Operations
from gateway.app.parts import Making
from gateway.app.paths import claims, clashes, hidden
from gateway.app.places import placed
from gateway.app.pool import Lease, UpstreamPool
from gateway.app.providers import ProviderPool
from gateway.app.unknown_plans import unknown_plans
from gateway.app.websocket import WebsocketParts, websocket_parts
from gateway.call import RpcError
from gateway.chain import Method
from gateway.config import Config, Loaded, Settings, Source
from gateway.errors import error
from gateway.fronts.rest.compile import Listed, ListedView, compile_front
from gateway.fronts.rest.errors import ErrorRenderer
from gateway.fronts.rest.front import RestFront
from gateway.fronts.rest.incoming import Incoming, Shared
from gateway.fronts.websocket.sessions import Sessions
from gateway.http import Exchange
from gateway.http.request_id import REQUEST_ID
from gateway.routing.metadata import HeaderRules
from gateway.schema.codec import Codec
from gateway.schema.load import Loaded as Schema
from gateway.schema.load import RulesError, Sources, load
from gateway.schema.method import MethodDescriptor
from gateway.schema.problem import Problem, SchemaError
from gateway.schema.progress import Progress
from gateway.schema.registry import Registry
from gateway.state.usage.counts import Row

if TYPE_CHECKING:
    from gateway.app.graphql import GraphqlParts

_ANY = "google.protobuf.Any"


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """Everything made of one config.

    Attributes:
        config: The config.
        source: Where each of its values was set.
        registry: Every descriptor.
        codec: Their JSON; a later generation may take it over.
        codec_key: What the codec is made of.
        methods: By full name; those of exposed services that have an upstream.
        settings: What policies say of each, those without an upstream too.
        identities: Who may call.
        taken: What of it outlives it.
        operations: What operators may ask of it.
        jwks: The public keys of the tokens that backends get, as JSON; None where there are none.
        unserved: Methods of exposed services without an upstream: loaded for their types.
        upstream_of: Names of upstreams, by service.
        routes: Every REST route of an RPC.
        views: Every REST view.
        graphql: The graph and what serves it; None where it is off.
        websocket: What answers WebSocket upgrades beside GraphQL's; None where it is off.
        warnings: What an operator should know and can live with.
        notes: What is so by design; told by `gateway check` only.
    """

    config: Config
    source: Source
    registry: Registry
    codec: Codec
    codec_key: CodecKey
    methods: Mapping[str, Method]
    settings: Mapping[str, Settings]
    identities: Identities
    taken: Taken
    operations: Operations
    jwks: str | None
    unserved: tuple[MethodDescriptor, ...]
    upstream_of: Mapping[str, str]
    routes: tuple[Listed, ...]
    views: tuple[ListedView, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    lease: Lease
    shared: Shared
    rest: RestFront | None
    graphql: GraphqlParts | None
    websocket: WebsocketParts | None

    def handle(self, exchange: Exchange) -> None:
        """Answers a request (`gateway.http.Handler`)."""
        request, graphql, websocket = exchange.request, self.graphql, self.websocket
        if graphql is not None and graphql.front.answers(request.path):
            graphql.front.handle(exchange)
        elif (
            websocket is not None
            and websocket.front.answers(request)
            and websocket.front.handle(exchange)
        ):
            pass
        elif self.rest is None:
            refuse(exchange, self.shared, error("ROUTE_NOT_FOUND", "No route matches the path."))
        else:
            self.rest.handle(exchange)


def refuse(exchange: Exchange, shared: Shared, failure: RpcError) -> None:
    """Answers a request that no front has with an error, as REST does."""
    Incoming(exchange, shared).refuse(failure)


def _nobody() -> None:
    """Says that no generation serves."""


def _newest(current: Callable[[], Generation | None], config: Config) -> Config:
    """Returns the config of the generation that serves; `config` before there is one."""
    now = current()
    return config if now is None else now.config


def _silent(_: Progress) -> None:
    """Tells nobody."""


async def build(
    loaded: Loaded,
    pool: UpstreamPool,
    progress: Callable[[Progress], None] = _silent,
    previous: Generation | None = None,
    *,
    current: Callable[[], Generation | None] = _nobody,
    sessions: Sessions | None = None,
    providers: ProviderPool | None = None,
    lasting: Lasting | None = None,
    counted: Callable[[Sequence[Row]], Awaitable[None]] | None = None,
) -> Generation:
    """Builds a generation, yielding to the event loop as it goes.

    Args:
        loaded: The config.
        pool: Whose upstreams it borrows.
        progress: Told how far it is.
        previous: What it will replace. Its codec is kept where the same types are asked for:
            classes of messages are slow to make, and their library never gives them back.
        current: The generation that serves, at any time from now on.
        sessions: Those of WebSocket that can be resumed; they outlive generations.
        providers: Whose providers of identity it borrows.
        lasting: What outlives generations.
        counted: See `Making.counted`.

    Raises:
        BuildError: With everything that is wrong.
    """
    config, source = loaded.config, loaded.source
    specs = backends.specs(config, source)
    try:
        schema, wrong_rules = await _schema(settings.sources(config, specs), progress)
    except SchemaError as wrong:
        raise BuildError(placed(wrong.problems, source)) from None
    problems = placed(wrong_rules, source)
    known = schema.registry.services()
    upstream_of = backends.assigned(schema, loaded, known, problems)
    lease = pool.lease(specs.values())
    clock = asyncio.get_running_loop().time
    governed = governing(loaded, schema, upstream_of)
    if governed.problems:
        raise BuildError([*problems, *governed.problems])
    served = [each for name in upstream_of for each in schema.methods[name]]
    conditional = conditions(schema.registry, served, governed.settings)
    problems += conditional.problems
    making = Making(
        config=config,
        source=source,
        registry=schema.registry,
        descriptors={each.name: each for each in served},
        settings=governed.settings,
        taken=(lasting or Lasting()).taken(),
        operations=Operations(),
        counted=counted,
        clock=clock,
        problems=problems,
        warnings=[],
        notes=[],
    )
    chains = await chains_of(
        making,
        conditional.by_method,
        lease.handler,
        providers or ProviderPool(),
        lambda: now.identities if (now := current()) else None,
    )
    methods = {
        descriptor.name: chains.method(descriptor, lease.upstreams[upstream_of[service]])
        for service, descriptors in schema.methods.items()
        if service in upstream_of
        for descriptor in descriptors
    }
    codec, key = await codec_of(
        config,
        schema.registry,
        None if previous is None else (previous.codec_key, previous.codec),
    )
    shared = Shared(
        rules=settings.header_rules(config, source),
        errors=ErrorRenderer(codec.message(_ANY).transcode),
        clock=clock,
        request_id_passes=REQUEST_ID in config.headers.request.allow,
        lease=lease,
    )
    graphql: GraphqlParts | None = None
    in_graph: list[str] = []
    if config.graphql:
        # Its import takes a tenth of a second and 10 MiB: only who serves a graph pays for it.
        from gateway.app.graphql import graphql_parts  # noqa: PLC0415  see above

        try:
            # Seconds for thousands of types: the loop goes on beside it.
            graphql = await asyncio.to_thread(
                graphql_parts,
                config,
                config.graphql,
                source=source,
                methods=methods,
                registry=schema.registry,
                rules=shared.rules,
                clock=clock,
                lease=lease,
                identities=chains.identities,
                settings=chains.settings.values(),
                current=lambda: now.graphql if (now := current()) else None,
            )
        except SchemaError as wrong:
            problems += (in_graph := placed(wrong.problems, source))
    front: RestFront | None = None
    routes: tuple[Listed, ...] = ()
    views: tuple[ListedView, ...] = ()
    if config.rest:
        try:
            front, routes, views = compile_front(
                methods.values(),
                schema.registry,
                codec,
                shared,
                settings.rest_options(config, config.rest),
                views=graphql.views if graphql else (),
            )
        except SchemaError as wrong:
            found = SchemaError([*wrong_rules, *wrong.problems]).problems  # in their order
            raise BuildError([*placed(found, source), *in_graph]) from None
    websocket: WebsocketParts | None = None
    if config.websocket:
        try:
            websocket = websocket_parts(
                config,
                config.websocket,
                methods=methods,
                registry=schema.registry,
                codec=codec,
                rules=shared.rules,
                any_to_json=codec.message(_ANY).transcode,
                clock=clock,
                lease=lease,
                gate=chains.identities.of_sockets(chains.settings[name] for name in methods),
                pages=chains.identities.of_pages(config.pages.authenticate),
                sessions=sessions or Sessions(),
                refuse=lambda exchange, failure: refuse(exchange, shared, failure),
                current=lambda: now.websocket if (now := current()) else None,
                drain_timeout=lambda: _newest(current, config).listener.drain_timeout,
            )
        except SchemaError as wrong:
            problems += placed(wrong.problems, source)
    claimed = claims(config, websocket.files if websocket else ())
    problems += clashes(claimed, source)
    if problems:
        raise BuildError(problems)
    return Generation(
        config=config,
        source=source,
        registry=schema.registry,
        codec=codec,
        codec_key=key,
        methods=methods,
        settings=chains.settings,
        identities=chains.identities,
        taken=making.taken,
        operations=making.operations,
        jwks=chains.forwarding.jwks,
        unserved=tuple(
            descriptor
            for service, descriptors in schema.methods.items()
            if service not in upstream_of
            for descriptor in descriptors
        ),
        upstream_of=upstream_of,
        routes=routes,
        views=views,
        warnings=(
            *placed(schema.warnings, source),
            *idle_globs(config, source, known),
            *alike(config, source),
            *unasked(config, source),
            *unencrypted(config, source),
            *open_to_sites(config, source),
            *_header_warnings(shared.rules, source),
            *(graphql.warnings if graphql else ()),
            *hidden(claimed, routes, views),
            *open_warning(config, methods, chains.settings),
            *making.warnings,
            *unknown_plans(config, source, chains.identities.providers),
            *(() if methods else ("nothing is served: no upstream has a service of the protos",)),
        ),
        notes=(
            *making.notes,
            *(graphql.graph.notes if graphql else ()),
            *(websocket.notes if websocket else ()),
        ),
        lease=lease,
        shared=shared,
        rest=front,
        graphql=graphql,
        websocket=websocket,
    )


async def _schema(
    sources: Sources, progress: Callable[[Progress], None]
) -> tuple[Schema, tuple[Problem, ...]]:
    """Loads the schema; what is wrong with its rules comes beside it, so that more can be found."""
    try:
        return await load(sources, progress=progress), ()
    except RulesError as wrong:
        return wrong.loaded, wrong.problems


def _header_warnings(rules: HeaderRules, source: Source) -> list[str]:
    return [
        f"{source.locate('headers')}: headers: {name} never passes, whatever is allowed"
        for name in rules.ineffective
    ]
