"""All that is told of one RPC, in sections: its proto, upstream, policies, limits and routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gateway.app.explained.fact import Fact, set_by
from gateway.app.explained.limits import adaptive_facts, limit_facts
from gateway.app.explained.policies import chain_facts, policy_facts
from gateway.app.explained.upstreams import upstream_facts
from gateway.app.generation import Generation
from gateway.app.places import config_place
from gateway.app.settings import allowed_headers
from gateway.app.views import View
from gateway.config.units import format_duration, format_size
from gateway.schema.method import Idempotency, MethodDescriptor

_EFFECTS = {
    Idempotency.UNKNOWN: "",
    Idempotency.NO_SIDE_EFFECTS: ", no side effects",
    Idempotency.IDEMPOTENT: ", idempotent",
}


def sections(
    generation: Generation, descriptor: MethodDescriptor, views: Sequence[View]
) -> list[Iterable[Fact]]:
    """Returns what is told of a method, section by section.

    Args:
        generation: What serves it, or knows it.
        descriptor: The method.
        views: What clients of its hosts meet, of those that are meant.
    """
    told: list[Iterable[Fact]] = [
        _proto(generation, descriptor),
        upstream_facts(generation, descriptor),
    ]
    if descriptor.name in generation.methods:
        told += [
            policy_facts(generation, descriptor),
            limit_facts(generation, descriptor),
            adaptive_facts(generation, descriptor),
            chain_facts(generation, descriptor),
            _limits(generation, descriptor),
            _headers(generation),
        ]
    told.append(_addresses(generation))
    seen = [each for each in views if _has(each.generation, descriptor)]
    if generation.hosts is not None and not seen:
        told.append([Fact("hosts", "none")])
    for view in seen:
        if view.hosts:
            place = set_by(generation, ("hosts", view.hosts[0]))
            told.append([Fact("hosts", ", ".join(view.hosts), place)])
        told += [
            _routes(view.generation, descriptor),
            _fields(view.generation, descriptor),
            _sockets(view.generation, descriptor),
        ]
    return told


def _has(generation: Generation, descriptor: MethodDescriptor) -> bool:
    """Whether a method may be called there; without hosts, that is told with its routes."""
    return generation.hosts is None or descriptor.name in generation.fronts.methods


def _addresses(generation: Generation) -> Iterator[Fact]:
    """Yields which clients may call at all; nothing where all may."""
    given = generation.config.addresses
    title = "addresses"
    for key, networks in (("allow", given.allow), ("deny", given.deny)):
        if networks:
            text = f"{key} {', '.join(map(str, networks))}"
            yield Fact(title, text, set_by(generation, ("addresses", key)))
            title = ""


def _proto(generation: Generation, descriptor: MethodDescriptor) -> Iterator[Fact]:
    yield Fact("method", descriptor.name, _written(generation, descriptor))
    for line in descriptor.comment.splitlines():
        yield Fact("", line)
    yield Fact("kind", descriptor.kind.value + _EFFECTS[descriptor.idempotency])
    yield Fact("request", descriptor.input)
    yield Fact("reply", descriptor.output)
    if descriptor.deprecated and not descriptor.deprecation:  # that is told with policies
        yield Fact("deprecated", "yes")


_SIZES = ("header_size", "metadata_size", "body_size", "message_size", "stream_size")


def _limits(generation: Generation, descriptor: MethodDescriptor) -> Iterator[Fact]:
    limits = generation.config.listener.limits
    kind = descriptor.kind
    streams = kind.client_streams or kind.server_streams
    applying = {
        "header_size": True,
        "header_fields": True,
        "path_segments": True,
        "query_parameters": True,
        "metadata_size": True,
        "body_size": not kind.client_streams,
        "message_size": True,
        "stream_size": kind.client_streams,
        "json_depth": True,
        "header_timeout": True,
        "body_timeout": not kind.client_streams,
        "stream_idle_timeout": streams,
    }
    title = "limits"
    for name, applies in applying.items():
        if applies:
            number = getattr(limits, name)
            value = (
                (format_size(number) if number else "none")
                if name in _SIZES
                else format_duration(number)
                if name.endswith("timeout")
                else str(number)
            )
            place = set_by(generation, ("listener", "limits", name))
            yield Fact(title, f"{name} {value}", place)
            title = ""
    if generation.config.auth.providers:
        value = f"unauthenticated {limits.unauthenticated}, of an address, while nobody is known"
        yield Fact("", value, set_by(generation, ("listener", "limits", "unauthenticated")))


def _headers(generation: Generation) -> Iterator[Fact]:
    headers = generation.config.headers
    request, reply = headers.request, headers.response
    for title, key, allow in (
        ("headers in", "request", allowed_headers(generation.config, generation.source)),
        ("headers out", "response", reply.allow),
    ):
        place = set_by(generation, ("headers", key, "allow"))
        yield Fact(title, ", ".join(allow) or "none", place)
    for title, key, prefix in (
        ("  prefix in", "request", request.prefix),
        ("  prefix out", "response", reply.prefix),
    ):
        if prefix:
            yield Fact(title, prefix, set_by(generation, ("headers", key, "prefix")))


def _routes(generation: Generation, descriptor: MethodDescriptor) -> Iterator[Fact]:
    listed = [each for each in generation.routes if each.method.name == descriptor.name]
    if not listed:
        yield Fact("routes", "none")
    for number, each in enumerate(listed):
        body = f"  body: {each.rule.body}" if each.rule.body else ""
        reply = f"  response_body: {each.rule.response_body}" if each.rule.response_body else ""
        implied = "" if descriptor.rules else "  (it has no HTTP rule)"
        source = config_place(each.rule.source, generation.source) or each.rule.source
        if implied:
            source = _written(generation, descriptor)
        text = f"{each.verb} {each.template}{body}{reply}{implied}"
        yield Fact("" if number else "routes", text, source)
    rest = generation.config.rest
    if listed and rest is not None and rest.versions is not None:
        ways = [each for each in ("accept", "header", "query") if getattr(rest.versions, each)]
        text = f"may be left out of paths, and is {rest.versions.default} where none is asked for"
        if ways:
            text += f" by {', '.join(ways)}"
        yield Fact("  version", text, set_by(generation, ("rest", "versions")))


def _fields(generation: Generation, descriptor: MethodDescriptor) -> Iterator[Fact]:
    """Yields the root fields of the graph that call the method; none where there is no graph."""
    if generation.graphql is None:
        return
    roots = [each for each in generation.graphql.graph.roots if each.method.name == descriptor.name]
    if not roots:
        yield Fact("graphql", "none")
    for number, each in enumerate(roots):
        yield Fact("" if number else "graphql", f"{each.root}.{each.name}")


def _sockets(generation: Generation, descriptor: MethodDescriptor) -> Iterator[Fact]:
    """Yields the paths at which a WebSocket reaches the method; none where there is no such front.

    At all but the last a socket is one call.
    """
    config, parts = generation.config.websocket, generation.websocket
    if config is None or parts is None:
        return
    if descriptor.name not in generation.methods:
        yield Fact("websocket", "none")
        return
    title = "websocket"
    for each in parts.routes:
        if each.method.name == descriptor.name:
            at_once = each.starts or descriptor.kind.client_streams
            begins = "starts at once" if at_once else "waits for a message"
            yield Fact(title, f"{each.template}  {begins}")
            title = ""
    place = set_by(generation, ("websocket", "path"))
    yield Fact("", f"{config.path}  one of many calls", place)
    size = format_size(config.limits.message_size)
    place = set_by(generation, ("websocket", "limits", "message_size"))
    yield Fact("  message_size", size, place)


def _written(generation: Generation, descriptor: MethodDescriptor) -> str:
    """Returns where an RPC is written, by the path of its file as rules have it."""
    origin = generation.registry.origin(descriptor.file)
    return f"{origin}:{descriptor.line}" if descriptor.line else origin
