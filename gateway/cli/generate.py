"""`gateway generate`: files made from the protos, for other programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from gateway.cli import options
from gateway.cli.building import examined, schema_of
from gateway.cli.configuration import reader
from gateway.cli.failure import Exit, Failure
from gateway.cli.stubs import write_descriptors, write_stubs
from gateway.config import Loaded, from_mapping
from gateway.fronts.graphql.graph.sdl import sdl

app = typer.Typer(no_args_is_help=True, add_completion=False)

Out: TypeAlias = Annotated[
    Path,
    typer.Option(
        metavar="DIR", help="The folder to write to; made if it is not there.", show_default=False
    ),
]
Protos: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="A folder of protos, to be used without a config."),
]


@app.callback()
def generate() -> None:
    """Write descriptors, Python stubs, or the graph, of all that the config loads."""


@app.command()
def descriptors(
    out: Out, protos: Protos = None, config: options.Config = None, set_: options.Set = None
) -> None:
    """Write descriptors.binpb: every file as one FileDescriptorSet, with comments.

    buf and protoc (--descriptor_set_in) take it, and so does `schema.descriptor_sets`: a gateway
    with it needs neither protos nor a compiler.
    """
    schema = asyncio.run(schema_of(_source(protos, config, set_)))
    try:
        out.mkdir(parents=True, exist_ok=True)
        path = out / "descriptors.binpb"
        count = write_descriptors(schema.registry, path)
    except OSError as error:
        raise _unwritable(error) from error
    typer.echo(f"wrote {path}: {count} files")


@app.command()
def python(
    out: Out, protos: Protos = None, config: options.Config = None, set_: options.Set = None
) -> None:
    """Write Python stubs as grpcio-tools makes them: _pb2.py, _pb2.pyi and _pb2_grpc.py.

    They are imported by their protos' paths with the folder on the path: for
    shop/catalog/v1/catalog.proto, `from shop.catalog.v1 import catalog_pb2`. There are no
    __init__.py: packages are namespaces, as protoc leaves them, so that several folders can share
    one. google/protobuf, google/api and their like come with protobuf and googleapis-common-protos
    and are not written.
    """
    schema = asyncio.run(schema_of(_source(protos, config, set_)))
    try:
        out.mkdir(parents=True, exist_ok=True)
        count = asyncio.run(write_stubs(schema.registry, out))
    except OSError as error:
        raise _unwritable(error) from error
    typer.echo(f"wrote stubs of {count} file{'' if count == 1 else 's'} to {out}")


@app.command()
def graphql(
    out: Out, protos: Protos = None, config: options.Config = None, set_: options.Set = None
) -> None:
    """Write schema.graphql: the graph in GraphQL's schema language, sorted by name.

    It is what clients' tools generate code from, and what `gateway check --schema-diff` compares.
    Of a folder of protos without a config, it is the graph of all its services.
    """
    served = {"all": {"services": ["*"], "endpoints": ["127.0.0.1:1"]}}  # nothing is called
    generation = asyncio.run(examined(_source(protos, config, set_, upstreams=served)))
    if generation.graphql is None:
        raise Failure("graphql is off in the config: there is no graph to write")
    path = out / "schema.graphql"
    try:
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(sdl(generation.graphql.graph), "utf-8")
    except OSError as error:
        raise _unwritable(error) from error
    count = len(generation.graphql.graph.roots)
    typer.echo(f"wrote {path}: {count} root field{'' if count == 1 else 's'}")


def _source(
    protos: Path | None,
    config: Path | None,
    settings: list[str] | None,
    *,
    upstreams: Mapping[str, object] | None = None,
) -> Callable[[], Loaded]:
    if protos is None:
        return reader(config, settings)
    if config is not None:
        raise typer.BadParameter("give one of --protos and --config")
    data = {"schema": {"protos": [str(protos)]}, "upstreams": upstreams or {}}
    return partial(from_mapping, data, origin="--protos", overrides=settings or ())


def _unwritable(error: OSError) -> Failure:
    return Failure(f"{error.filename} can't be written: {error.strerror}", code=Exit.FAILED)
