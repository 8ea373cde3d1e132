"""A generation: everything that a config and its protos make, frozen, replaced whole.

A request takes `app.current` once and keeps it. What must outlive a generation (upstreams with
their connections) it only borrows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.app import backends, settings, tracing
from gateway.app.addresses import admitting
from gateway.app.ambient import open_to_sites
from gateway.app.build_error import BuildError
from gateway.app.chains import Chains, Takes, chains_of
from gateway.app.codec import CodecKey, codec_of
from gateway.app.conditions import conditions
from gateway.app.coverage import alike, idle_globs, unasked, unencrypted
from gateway.app.front_builder import ANY, FrontBuilder, Material, Served
from gateway.app.fronts import Fronts
from gateway.app.governing import governing, open_warning
from gateway.app.hosts import Hosts, hostless, hosts_of, idle_hosts, unknown_services
from gateway.app.id_cookies import id_cookies
from gateway.app.identity import Identities
from gateway.app.lasting import Lasting, Taken
from gateway.app.onward import copies_of
from gateway.app.operations import Operations
from gateway.app.parts import Making
from gateway.app.places import placed
from gateway.app.pool import Lease, UpstreamPool
from gateway.app.providers import ProviderPool
from gateway.app.reflecting import sources
from gateway.app.replies import unpackable
from gateway.app.unknown_plans import unknown_plans
from gateway.app.upstreams import telling
from gateway.chain import Method
from gateway.config import Config, Loaded, Settings, Source, named
from gateway.config.values import Key
from gateway.fronts.rest.errors import ErrorRenderer
from gateway.fronts.rest.incoming import Shared
from gateway.fronts.websocket.sessions import Sessions
from gateway.http import Handler, Request
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
from gateway.turns import Turn, in_turns

if TYPE_CHECKING:
    from gateway.app.graphql import GraphqlParts
    from gateway.app.websocket import WebsocketParts
    from gateway.fronts.rest.compile import Listed, ListedView


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """Everything made of one config.

    Attributes:
        config: The config.
        source: Where each of its values was set.
        contents: Digests of files that it names (`gateway.config.named.contents`).
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
        is_made_up: Whether all answers are, and no backend is called.
        written: Digests of answers that somebody wrote in place of made-up ones, by method.
        warnings: What an operator should know and can live with.
        notes: What is so by design; told by `gateway check` only.
        lease: What keeps its upstreams.
        fronts: What its clients meet; where it has hosts, those of the first.
        hosts: What its hosts serve; None where there is one set of fronts for all.
        handle: Answers a request (`gateway.http.Handler`).
    """

    config: Config
    source: Source
    contents: Mapping[Key, bytes]
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
    is_made_up: bool
    written: Mapping[str, bytes]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    lease: Lease
    fronts: Fronts
    hosts: Hosts | None
    handle: Handler

    @property
    def routes(self) -> tuple[Listed, ...]:
        """Every REST route of an RPC, of `fronts`."""
        return self.fronts.routes

    @property
    def views(self) -> tuple[ListedView, ...]:
        """Every REST view, of `fronts`."""
        return self.fronts.views

    @property
    def graphql(self) -> GraphqlParts | None:
        """The graph and what serves it, of `fronts`; None where it is off."""
        return self.fronts.graphql

    @property
    def websocket(self) -> WebsocketParts | None:
        """What answers WebSocket upgrades beside GraphQL's, of `fronts`; None where it is off."""
        return self.fronts.websocket

    def at(self, request: Request) -> Fronts | None:
        """Returns the fronts that a request is for; None where its host is not served."""
        return self.fronts if self.hosts is None else self.hosts.fronts(request)

    def seen_at(self, host: str) -> Generation:
        """Returns the generation as clients of a host of its config meet it.

        Raises:
            KeyError: There is no such host.
        """
        sites = {} if self.hosts is None else self.hosts.sites
        return replace(self, fronts=sites[host].fronts)


