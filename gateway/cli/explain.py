"""`gateway explain`: all that holds for one RPC, and the line that set each; or a document."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from gateway.app.explained.method import sections
from gateway.cli import options
from gateway.cli.building import examined
from gateway.cli.configuration import reader
from gateway.cli.documents import explain_document
from gateway.cli.facts import print_facts
from gateway.cli.hosts import views, with_one_graph
from gateway.cli.names import resolve

app = typer.Typer(add_completion=False)


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
    host: options.Host = None,
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
        graph = with_one_graph(generation, host)
        for line in explain_document(graph, document, operation, variables):
            typer.echo(line)
        return
    assert method is not None, "one of the two is given"
    known = {name: each.descriptor for name, each in generation.methods.items()}
    known |= {each.name: each for each in generation.unserved}
    descriptor = known[resolve(method, known)]
    print_facts(*sections(generation, descriptor, views(generation, host)))
