"""`gateway routes`: every REST route, GraphQL field and WebSocket, and what it calls."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import Annotated, NamedTuple

import typer

from gateway.app import Generation
from gateway.cli import options
from gateway.cli.building import examined
from gateway.cli.configuration import reader
from gateway.config import Config
from gateway.fronts.websocket.plain.compile import ListedSocket
from gateway.routing.rules import implied_rule
from gateway.schema.method import MethodDescriptor

app = typer.Typer(add_completion=False)

_NOT_SERVED = "(not served)"
_PYTHON = "Python"
_VIEW = "view"
_SOCKET = "WebSocket"
_MULTIPLEXED = "multiplexed"


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
    """

    verb: str
    path: str
    rpc: str
    kind: str
    upstream: str | None
    where: Where = Where.REST


@app.command()
def routes(
    *,
    config: options.Config = None,
    set_: options.Set = None,
    every: Annotated[
        bool,
        typer.Option("--all", help="Also list services that no upstream takes."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List every REST route, root field of the graph and WebSocket, and the RPC that it calls.

    Backends need not run, but for those that `schema.reflection` names.
    """
    generation = asyncio.run(examined(reader(config, set_)))
    rows = [*_served(generation), *(_unserved(generation) if every else ())]
    if as_json:
        typer.echo(json.dumps([_as_json(row) for row in rows], indent=2))
    elif not rows:
        typer.echo("nothing is served: the config has no front on, or no method", err=True)
    else:
        _print_table(rows)


def _served(generation: Generation) -> Iterator[Row]:
    for listed in generation.routes:
        method = listed.method
        upstream = generation.upstream_of[method.service]
        yield Row(listed.verb, listed.template, method.name, method.kind.value, upstream)
    for view in generation.views:
        yield Row(view.verb, view.template, view.label, _VIEW, None)
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
    every = f"each of {len(generation.methods)} methods"
    yield Row(_SOCKET, config.path, every, _MULTIPLEXED, None, Where.WEBSOCKET)


def _implied(listed: ListedSocket) -> bool:
    return listed.template == f"/{listed.method.name}"


def _unserved(generation: Generation) -> Iterator[Row]:
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


def _as_json(row: Row) -> dict[str, str | None]:
    where = {
        Where.REST: {"http_method": row.verb, "path": row.path},
        Where.GRAPHQL: {"graphql": f"{row.verb}.{row.path}"},
        Where.WEBSOCKET: {"websocket": row.path},
    }
    return {
        **where[row.where],
        "rpc": row.rpc,
        "kind": row.kind,
        "upstream": row.upstream,
    }


def _absent(row: Row) -> str:
    return "-" if row.kind in {_VIEW, _MULTIPLEXED} else _NOT_SERVED


def _print_table(rows: Sequence[Row]) -> None:
    head = ("REACHED BY", "PATH, FIELD", "RPC", "KIND", "UPSTREAM")
    texts = [(*row[:4], row.upstream or _absent(row)) for row in rows]
    if sys.stdout.isatty():
        # Only terminals need it, and only then is its import worth its time.
        from rich.console import Console  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in head:
            table.add_column(title, overflow="fold")
        for text in texts:
            table.add_row(*text)
        Console(markup=False, emoji=False, highlight=False).print(table)
        return
    widths = [max(map(len, column)) for column in zip(head, *texts, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *texts)
    )
    typer.echo("\n".join(lines))
