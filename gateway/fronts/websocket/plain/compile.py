"""Compiles methods and their HTTP rules into the front of the plain form."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.chain import Method
from gateway.fronts.reply_json import ReplyJson
from gateway.fronts.websocket.plain.call import SocketOptions
from gateway.fronts.websocket.plain.choice import Candidate, answering, clashes, unanswered
from gateway.fronts.websocket.plain.front import PlainFront
from gateway.fronts.websocket.plain.opening import Shared
from gateway.fronts.websocket.plain.routes import CHOOSER, UPGRADE, PlainRoute, by_shape
from gateway.routing.binding import Binder
from gateway.routing.router import RouteConflictError, RouterBuilder
from gateway.routing.template import parse_prefix
from gateway.schema.codec import Codec
from gateway.schema.method import MethodDescriptor
from gateway.schema.problem import Problem, SchemaError
from gateway.schema.registry import Registry


@dataclass(frozen=True, slots=True)
class PlainOptions:
    """What the config says of the front.

    Attributes:
        rest: Whether REST is on, and its routes answer upgrades.
        prefix: What stands before REST's routes; `/package.Service/Method` has none.
        unannotated: Whether methods without a rule have a route of REST's.
        ignore_query: Globs of names that a query may have though they name no field.
        socket: What a client may do over one WebSocket.
    """

    rest: bool = True
    prefix: str = ""
    unannotated: bool = True
    ignore_query: tuple[str, ...] = ()
    socket: SocketOptions = field(default_factory=SocketOptions)


class ListedSocket(NamedTuple):
    """A path that answers upgrades, for people.

    Attributes:
        template: The path.
        method: What it calls.
        starts: Whether the call starts without a frame.
    """

    template: str
    method: MethodDescriptor
    starts: bool


class Compiled(NamedTuple):
    """A front, its routes in the order of their paths, and what is so by design."""

    front: PlainFront
    routes: tuple[ListedSocket, ...]
    notes: tuple[str, ...]


def compiling_plain(
    methods: Iterable[Method],
    registry: Registry,
    codec: Codec,
    shared: Shared,
    options: PlainOptions,
) -> Generator[None, None, Compiled]:
    """Compiles the front, and yields where others may have their turn.

    Args:
        methods: Those that have an upstream. Their rules are right: REST has compiled them.
        registry: Their descriptors.
        codec: Their JSON.
        shared: What sockets share.
        options: What the config says.

    Raises:
        SchemaError: With every path that could be for two streaming methods, and every two rules
            that match the same requests.
    """
    by_name = {method.descriptor.name: method for method in methods}
    descriptors = [method.descriptor for method in by_name.values()]
    replies = {name: ReplyJson(codec, name) for name in {each.output for each in descriptors}}
    with_chooser = {
        name
        for name in {each.input for each in descriptors}
        if any(CHOOSER in (each.name, each.json_name) for each in registry.message(name).fields)
    }

    def route(candidate: Candidate) -> PlainRoute:
        described, rule, template = candidate
        return PlainRoute(
            by_name[described.name],
            Binder(
                described,
                rule,
                template,
                registry,
                codec,
                ignore_query=options.ignore_query,
                framed=True,
            ),
            replies[described.output],
            starts=not rule.body and not described.kind.client_streams,
            has_chooser=described.input in with_chooser,
            template=str(template),
        )

    builder = RouterBuilder[PlainRoute]()
    listed: list[ListedSocket] = []
    problems: list[Problem] = []
    notes: list[str] = []
    prefix = parse_prefix(options.prefix) if options.rest else None
    for candidates in by_shape(descriptors, prefix, unannotated=options.unannotated):
        yield
        routes = [route(each) for each in candidates]
        for each, made in zip(candidates, routes, strict=True):
            builder.add(
                each.rule.verb, each.template, made, label=each.method.name, source=each.rule.source
            )
        problems += clashes(candidates)
        chosen = answering(candidates)
        if chosen is None:
            notes.append(unanswered(candidates))
            continue
        answers = routes[candidates.index(chosen)]
        name, template = chosen.method.name, chosen.template
        builder.add(UPGRADE, template, answers, label=name, source=chosen.rule.source)
        listed.append(ListedSocket(str(template), chosen.method, answers.starts))
    try:
        router = builder.freeze()
    except RouteConflictError as clash:
        problems += [Problem(each.second.source, message=str(each)) for each in clash.conflicts]
        raise SchemaError(problems) from None
    if problems:
        raise SchemaError(problems)
    listed.sort(key=lambda each: each.template)
    return Compiled(PlainFront(router, shared, options.socket), tuple(listed), tuple(sorted(notes)))
