"""What holds in a generation, as plain data: what `comparing` looks at, and nothing else.

It refers to nothing of the generation, which can end while its facts are kept.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeVar

from gateway.app.effects.messages import Shape, shapes
from gateway.app.generation import Generation
from gateway.app.hosts import hostless
from gateway.app.reach import SAID, Reach, reach_of, reach_of_pages
from gateway.app.surface.types import Types
from gateway.config.values import Key, Value, leaves, said
from gateway.schema.method import Idempotency, MethodDescriptor
from gateway.turns import at_once

_T = TypeVar("_T")

_ANSWERED = {
    Idempotency.NO_SIDE_EFFECTS: ", without side effects",
    Idempotency.IDEMPOTENT: ", idempotent",
    Idempotency.UNKNOWN: "",
}


@dataclass(frozen=True, slots=True)
class MethodFacts:
    """What holds for one method.

    Attributes:
        upstream: Where its calls go.
        form: Its kind, the types of its messages, and what its proto says of the whole.
        reach: Who may call it.
        settings: All else that its proto and the policies say, by the key of a policy.
    """

    upstream: str
    form: str
    reach: Reach
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What holds in a generation.

    Attributes:
        methods: By full name; those that clients can reach.
        routes: What `GET /v1/products/{id}` calls; with hosts, `api.example: GET /v1/…`.
        bodies: What of the request and of the reply the bodies of a route are.
        fields: The fields of the graph and their types, `Product.reviews`.
        sources: Where the fields of the graph have their values from.
        scoped: What callers must have to see a field of the graph.
        documents: The digests of trusted documents, by operation.
        messages: The fields of messages that methods take and give, by full name.
        pages: Who may see each page that is served, by the key of the config that switches it.
        protos: Digests of protos, by what they are imported as.
        values: The values of the config.
        contents: Digests of files that the config names, by key.
        written: Digests of answers that somebody wrote for a mock, by method.
    """

    methods: Mapping[str, MethodFacts] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)
    bodies: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    scoped: Mapping[str, frozenset[str]] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)
    messages: Mapping[str, Shape] = field(default_factory=dict)
    pages: Mapping[Key, Reach] = field(default_factory=dict)
    protos: Mapping[str, bytes] = field(default_factory=dict)
    values: Mapping[Key, Value] = field(default_factory=dict)
    contents: Mapping[Key, bytes] = field(default_factory=dict)
    written: Mapping[str, bytes] = field(default_factory=dict)


def taking(generation: Generation, *, messages: bool = True) -> Generator[None, None, Facts]:
    """Takes the facts of a generation, in small steps; returns them at the end.

    Args:
        generation: The generation.
        messages: Whether to look at what messages are made of.
    """
    config = generation.config
    methods = yield from _gathered(_methods(generation))
    routes = yield from _gathered(_routes(generation))
    bodies = yield from _gathered(_bodies(generation))
    fields = yield from _gathered(_fields(generation))
    sources = yield from _gathered(_sources(generation))
    scoped = yield from _gathered(_scoped(generation))
    documents = yield from _gathered(_documents(generation))
    made = yield from _gathered(_messages(generation) if messages else iter(()))
    protos = yield from _gathered(_protos(generation))
    return Facts(
        methods=methods,
        routes=routes,
        bodies=bodies,
        fields=fields,
        sources=sources,
        scoped=scoped,
        documents=documents,
        messages=made,
        pages=dict.fromkeys(_pages(generation), reach_of_pages(config)),
        protos=protos,
        values=leaves(config),
        contents=generation.contents,
        written=generation.written,
    )


def facts_of(generation: Generation) -> Facts:
    """Returns what holds in a generation."""
    return at_once(taking(generation))


def _gathered(pairs: Iterator[tuple[str, _T]]) -> Generator[None, None, dict[str, _T]]:
    """Makes a dict of pairs, and yields before each."""
    found = {}
    for name, value in pairs:
        found[name] = value
        yield
    return found


