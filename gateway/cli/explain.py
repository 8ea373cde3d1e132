"""`gateway explain`: all that holds for one RPC, and the line that set each; or a document."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from gateway.app import Generation
from gateway.app.places import config_place
from gateway.app.settings import allowed_headers
from gateway.cli import options
from gateway.cli.building import examined
from gateway.cli.configuration import reader
from gateway.cli.documents import explain_document
from gateway.cli.facts import Fact, print_facts, set_by
from gateway.cli.limit_facts import adaptive_facts, limit_facts
from gateway.cli.names import resolve
from gateway.cli.policy_facts import chain_facts, policy_facts
from gateway.config import Upstream, matches
from gateway.config.problems import Path as KeyPath
from gateway.config.units import format_duration, format_size
from gateway.schema.method import Idempotency, Kind, MethodDescriptor

app = typer.Typer(add_completion=False)

_EFFECTS = {
    Idempotency.UNKNOWN: "",
    Idempotency.NO_SIDE_EFFECTS: ", no side effects",
    Idempotency.IDEMPOTENT: ", idempotent",
}


@app.command()
def explain(
    *,
    method: Annotated[str | None, options.METHOD] = None,
    document: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Explain a GraphQL document instead: what it calls."),
    ] = None,
    operation: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the document, this operation only.")
    ] = None,
    variables: Annotated[
        str | None,
        typer.Option(metavar="JSON", help='The document\'s variables, e.g. {"id": "p1"}.'),
    ] = None,
    config: options.Config = None,
    set_: options.Set = None,
) -> None:
    """Tell all that holds for one RPC, or what a GraphQL document calls.

    Of an RPC: its kind, routes, upstream, policies and limits. The right column says what set it: a
    line of the config, a line of a proto, or `default`. Of a document: its RPCs by level, the keys
    of its batches, the rows that are expected, and its cost; nothing is called.
    """
    if (method is None) == (document is None):
        raise typer.BadParameter("give one of METHOD and --document")
    generation = asyncio.run(examined(reader(config, set_)))
    if document is not None:
        for line in explain_document(generation, document, operation, variables):
            typer.echo(line)
        return
    assert method is not None, "one of the two is given"
    known = {name: each.descriptor for name, each in generation.methods.items()}
    known |= {each.name: each for each in generation.unserved}
    descriptor = known[resolve(method, known)]
    sections = [_proto(generation, descriptor), _upstream(generation, descriptor)]
    if descriptor.name in generation.methods:
        sections += [
            policy_facts(generation, descriptor),
            limit_facts(generation, descriptor),
            adaptive_facts(generation, descriptor),
            chain_facts(generation, descriptor),
            _limits(generation, descriptor),
            _headers(generation),
        ]
    sections += [
        _routes(generation, descriptor),
        _fields(generation, descriptor),
        _sockets(generation, descriptor),
    ]
    print_facts(*sections)


def _proto(generation: Generation, descriptor: MethodDescriptor) -> Iterator[Fact]:
    yield Fact("method", descriptor.name, _written(generation, descriptor))
    for line in descriptor.comment.splitlines():
        yield Fact("", line)
    yield Fact("kind", descriptor.kind.value + _EFFECTS[descriptor.idempotency])
    yield Fact("request", descriptor.input)
    yield Fact("reply", descriptor.output)
    if descriptor.deprecated:
        yield Fact("deprecated", "yes")


def _upstream(generation: Generation, descriptor: MethodDescriptor) -> Iterator[Fact]:
    name = generation.upstream_of.get(descriptor.service)
    if name is None:
        yield Fact("upstream", f"none takes {descriptor.service}: it is not served")
        return
    upstream = generation.config.upstreams[name]
    at: KeyPath = ("upstreams", name)
    yield Fact("upstream", name, set_by(generation, at))
    index = next(
        i
        for exact in (True, False)
        for i, glob in enumerate(upstream.services)
        if (glob == descriptor.service if exact else matches(glob, descriptor.service))
    )
    place = set_by(generation, (*at, "services", index))
    yield Fact("  services", upstream.services[index], place)
    for number, endpoint in enumerate(upstream.endpoints):
        place = set_by(generation, (*at, "endpoints", number))
        yield Fact("  endpoint", str(endpoint.address), place)
    yield Fact("  tls", "on" if upstream.tls else "off", set_by(generation, (*at, "tls")))
    place = set_by(generation, (*at, "balancing", "policy"))
    yield Fact("  balancing", upstream.balancing.policy, place)
    yield Fact("  transport", upstream.transport, set_by(generation, (*at, "transport")))
    place = set_by(generation, (*at, "connections"))
    yield Fact("  connections", _connections(upstream), place)
    keepalive = upstream.keepalive
    times = (
        f"{format_duration(keepalive.time)}, {format_duration(keepalive.timeout)} for the answer"
    )
    yield Fact("  keepalive", times, set_by(generation, (*at, "keepalive")))
    key, seconds = _timeout(upstream, descriptor)
    value = format_duration(seconds) if seconds else "none"
    yield Fact(f"  {key}", value, set_by(generation, (*at, key)))


def _connections(upstream: Upstream) -> str:
    more = ", more as they fill" if upstream.transport == "native" else ""
    return f"{upstream.connections} to each endpoint{more}"


def _timeout(upstream: Upstream, descriptor: MethodDescriptor) -> tuple[str, float]:
    """Returns the key that limits how long a call of a method takes, and its seconds or 0."""
    if descriptor.kind is Kind.UNARY:
        return "timeout", upstream.timeout
    return "stream_timeout", upstream.stream_timeout


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
