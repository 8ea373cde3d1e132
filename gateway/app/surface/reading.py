"""The surface of a generation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from gateway.app.fronts import Fronts
from gateway.app.identity import is_open_to_all
from gateway.app.reach import without_layout
from gateway.app.surface.model import (
    Access,
    GraphqlSurface,
    Json,
    Method,
    RestSurface,
    Route,
    Site,
    Socket,
    Surface,
    WebsocketSurface,
)
from gateway.app.surface.types import Types
from gateway.app.timeouts import timeout_of
from gateway.config import Config, Settings
from gateway.config.identity_checks import NONE
from gateway.config.models.rest import Versions

if TYPE_CHECKING:
    from gateway.app.generation import Generation
    from gateway.app.graphql import GraphqlParts
    from gateway.app.websocket import WebsocketParts

_ENDLESS: Final = "stream_size"  # the one limit whose 0 is none
# What a client could do before and can't where it is lowered, by section.
_LIMITS: Final = {
    "listener.limits": (
        *("header_size", "header_fields", "path_segments", "query_parameters", "body_size"),
        *("message_size", "stream_size", "json_depth"),
    ),
    "graphql.limits": ("depth", "cost", "aliases", "tokens", "root_fields", "batch"),
    "websocket.limits": ("streams", "message_size"),
}


def surface_of(generation: Generation) -> Surface:
    """Returns what clients of a generation meet."""
    config, hosts = generation.config, generation.hosts
    fronts = {"": generation.fronts}
    if hosts is not None:
        fronts = {name: each.fronts for name, each in hosts.sites.items()}
    described = {name: each.descriptor for name, each in sorted(generation.methods.items())}
    types = Types(generation.registry.pool)
    types.read(
        generation.registry.message(name)
        for each in described.values()
        for name in (each.input, each.output)
    )
    tls = config.listener.tls
    return Surface(
        sites={name: _site(config, each) for name, each in fronts.items()},
        methods={
            name: Method(
                each.kind.client_streams,
                each.kind.server_streams,
                each.input,
                each.output,
                _access(config, generation.settings[name]),
                generation.settings[name].validate,
                timeout_of(
                    config, generation.settings[name], each, generation.upstream_of[each.service]
                ),
            )
            for name, each in described.items()
        },
        messages=dict(sorted(types.messages.items())),
        enums=dict(sorted(types.enums.items())),
        json=_json(config),
        tls=tls is not None,
        client_certificate=tls is not None and tls.client_certificate == "required",
        limits=dict(_limits(config)),
    )


def _site(config: Config, fronts: Fronts) -> Site:
    return Site(
        tuple(sorted(fronts.methods)),
        _rest(config, fronts) if fronts.rest is not None else None,
        None if fronts.graphql is None else _graphql(config, fronts.graphql),
        None if fronts.websocket is None else _websocket(config, fronts.websocket),
    )


def _rest(config: Config, fronts: Fronts) -> RestSurface:
    assert config.rest is not None, "it is served"
    views = [] if fronts.graphql is None else fronts.graphql.trusted.operations.values()
    texts = {f"{each.operation.kind.value} {each.name}": each.document.digest for each in views}
    return RestSurface(
        (
            *(
                Route(
                    each.verb,
                    each.template,
                    each.method.name,
                    each.rule.body,
                    each.rule.response_body,
                )
                for each in fronts.routes
            ),
            *(Route(each.verb, each.template, document=texts[each.label]) for each in fronts.views),
        ),
        config.rest.unknown_query.ignore,
        _versions(config.rest.versions),
    )


def _versions(given: Versions | None) -> Mapping[str, str]:
    if given is None:
        return {}
    ways = (given.accept, given.header, given.query)
    said = zip(("accept", "header", "query"), ways, strict=True)
    return {"default": given.default} | {name: each for name, each in said if each is not None}


def _graphql(config: Config, parts: GraphqlParts) -> GraphqlSurface:
    # As all of GraphQL: only who serves it pays for its import.
    from gateway.fronts.graphql.graph.sdl import sdl  # noqa: PLC0415  see above

    given = config.graphql
    assert given is not None, "it is served"
    operations = parts.trusted.operations
    return GraphqlSurface(
        given.path,
        sdl(parts.graph),
        {name: operations[name].document.digest for name in sorted(operations)},
        given.trusted_only,
        given.persisted,
        given.introspection,
    )


def _websocket(config: Config, parts: WebsocketParts) -> WebsocketSurface:
    given = config.websocket
    assert given is not None, "it is served"
    return WebsocketSurface(
        given.path,
        tuple(given.subprotocols),
        given.origins,
        tuple(Socket(each.template, each.method.name, each.starts) for each in parts.routes),
    )


def _access(config: Config, settings: Settings) -> Access:
    if not config.auth.providers:
        return Access()
    named = settings.authenticate or tuple(config.auth.providers)
    return Access(
        tuple(sorted(name for name in named if name != NONE)),
        is_open_to_all(settings),
        tuple(sorted(settings.scopes)),
        tuple(sorted(settings.roles)),
        without_layout(settings.when),
    )


def _json(config: Config) -> Json:
    if config.rest is None:
        return Json()
    given = config.rest.json
    return Json(
        given.emit_defaults,
        given.enums_as_numbers,
        given.proto_names,
        given.unknown_fields == "ignore",
    )


def _limits(config: Config) -> Iterator[tuple[str, int | None]]:
    for path, names in _LIMITS.items():
        section: object = config
        for part in path.split("."):
            section = None if section is None else getattr(section, part)
        for name in names if section is not None else ():
            limit: int = getattr(section, name)
            yield f"{path}.{name}", None if name == _ENDLESS and not limit else limit
