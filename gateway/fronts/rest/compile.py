"""Compiles methods and their HTTP rules into a REST front; every rule that is wrong is named."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gateway.chain import Method
from gateway.fronts.rest.front import RestFront, Route
from gateway.fronts.rest.incoming import Shared
from gateway.fronts.rest.inputs import Input
from gateway.fronts.rest.replies import JsonReply, RawReply, reply_of
from gateway.fronts.rest.streams import StreamRoute
from gateway.fronts.rest.unary import UnaryRoute
from gateway.fronts.rest.versioned import VersionedFront
from gateway.fronts.rest.versions import VersionOptions, Versions, versions_of
from gateway.routing.binding import Binder
from gateway.routing.query import MAX_PARAMETERS
from gateway.routing.router import RouteConflictError, RouterBuilder
from gateway.routing.rules import check_rule, implied_rule
from gateway.routing.template import Template, TemplateError, parse, parse_prefix
from gateway.schema.codec import Codec
from gateway.schema.method import HttpRule, Kind, MethodDescriptor
from gateway.schema.problem import Problem, SchemaError
from gateway.schema.registry import Registry


@dataclass(frozen=True, slots=True)
class RestOptions:
    """What the config says of the front.

    Attributes:
        prefix: A path before every route.
        unannotated: Whether methods without a rule answer `POST /package.Service/Method`.
        ignore_query: Globs of names that a query may have though they name no field.
        etag: Whether replies to GET get an entity tag.
        body_size: Bytes of a request body that is held whole.
        message_size: Bytes of one message of a request stream.
        form_parameters: Parameters of a body that is a form.
        versions: How a version is asked for that a path does not say; None where it can't be.
    """

    prefix: str = ""
    unannotated: bool = True
    ignore_query: tuple[str, ...] = ()
    etag: bool = False
    body_size: int = 4 * 1024 * 1024
    message_size: int = 4 * 1024 * 1024
    form_parameters: int = MAX_PARAMETERS
    versions: VersionOptions | None = None


class Listed(NamedTuple):
    """One route, for people."""

    verb: str
    template: str
    method: MethodDescriptor
    rule: HttpRule


class View(Protocol):
    """A route that is not made of an RPC's rule, for the front to serve among its own."""

    @property
    def verb(self) -> str:
        """The HTTP method."""

    @property
    def template(self) -> Template:
        """The path, without the front's prefix."""

    @property
    def route(self) -> Route:
        """Answers requests."""

    @property
    def label(self) -> str:
        """What to call it."""

    @property
    def source(self) -> str:
        """Where it is written."""


class ListedView(NamedTuple):
    """One view, for people; its template is under the prefix."""

    verb: str
    template: str
    label: str
    source: str


class Compiled(NamedTuple):
    """A front, its routes and its views, each in the order of their paths.

    Attributes:
        front: Answers requests.
        routes: Those of RPCs.
        views: The others.
        versions: The versions that begin their paths.
    """

    front: RestFront
    routes: tuple[Listed, ...]
    views: tuple[ListedView, ...]
    versions: tuple[str, ...]


def routes_of(
    methods: Iterable[MethodDescriptor], prefix: Template, *, unannotated: bool
) -> Iterator[tuple[MethodDescriptor, HttpRule, Template]]:
    """Yields every rule of the methods with its template, the implied ones where asked for.

    Raises:
        TemplateError: A template is wrong; `check_rule` tells it better.
    """
    for method in methods:
        rules = method.rules or ((implied_rule(method),) if unannotated else ())
        for rule in rules:
            yield method, rule, parse(rule.template).under(prefix)


def compiling_front(
    methods: Iterable[Method],
    registry: Registry,
    codec: Codec,
    shared: Shared,
    options: RestOptions,
    *,
    views: Sequence[View] = (),
) -> Generator[None, None, Compiled]:
    """Compiles the front, and yields where others may have their turn.

    Args:
        methods: Those that have an upstream; others have no routes.
        registry: Their descriptors.
        codec: Their JSON.
        shared: What requests share.
        options: What the config says.
        views: Routes to serve beside those of the methods.

    Raises:
        SchemaError: With every rule that is wrong, and every two that match the same requests.
    """
    by_name = {method.descriptor.name: method for method in methods}
    problems = [
        problem
        for method in by_name.values()
        for rule in method.descriptor.rules
        for problem in check_rule(method.descriptor, rule, registry)
    ]
    try:
        prefix = parse_prefix(options.prefix)
    except TemplateError as wrong:
        problems.append(Problem("rest.prefix", message=str(wrong)))
    if problems:
        raise SchemaError(problems)
    builder = RouterBuilder[Route]()
    listed, templates = [], []
    descriptors = [method.descriptor for method in by_name.values()]
    for method, rule, template in routes_of(descriptors, prefix, unannotated=options.unannotated):
        binder = Binder(
            method,
            rule,
            template,
            registry,
            codec,
            ignore_query=options.ignore_query,
            form_parameters=options.form_parameters,
        )
        reply = reply_of(method, rule, registry, codec)
        route = _route(by_name[method.name], Input(binder), reply, options, str(template))
        builder.add(rule.verb, template, route, label=method.name, source=rule.source)
        listed.append(Listed(rule.verb, str(template), method, rule))
        templates.append(template)
        yield
    shown = []
    for view in views:
        template = view.template.under(prefix)
        builder.add(view.verb, template, view.route, label=view.label, source=view.source)
        shown.append(ListedView(view.verb, str(template), view.label, view.source))
        templates.append(template)
    try:
        router = builder.freeze()
    except RouteConflictError as clash:
        raise SchemaError(
            Problem(each.second.source, message=str(each)) for each in clash.conflicts
        ) from None
    listed.sort(key=lambda each: (each.template, each.verb))
    shown.sort(key=lambda each: (each.template, each.verb))
    versions = versions_of(templates, len(prefix.segments))
    front = RestFront(router, shared)
    if options.versions is not None:
        front = VersionedFront(router, shared, Versions(options.versions, versions, options.prefix))
    return Compiled(front, tuple(listed), tuple(shown), versions)


def _route(
    method: Method,
    input_: Input,
    reply: JsonReply | RawReply,
    options: RestOptions,
    template: str,
) -> Route:
    unary = UnaryRoute(
        method,
        input_,
        reply,
        body_size=options.body_size,
        etag=options.etag,
        template=template,
    )
    if method.descriptor.kind is Kind.UNARY:
        return unary
    return StreamRoute(
        method,
        input_,
        reply,
        unary.respond,
        body_size=options.body_size,
        message_size=options.message_size,
        template=template,
    )