def _methods(generation: Generation) -> Iterator[tuple[str, MethodFacts]]:
    unreached = frozenset(hostless(generation.hosts, generation.upstream_of))
    for name, method in generation.methods.items():
        descriptor, settings = method.descriptor, generation.settings[name]
        if descriptor.service in unreached:
            continue
        given = {
            ".".join(leaf): said(setting.value)
            for leaf, setting in settings.leaves.items()
            if leaf not in SAID
        }
        yield (
            name,
            MethodFacts(
                generation.upstream_of[descriptor.service],
                _form(descriptor),
                reach_of(generation.config, settings),
                given,
            ),
        )


def _form(descriptor: MethodDescriptor) -> str:
    return (
        f"{descriptor.kind.value}, {descriptor.input} to {descriptor.output}"
        f"{_ANSWERED[descriptor.idempotency]}{', deprecated' if descriptor.deprecated else ''}"
    )


def _routes(generation: Generation) -> Iterator[tuple[str, str]]:
    for host, seen in _seen(generation):
        for route in seen.routes:
            yield f"{host}{route.verb} {route.template}", route.method.name
        for view in seen.views:
            yield f"{host}{view.verb} {view.template}", f"the document {view.label}"


def _bodies(generation: Generation) -> Iterator[tuple[str, str]]:
    for host, seen in _seen(generation):
        for route in seen.routes:
            rule = route.rule
            text = f"body {rule.body or 'none'}, response_body {rule.response_body or 'none'}"
            yield f"{host}{route.verb} {route.template}", text


def _pages(generation: Generation) -> Iterator[Key]:
    """Yields the keys of the pages that are served at any host."""
    rest, graphql = generation.config.rest, generation.config.graphql
    seen = [each for _, each in _seen(generation)]
    if rest is not None and any(each.fronts.rest is not None for each in seen):
        if rest.openapi is not None:
            yield "rest", "openapi"
        if rest.openapi is not None and rest.docs is not None:
            yield "rest", "docs"
    if graphql is not None and any(each.graphql is not None for each in seen):
        if graphql.graphiql:
            yield "graphql", "graphiql"
        if graphql.introspection:
            yield "graphql", "introspection"


def _seen(generation: Generation) -> Iterator[tuple[str, Generation]]:
    """Yields the generation as the clients of each host meet it, with what to call that."""
    if generation.hosts is None:
        yield "", generation
        return
    for name in generation.hosts.sites:
        yield f"{name}: ", generation.seen_at(name)


def _graphs(generation: Generation) -> Iterator[Generation]:
    """Yields those of them that have a graph, each graph once."""
    known: set[int] = set()
    for _, seen in _seen(generation):
        if seen.graphql is not None and id(seen.graphql) not in known:
            known.add(id(seen.graphql))
            yield seen


def _fields(generation: Generation) -> Iterator[tuple[str, str]]:
    for seen in _graphs(generation):
        from gateway.app.effects.graph import fields_of  # noqa: PLC0415  only who has a graph

        assert seen.graphql is not None, "it has one"
        yield from fields_of(seen.graphql.graph.schema)


def _sources(generation: Generation) -> Iterator[tuple[str, str]]:
    for seen in _graphs(generation):
        from gateway.app.effects.graph import sources_of  # noqa: PLC0415  as above

        assert seen.graphql is not None, "it has one"
        yield from sources_of(seen.graphql.graph.schema)


def _scoped(generation: Generation) -> Iterator[tuple[str, frozenset[str]]]:
    for seen in _graphs(generation):
        from gateway.app.effects.graph import scoped_of  # noqa: PLC0415  as above

        assert seen.graphql is not None, "it has one"
        yield from scoped_of(seen.graphql.graph)


def _documents(generation: Generation) -> Iterator[tuple[str, str]]:
    for seen in _graphs(generation):
        assert seen.graphql is not None, "it has one"
        for name, operation in seen.graphql.trusted.operations.items():
            yield name, operation.document.digest


def _messages(generation: Generation) -> Iterator[tuple[str, Shape]]:
    described = [each.descriptor for each in generation.methods.values()]
    names = {name for each in described for name in (each.input, each.output)}
    registry = generation.registry
    return shapes(Types(registry.pool), (registry.message(name) for name in sorted(names)))


def _protos(generation: Generation) -> Iterator[tuple[str, bytes]]:
    for name, data in generation.registry.file_bytes.items():
        yield name, blake2b(data, digest_size=16).digest()
