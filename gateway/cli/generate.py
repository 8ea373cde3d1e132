"""`gateway generate`: files made from the protos, for other programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from gateway.cli import options
from gateway.cli.building import schema_of
from gateway.cli.configuration import reader
from gateway.cli.failure import Exit, Failure
from gateway.cli.stubs import write_descriptors, write_stubs
from gateway.config import Loaded, from_mapping

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
    """Write descriptors, or Python stubs, of all that the config loads."""


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


def _source(
    protos: Path | None, config: Path | None, settings: list[str] | None
) -> Callable[[], Loaded]:
    if protos is None:
        return reader(config, settings)
    if config is not None:
        raise typer.BadParameter("give one of --protos and --config")
    data = {"schema": {"protos": [str(protos)]}}
    return partial(from_mapping, data, origin="--protos", overrides=settings or ())


def _unwritable(error: OSError) -> Failure:
    return Failure(f"{error.filename} can't be written: {error.strerror}", code=Exit.FAILED)
