"""Builds fronts, each part once for all who have the same: hosts may serve the same services.

A graph is of services, REST routes are of services and of the views of a graph, WebSocket is of
services and of whether there is REST. What is wrong is gathered, so that all is told at once.

A graph of some services only is lenient: a join, a lookup, a document or an extension that needs
what other hosts have is left out of it. What fits no graph at all is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.app import settings
from gateway.app.chains import Chains
from gateway.app.fronts import Fronts, refuse
from gateway.app.lasting import Taken
from gateway.app.openapi import Described, described
from gateway.app.paths import claims, clashes, hidden, pageless
from gateway.app.places import of_key, placed
from gateway.app.pool import Lease
from gateway.app.websocket import WebsocketParts, websocket_parts
from gateway.chain import Method
from gateway.config import Config, Settings, Source
from gateway.fronts.rest.compile import Compiled, compiling_front
from gateway.fronts.rest.incoming import Shared
from gateway.fronts.websocket.sessions import Sessions
from gateway.http import Request
from gateway.schema.codec import Codec
from gateway.schema.problem import Problem, SchemaError
from gateway.schema.registry import Registry

if TYPE_CHECKING:
    from gateway.app.graphql import GraphqlParts

ANY = "google.protobuf.Any"


@dataclass(frozen=True, slots=True)
class Served:
    """Which of the config's fronts are served, and of which services.

    Attributes:
        services: Their full names.
        rest: Whether REST is, where the config has it.
        graphql: Whether GraphQL is, likewise.
        websocket: Whether WebSocket is, likewise.
    """

    services: frozenset[str]
    rest: bool = True
    graphql: bool = True
    websocket: bool = True


@dataclass(frozen=True, slots=True)
class Material:
    """What fronts are built of.

    Attributes:
        config: The config.
        source: Where each of its values was set.
        registry: Every descriptor.
        codec: Their JSON.
        methods: By full name; all that are served.
        chains: What made them.
        lease: What must live as long as any request does.
        clock: The event loop's, in seconds.
        shared: What requests of REST share.
        sessions: Those of WebSocket that can be resumed.
        current: The fronts of the generation that serves, for a request; None for none.
        newest: The config of the generation that serves.
        taken: What outlives the generation.
        greeting: Headers with which WebSockets are opened.
    """

    config: Config
    source: Source
    registry: Registry
    codec: Codec
    methods: Mapping[str, Method]
    chains: Chains
    lease: Lease
    clock: Callable[[], float]
    shared: Shared
    sessions: Sessions
    current: Callable[[Request], Fronts | None]
    newest: Callable[[], Config]
    taken: Taken
    greeting: tuple[tuple[str, str], ...]


class FrontBuilder:
    """Builds fronts of one material.

    Attributes:
        problems: What is wrong with graphs and sockets, as lines, none twice.
        in_rest: What is wrong with the routes of REST.
        warnings: What an operator should know and can live with, none twice.
        notes: What is so by design, none twice.
    """

    def __init__(self, material: Material) -> None:
        self.problems: dict[str, None] = {}
        self.in_rest: dict[Problem, None] = {}
        self.warnings: dict[str, None] = {}
        self.notes: dict[str, None] = {}
        self._given = material
        self._graphs: dict[frozenset[str], GraphqlParts | None] = {}
        self._left_out: dict[frozenset[str], Mapping[str, Sequence[Problem]]] = {}
        self._rest: dict[tuple[frozenset[str], bool], Compiled | None] = {}
        self._sockets: dict[tuple[frozenset[str], bool], WebsocketParts | None] = {}
        self._described: dict[tuple[frozenset[str], bool], Described] = {}
        self._built: dict[Served, Fronts] = {}

    def fronts(self, served: Served) -> Generator[None, None, Fronts]:
        """Returns the fronts of some services; what is wrong is in `problems` and `in_rest`.

        Yields where others may have their turn: a large graph takes long.

        Those of the most services are to be asked for first: of what fits no graph, it is told
        what is wrong with it in the first.
        """
        found = self._built.get(served)
        if found is None:
            found = self._built[served] = yield from self._fronts(served)
        return found

    def finish(self) -> None:
        """Takes note of what fits none of what was built; to be called when all is."""
        self._check_versions()
        self._check_graph_options()
        if not self._left_out or len(self._left_out) < len(self._graphs):
            return  # one graph is of all services, and has everything
        graphs = self._left_out.values()
        for name in dict.fromkeys(name for graph in graphs for name in graph):
            whys = [graph.get(name) for graph in graphs]
            if None in whys:
                self.notes[f"{name} is not in every host's graph: it needs what others have"] = None
            elif wrong := next(filter(None, whys), ()):
                self._wrong(placed(wrong, self._given.source))
            else:
                self.warnings[f"{name} is in vain: no host's graph has its type"] = None

    def _check_versions(self) -> None:
        """Finds a default version that begins no path."""
        rest = self._given.config.rest
        compiled = [each for each in self._rest.values() if each is not None]
        if rest is None or rest.versions is None or not compiled:
            return
        default = rest.versions.default
        known = {version: None for each in compiled for version in each.versions}
        if default not in known:
            there = f"there are {', '.join(known)}" if known else "none begins with a version"
            text = f"no route's path begins with /{default}; {there}"
            self._wrong([of_key(("rest", "versions", "default"), text, self._given.source)])

    def _check_graph_options(self) -> None:
        """Finds services and methods that no host has; each partial graph passes them over."""
        given = self._given
        methods = [each.descriptor for each in given.methods.values()]
        every = {method.service for method in methods}
        if not self._graphs or any(every <= services for services in self._graphs):
            return  # one graph is of all services, and told
        # As below: only who serves a graph pays for it.
        from gateway.app.graphql import graph_options  # noqa: PLC0415
        from gateway.fronts.graphql.graph.roots import misnamed  # noqa: PLC0415

        assert given.config.graphql is not None, "there are graphs"
        options = graph_options(given.config.graphql)
        self._wrong(placed(misnamed(methods, options), given.source))

    def _wrong(self, lines: Sequence[str]) -> None:
        self.problems.update(dict.fromkeys(lines))

    def _fronts(self, served: Served) -> Generator[None, None, Fronts]:
        given, config = self._given, self._given.config
        methods = {
            name: method
            for name, method in given.methods.items()
            if method.descriptor.service in served.services
        }
        has_graph = config.graphql is not None and served.graphql
        graphql = (yield from self._graph(served, methods)) if has_graph else None
        yield
        has_rest = config.rest is not None and served.rest
        rest = (yield from self._routes(served, methods, graphql)) if has_rest else None
        yield
        # Upgrades are answered by REST's rules too: what is wrong with them is told once.
        has_sockets = config.websocket is not None and served.websocket and not self.in_rest
        websocket = (yield from self._websocket(served, methods)) if has_sockets else None
        yield
        claimed = claims(
            config.graphql if has_graph else None,
            config.websocket if has_sockets else None,
            websocket.files if websocket else (),
            config.rest if rest else None,
        )
        routes, views = (rest.routes, rest.views) if rest else ((), ())
        self._wrong([*clashes(claimed, given.source), *pageless(config.rest, given.source)])
        warned = (*(graphql.warnings if graphql else ()), *hidden(claimed, routes, views))
        self.warnings.update(dict.fromkeys(warned))
        self.notes.update(dict.fromkeys(graphql.graph.notes if graphql else ()))
        self.notes.update(dict.fromkeys(websocket.notes if websocket else ()))
        front = rest.front if rest else None
        told = self._told(served, rest, graphql) if rest else None
        return Fronts(methods, given.shared, front, routes, views, graphql, websocket, told)

    def _graph(
        self, served: Served, methods: Mapping[str, Method]
    ) -> Generator[None, None, GraphqlParts | None]:
        key = served.services
        if key not in self._graphs:
            self._graphs[key] = yield from self._build_graph(served, methods)
        return self._graphs[key]

    def _build_graph(
        self, served: Served, methods: Mapping[str, Method]
    ) -> Generator[None, None, GraphqlParts | None]:
        # Its import takes a tenth of a second and 10 MiB: only who serves a graph pays for it.
        from gateway.app.graphql import graphql_parts  # noqa: PLC0415  see above

        given, current = self._given, self._given.current
        elsewhere = [
            each.descriptor
            for each in given.methods.values()
            if each.descriptor.service not in served.services
        ]
        assert given.config.graphql is not None, "it is served"
        try:
            made = yield from graphql_parts(
                given.config,
                given.config.graphql,
                source=given.source,
                methods=methods,
                registry=given.registry,
                rules=given.shared.rules,
                clock=given.clock,
                lease=given.lease,
                identities=given.chains.identities,
                settings=self._settings(methods),
                current=lambda request: now.graphql if (now := current(request)) else None,
                roster=given.sessions.roster,
                taken=given.taken,
                elsewhere=elsewhere,
            )
        except SchemaError as wrong:
            self._wrong(placed(wrong.problems, given.source))
            return None
        if elsewhere:
            self._left_out[served.services] = made.left_out
        return made

    def _routes(
        self, served: Served, methods: Mapping[str, Method], graphql: GraphqlParts | None
    ) -> Generator[None, None, Compiled | None]:
        key = served.services, graphql is not None
        if key not in self._rest:
            self._rest[key] = yield from self._build_routes(methods, graphql)
        return self._rest[key]

    def _build_routes(
        self, methods: Mapping[str, Method], graphql: GraphqlParts | None
    ) -> Generator[None, None, Compiled | None]:
        given, rest = self._given, self._given.config.rest
        assert rest is not None, "it is served"
        try:
            return (
                yield from compiling_front(
                    methods.values(),
                    given.registry,
                    given.codec,
                    given.shared,
                    settings.rest_options(given.config, rest),
                    views=graphql.views if graphql else (),
                )
            )
        except SchemaError as wrong:
            self.in_rest.update(dict.fromkeys(wrong.problems))
            return None

    def _told(self, served: Served, rest: Compiled, graphql: GraphqlParts | None) -> Described:
        given, config = self._given, self._given.config
        assert config.rest is not None, "it is served"
        key = served.services, graphql is not None
        if key not in self._described:
            self._described[key] = described(
                config,
                config.rest,
                rest,
                graphql,
                registry=given.registry,
                method_settings=given.chains.settings,
                identities=given.chains.identities,
                shared=given.shared,
            )
        return self._described[key]

    def _websocket(
        self, served: Served, methods: Mapping[str, Method]
    ) -> Generator[None, None, WebsocketParts | None]:
        key = served.services, served.rest
        if key not in self._sockets:
            self._sockets[key] = yield from self._build_sockets(served, methods)
        return self._sockets[key]

    def _build_sockets(
        self, served: Served, methods: Mapping[str, Method]
    ) -> Generator[None, None, WebsocketParts | None]:
        given, config = self._given, self._given.config
        current, newest, shared = given.current, given.newest, given.shared
        identities = given.chains.identities
        assert config.websocket is not None, "it is served"
        try:
            return (
                yield from websocket_parts(
                    config,
                    config.websocket,
                    config.rest if served.rest else None,
                    methods=methods,
                    registry=given.registry,
                    codec=given.codec,
                    rules=shared.rules,
                    any_to_json=given.codec.message(ANY).transcode,
                    clock=given.clock,
                    lease=given.lease,
                    gate=identities.of_sockets(self._settings(methods)),
                    pages=identities.of_pages(config.pages.authenticate),
                    sessions=given.sessions,
                    greeting=given.greeting,
                    refuse=lambda exchange, failure: refuse(exchange, shared, failure),
                    current=lambda request: now.websocket if (now := current(request)) else None,
                    drain_timeout=lambda: newest().listener.drain_timeout,
                )
            )
        except SchemaError as wrong:
            self._wrong(placed(wrong.problems, given.source))
            return None

    def _settings(self, methods: Mapping[str, Method]) -> list[Settings]:
        return [self._given.chains.settings[name] for name in methods]
