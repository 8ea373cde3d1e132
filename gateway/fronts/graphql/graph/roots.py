"""Root fields: which method is a field of which root, and under which name.

A method without side effects is a query, a server stream a subscription, any other unary method a
mutation. Streams of requests have no place in GraphQL; they are left out, and the operator is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from google.protobuf.descriptor import MethodDescriptor as PoolMethod

from gateway.fronts.graphql.graph.annotations import method_options
from gateway.fronts.graphql.graph.findings import Findings, near
from gateway.fronts.graphql.graph.naming import camel, is_name, method_choices, settle
from gateway.fronts.graphql.graph.options import GraphOptions, MethodOptions
from gateway.fronts.graphql.graph.shapes import NAME_HINT
from gateway.schema.globs import chosen, idle
from gateway.schema.method import Idempotency, Kind, MethodDescriptor
from gateway.schema.problem import Problem
from gateway.schema.registry import Registry


class Root(Enum):
    """The root types."""

    QUERY = "Query"
    MUTATION = "Mutation"
    SUBSCRIPTION = "Subscription"


@dataclass(frozen=True, slots=True)
class RootMethod:
    """A method of the graph.

    Attributes:
        method: What the proto says.
        pool: Its descriptor in the registry's pool.
        root: Where it is a field.
        options: What protos and configuration say.
    """

    method: MethodDescriptor
    pool: PoolMethod
    root: Root
    options: MethodOptions


class RootField(NamedTuple):
    """A root field, for people (`gateway routes`).

    Attributes:
        root: Query, Mutation or Subscription.
        name: The field, below its service's where `naming` is `by_service`: `catalog.getProduct`.
        method: The RPC that it calls.
    """

    root: str
    name: str
    method: MethodDescriptor


def options_of(method: PoolMethod, options: GraphOptions) -> MethodOptions:
    """Returns what the configuration and the proto say of a method."""
    name = f"{method.containing_service.full_name}/{method.name}"
    said = method_options(method)
    configured = options.methods.get(name)
    return said if configured is None else configured.over(said)


def is_free_of_effects(method: MethodDescriptor, options: MethodOptions) -> bool:
    """Whether calling a method changes nothing: by option, by its HTTP rules, by idempotency."""
    if options.kind is not None:
        return options.kind == "query"
    return method.idempotency is Idempotency.NO_SIDE_EFFECTS or any(
        rule.verb == "GET" for rule in method.rules
    )


def misnamed(methods: Iterable[MethodDescriptor], options: GraphOptions) -> Iterator[Problem]:
    """Yields what the configuration says of services and methods that there are none of.

    Args:
        methods: All that are served, not only those of a partial graph.
        options: What it says.
    """
    given = sorted(methods, key=lambda each: each.name)
    services = list(dict.fromkeys(method.service for method in given))
    for pattern, hint in idle(services, options.services):
        message = f"no service matches {pattern}"
        yield Problem("graphql.services", message=message, hint=hint)
    known = [method.name for method in given]
    for name in options.methods:
        if name not in known:
            message = "there is no such method with an upstream"
            yield Problem(f"graphql.methods.{name}", message=message, hint=near(name, known))


def root_methods(
    methods: Iterable[MethodDescriptor],
    registry: Registry,
    options: GraphOptions,
    findings: Findings,
) -> list[RootMethod]:
    """Returns the methods of the graph, hidden ones too, in the order of their names."""
    given = sorted(methods, key=lambda each: each.name)
    if not options.partial:
        for problem in misnamed(given, options):
            findings.refuse(problem.where, problem.message, problem.hint)
    wanted = set(chosen({method.service for method in given}, options.services))
    found = []
    for method in given:
        if method.service not in wanted:
            continue
        if method.kind.client_streams:
            findings.streaming.append(method.name)
            continue
        pool = registry.pool.FindServiceByName(method.service).methods_by_name[
            method.name.partition("/")[2]
        ]
        said = options_of(pool, options)
        found.append(RootMethod(method, pool, _root(method, said, findings), said))
    return found


def _root(method: MethodDescriptor, options: MethodOptions, findings: Findings) -> Root:
    if method.kind is Kind.SERVER_STREAMING:
        if options.kind is not None:
            findings.refuse(
                method.source,
                f"{method.name} can't be a {options.kind}: its answers are a stream",
                "leave its kind out: it is a subscription",
            )
        return Root.SUBSCRIPTION
    return Root.QUERY if is_free_of_effects(method, options) else Root.MUTATION


def field_names(
    methods: Iterable[RootMethod], findings: Findings, *, flat: bool
) -> dict[tuple[str, str], RootMethod]:
    """Names the fields of one root, or of one service's group in it.

    Args:
        methods: Those that have a field there.
        findings: Told of clashes and of wrong names.
        flat: Whether methods of several services stand side by side.

    Returns:
        The methods by (name of the field, full name of the method): a method's own name first,
        then its aliases.
    """
    by_name = {each.method.name: each for each in methods}
    choices: dict[tuple[str, str], Sequence[str]] = {}
    for full_name, each in by_name.items():
        choices[full_name, ""] = _choices(each, findings, flat=flat)
        for alias in each.options.aliases:
            if is_name(alias):
                choices[full_name, alias] = (alias,)
            else:
                findings.refuse(
                    each.method.source, f"{full_name} can't be named {alias!r}", NAME_HINT
                )
    settled = settle(choices)
    for clash in settled.clashes:
        findings.clash(
            by_name[clash.keys[0][0]].method.source,
            clash.name,
            [key[0] for key in clash.keys],
            [settled.names[key] for key in clash.keys],
            taken=clash.taken,
        )
    for clash in settled.unsettled:
        sources = sorted({key[0] for key in clash.keys})
        findings.refuse(
            by_name[sources[0]].method.source,
            f"{clash.name} is the name of {' and '.join(sources)}",
            "give one of them another name by option",
        )
    return {(name, key[0]): by_name[key[0]] for key, name in settled.names.items()}


def _choices(each: RootMethod, findings: Findings, *, flat: bool) -> Sequence[str]:
    name, service = each.options.name, each.pool.containing_service
    usual = method_choices(service.full_name, service.file.package, each.pool.name)
    if name is None:
        return usual if flat else (camel(each.pool.name), f"{camel(each.pool.name)}_", usual[-1])
    if is_name(name):
        return (name,)
    findings.refuse(each.method.source, f"{each.method.name} can't be named {name!r}", NAME_HINT)
    return usual