def _nobody() -> None:
    """Says that no generation serves."""


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
    mocking = loaded.mocking
    if mocking is not None:
        from gateway.app import mocking as mocks  # noqa: PLC0415  only who makes answers up

        loaded = mocks.mocked(loaded)
    config, source = loaded.config, loaded.source
    asked = None if mocking is None else mocks.judges(config)
    specs = await asyncio.to_thread(backends.specs, config, source, asked)  # it reads files
    contents = await asyncio.to_thread(named.contents, config)
    turn = Turn(alone=previous is None)
    try:
        schema, wrong_rules = await _schema(await sources(config, specs), progress, turn)
    except SchemaError as wrong:
        raise BuildError(placed(wrong.problems, source)) from None
    problems = [*placed(wrong_rules, source), *tracing.lacking(loaded)]
    known = schema.registry.services()
    upstream_of = backends.assigned(schema, loaded, known, problems)
    if mocking is not None:
        upstream_of = mocks.assigned(upstream_of, schema.methods)
    lease = pool.lease(specs.values())
    clock = asyncio.get_running_loop().time
    governed = governing(loaded, schema, upstream_of)
    if governed.problems:
        raise BuildError([*problems, *governed.problems])
    served = [each for name in upstream_of for each in schema.methods[name]]
    conditional = conditions(schema.registry, served, governed.settings)
    problems += conditional.problems
    await turn.over()
    making = Making(
        config=config,
        source=source,
        registry=schema.registry,
        descriptors={each.name: each for each in served},
        settings=governed.settings,
        mocking=mocking,
        taken=(lasting or Lasting()).taken(),
        operations=Operations(),
        counted=counted,
        clock=clock,
        problems=problems,
        warnings=[],
        notes=[],
    )
    making.operations.offer("upstreams", telling(lease.upstreams, lambda: copies_of(making.taken)))
    mock = None if mocking is None else await mocks.mock_of(mocking, making)
    taking: Mapping[str, Takes] = (
        lease.upstreams if mock is None else dict.fromkeys(config.upstreams, mock.upstream)
    )
    chains = await chains_of(
        making,
        conditional.by_method,
        lease.handler,
        providers or ProviderPool(),
        lambda: now.identities if (now := current()) else None,
    )
    turn.begin()
    methods = await in_turns(_methods(chains, schema, taking, upstream_of), turn)
    codec, key = await codec_of(
        config,
        schema.registry,
        None if previous is None else (previous.codec_key, previous.codec),
    )
    shared = Shared(
        rules=settings.header_rules(config, source),
        errors=ErrorRenderer(codec.message(ANY).transcode),
        clock=clock,
        request_id_passes=REQUEST_ID in config.headers.request.allow,
        lease=lease,
        gives_cookies=bool(id_cookies(config)),
    )
    builder = FrontBuilder(
        Material(
            config=config,
            source=source,
            registry=schema.registry,
            codec=codec,
            methods=methods,
            chains=chains,
            lease=lease,
            clock=clock,
            shared=shared,
            sessions=sessions or Sessions(),
            current=lambda request: now.at(request) if (now := current()) else None,
            newest=lambda: config if (now := current()) is None else now.config,
            taken=making.taken,
            greeting=() if mock is None else mock.greeting,
        )
    )
    problems += unknown_services(config, source, known)
    problems += unpackable(config, source)
    hosts = await in_turns(hosts_of(config, upstream_of, builder), turn)
    fronts = (
        await in_turns(builder.fronts(Served(frozenset(upstream_of))), turn)
        if hosts is None
        else hosts.first
    )
    builder.finish()
    problems += builder.problems
    if builder.in_rest:
        in_order = SchemaError([*wrong_rules, *builder.in_rest]).problems
        raise BuildError([*placed(in_order, source), *builder.problems])
    if problems:
        raise BuildError(problems)
    return Generation(
        config=config,
        source=source,
        contents=contents,
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
        is_made_up=mocking is not None,
        written={} if mock is None else mock.written,
        warnings=(
            *placed(schema.warnings, source),
            *idle_globs(config, source, known),
            *alike(config, source),
            *unasked(config, source),
            *unencrypted(config, source),
            *open_to_sites(config, source),
            *_header_warnings(shared.rules, source),
            *builder.warnings,
            *idle_hosts(hosts, source),
            *open_warning(config, methods, chains.settings),
            *making.warnings,
            *unknown_plans(config, source, chains.identities.providers),
            *(() if methods else ("nothing is served: no upstream has a service of the protos",)),
        ),
        notes=(
            *making.notes,
            *builder.notes,
            *(f"{each} is served at no host" for each in hostless(hosts, upstream_of)),
        ),
        lease=lease,
        fronts=fronts,
        hosts=hosts,
        handle=admitting(config, (hosts or fronts).handle, (hosts or fronts).refuse),
    )


async def _schema(
    sources: Sources, progress: Callable[[Progress], None], turn: Turn
) -> tuple[Schema, tuple[Problem, ...]]:
    """Loads the schema; what is wrong with its rules comes beside it, so that more can be found."""
    try:
        loaded = await load(sources, progress=progress, turn=turn)
    except RulesError as wrong:
        return wrong.loaded, wrong.problems
    await turn.over()
    return loaded, ()


def _methods(
    chains: Chains,
    schema: Schema,
    upstreams: Mapping[str, Takes],
    upstream_of: Mapping[str, str],
) -> Generator[None, None, dict[str, Method]]:
    """Returns the methods that are served, by full name; yields after each service."""
    made: dict[str, Method] = {}
    for service, descriptors in schema.methods.items():
        if service in upstream_of:
            for each in descriptors:
                made[each.name] = chains.method(each, upstreams, upstream_of[service])
            yield
    return made


def _header_warnings(rules: HeaderRules, source: Source) -> list[str]:
    return [
        f"{source.locate('headers')}: headers: {name} never passes, whatever is allowed"
        for name in rules.ineffective
    ]
