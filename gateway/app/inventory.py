"""Every REST route, root field of the graph and WebSocket of a generation, and what it calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Any, Final, NamedTuple

from gateway.app.generation import Generation
from gateway.app.views import UnknownHostError, views
from gateway.config import Config
from gateway.fronts.websocket.plain.compile import ListedSocket
from gateway.operations import NOT_THERE, Content, OperationError
from gateway.operations.arguments import AFTER, LIMIT, only, part
from gateway.routing.rules import implied_rule
from gateway.schema.method import MethodDescriptor

VIEW: Final = "view"
MULTIPLEXED: Final = "multiplexed"

_PYTHON: Final = "Python"
_SOCKET: Final = "WebSocket"

_HOST: Final = "host"
_USUAL: Final = 1000  # rows of an answer
_MOST: Final = 10_000


class Where(Enum):
    """What a row is reached by."""

    REST = auto()
    GRAPHQL = auto()
    WEBSOCKET = auto()


class Row(NamedTuple):
    """One route, root field of the graph or path of a WebSocket, in the words of the table.

    Attributes:
        verb: The HTTP method; `Query`, `Mutation` or `Subscription` of a field.
        path: The path template, or the field.
        rpc: The RPC; of a view, the operation that it runs, whose RPCs are of many upstreams.
        upstream: What takes the calls; None where they are of many, or of none.
        where: What it is reached by.
        hosts: At which hosts, by their names in the config; empty where it has none.
    """

    verb: str
    path: str
    rpc: str
    kind: str
    upstream: str | None
    where: Where = Where.REST
    hosts: tuple[str, ...] = ()


def listed(generation: Generation, arguments: Mapping[str, str]) -> Content:
    """Does the operation `routes`.

    Args:
        generation: What serves.
        arguments: `host`, for that one alone; `limit` and `after`.

    Returns:
        `count`, `rows` in the form of `as_json`, and `after`, where there are more.

    Raises:
        OperationError: There is no such host, or an argument is none.
    """
    only(arguments, _HOST, LIMIT, AFTER)
    try:
        rows = rows_of(generation, arguments.get(_HOST))
    except UnknownHostError as unknown:
        raise OperationError(NOT_THERE, f"host: {unknown}.") from unknown
    return part([as_json(row) for row in rows], arguments, _USUAL, _MOST)


def rows_of(generation: Generation, host: str | None = None) -> list[Row]:
    """Returns what is served, with the hosts that serve it.

    Args:
        generation: It.
        host: Of which host alone: a name of the config, or one that it stands for.

    Raises:
        UnknownHostError: There is no such host.
    """
    return [
        row._replace(hosts=view.hosts)
        for view in views(generation, host)
        for row in _served(view.generation)
    ]


def _served(generation: Generation) -> Iterator[Row]:
    for listed in generation.routes:
        method = listed.method
        upstream = generation.upstream_of[method.service]
        yield Row(listed.verb, listed.template, method.name, method.kind.value, upstream)
    for view in generation.views:
        yield Row(view.verb, view.template, view.label, VIEW, None)
    for root in generation.graphql.graph.roots if generation.graphql else ():
        method = root.method
        upstream = generation.upstream_of[method.service]
        yield Row(
            root.root, root.name, method.name, method.kind.value, upstream, where=Where.GRAPHQL
        )
    yield from _in_python(generation)
    yield from _sockets(generation)


def _in_python(generation: Generation) -> Iterator[Row]:
    """Yields the root fields that extensions resolve: they call no one RPC."""
    if generation.graphql is None:
        return
    # Only who serves a graph pays for its import.
    from gateway.fronts.graphql.graph.sources import source_of  # noqa: PLC0415  see above

    schema = generation.graphql.graph.schema
    for root in (schema.query_type, schema.mutation_type, schema.subscription_type):
        for name, field in sorted(root.fields.items() if root else ()):
            if source_of(field) is None:
                yield Row(root.name if root else "", name, "-", _PYTHON, "-", where=Where.GRAPHQL)


def _sockets(generation: Generation) -> Iterator[Row]:
    """Yields the paths that answer an upgrade.

    Each method also has `/package.Service/Method`, which is told only where it is the only one.
    """
    config, parts = generation.config.websocket, generation.websocket
    if config is None or parts is None:
        return
    elsewhere = {each.method.name for each in parts.routes if not _implied(each)}
    for each in parts.routes:
        method = each.method
        if not (_implied(each) and method.name in elsewhere):
            upstream = generation.upstream_of[method.service]
            yield Row(
                _SOCKET, each.template, method.name, method.kind.value, upstream, Where.WEBSOCKET
            )
    every = f"each of {len(generation.fronts.methods)} methods"
    yield Row(_SOCKET, config.path, every, MULTIPLEXED, None, Where.WEBSOCKET)


def _implied(listed: ListedSocket) -> bool:
    return listed.template == f"/{listed.method.name}"


def unserved(generation: Generation) -> Iterator[Row]:
    """Yields the routes that methods would have which no upstream takes."""
    for method in generation.unserved:
        for verb, path in _paths(method, generation.config):
            yield Row(verb, path, method.name, method.kind.value, None)


def _paths(method: MethodDescriptor, config: Config) -> Iterator[tuple[str, str]]:
    """Yields the routes that a method would have; its templates have not been judged."""
    rest = config.rest
    rules = method.rules
    if not rules and rest is not None and rest.unannotated:
        rules = (implied_rule(method),)
    prefix = rest.prefix if rest is not None else ""
    if not rules:
        yield "-", "-"
    for rule in rules:
        yield rule.verb, prefix + rule.template


def as_json(row: Row) -> dict[str, Any]:
    """Returns a row as `gateway routes --json` and the admin listener tell it."""
    where: dict[Where, dict[str, str]] = {
        Where.REST: {"http_method": row.verb, "path": row.path},
        Where.GRAPHQL: {"graphql": f"{row.verb}.{row.path}"},
        Where.WEBSOCKET: {"websocket": row.path},
    }
    return {
        **({"hosts": list(row.hosts)} if row.hosts else {}),
        **where[row.where],
        "rpc": row.rpc,
        "kind": row.kind,
        "upstream": row.upstream,
    }
