"""`gateway generate`: files made from the protos, for other programs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from gateway.app.surface import stored
from gateway.app.surface.reading import surface_of
from gateway.app.typescript import api_of
from gateway.cli import options
from gateway.cli.building import examined, schema_of
from gateway.cli.configuration import reader
from gateway.cli.failure import Exit, Failure
from gateway.cli.generated_files import NotMadeError, differences, write
from gateway.cli.hosts import with_one_graph, with_one_view
from gateway.cli.stubs import write_descriptors, write_stubs
from gateway.config import Loaded, from_mapping
from gateway.fronts.graphql.graph.sdl import sdl
from gateway.typescript import HEADER, PLACES, files

app = typer.Typer(no_args_is_help=True, add_completion=False)

# Of protos without a config, all services are served; nothing is called.
_SERVED = {"all": {"services": ["*"], "endpoints": ["127.0.0.1:1"]}}

Out: TypeAlias = Annotated[
    Path,
    typer.Option(
        metavar="DIR", help="The folder to write to; made if it is not there.", show_default=False
    ),
]
Check: TypeAlias = Annotated[
    bool,
    typer.Option("--check", help="Write nothing; fail where what is there is not current."),
]
Protos: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="A folder of protos, to be used without a config."),
]


@app.callback()
def generate() -> None:
    """Write descriptors, stubs, clients, or the graph, of all that the config loads."""


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
    out: Out,
    protos: Protos = None,
    config: options.Config = None,
    set_: options.Set = None,
    host: options.Host = None,
    *,
    check: Check = False,
) -> None:
    """Write schema.graphql: the graph in GraphQL's schema language, sorted by name.

    It is what clients' tools generate code from, and what `gateway check --schema-diff` compares.
    Of a folder of protos without a config, it is the graph of all its services.
    """
    generation = asyncio.run(examined(_source(protos, config, set_, upstreams=_SERVED)))
    generation = with_one_graph(generation, host)
    if generation.graphql is None:
        raise Failure("graphql is off in the config: there is no graph to write")
    graph = generation.graphql.graph
    count = len(graph.roots)
    _one(out / "schema.graphql", sdl(graph), f"{count} root field{_s(count)}", check=check)


@app.command()
def openapi(
    out: Out,
    protos: Protos = None,
    config: options.Config = None,
    set_: options.Set = None,
    host: options.Host = None,
    *,
    check: Check = False,
) -> None:
    """Write openapi.json: the routes of REST as OpenAPI 3.1, as the gateway serves it.

    Of a folder of protos without a config, it is the document of all its services.
    """
    generation = asyncio.run(examined(_source(protos, config, set_, upstreams=_SERVED)))
    described = with_one_view(generation, host).fronts.described
    if described is None:
        raise Failure("rest is off in the config: there is nothing to describe")
    document = described.document()
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    paths = document["paths"]
    count = len(paths) if isinstance(paths, dict) else 0
    _one(out / "openapi.json", text, f"{count} path{_s(count)}", check=check)


@app.command()
def typescript(
    out: Out,
    protos: Protos = None,
    config: options.Config = None,
    set_: options.Set = None,
    host: options.Host = None,
    *,
    check: Check = False,
) -> None:
    """Write types of all messages, and clients for REST, trusted documents and WebSocket.

    They are ES modules without dependencies, for browsers and Node. What a front does not serve is
    left out; of a folder of protos without a config, all of its services are served.
    """
    generation = asyncio.run(examined(_source(protos, config, set_, upstreams=_SERVED)))
    made = files(api_of(with_one_view(generation, host)))
    _settle(out, made, HEADER, PLACES, check=check)
    typer.echo(f"{out} is current" if check else f"wrote {len(made)} files to {out}")


@app.command()
def api(
    out: Out,
    protos: Protos = None,
    config: options.Config = None,
    set_: options.Set = None,
    *,
    check: Check = False,
) -> None:
    """Write api.json: what clients meet, for `gateway check --against` to compare with later.

    Routes, messages, the graph, sockets, who may call what and how much: all that clients rely on,
    and nothing of backends. Kept beside the config, it shows in a review what a change does.
    """
    generation = asyncio.run(examined(_source(protos, config, set_, upstreams=_SERVED)))
    count = len(generation.methods)
    text = stored.written(surface_of(generation))
    _one(out / stored.FILE, text, f"{count} method{_s(count)}", check=check)


def _one(path: Path, text: str, count: str, *, check: bool) -> None:
    """Writes the one file of a command, whoever wrote what is there; or says that it is current."""
    _settle(path.parent, {path.name: text}, "", (), check=check)
    typer.echo(f"{path} is current" if check else f"wrote {path}: {count}")


def _settle(
    out: Path, made: Mapping[str, str], header: str, places: Sequence[str], *, check: bool
) -> None:
    """Writes what was made; or says what of it is not there.

    Args:
        out: The folder.
        made: The text of each file by its path below the folder.
        header: What each of them begins with.
        places: Where such files can be, as globs.
        check: Write nothing.

    Raises:
        Failure: Something is in the way, or not current.
    """
    try:
        if not check:
            write(out, made, header, places)
        elif stale := differences(out, made, header, places):
            raise Failure(*stale, code=Exit.FAILED)
    except NotMadeError as error:
        told = [
            f"{path} is no file of this command's: it is not written over" for path in error.paths
        ]
        raise Failure(*told, "Give a folder of its own", code=Exit.FAILED) from error
    except OSError as error:
        raise _unwritable(error) from error


def _s(count: int) -> str:
    return "" if count == 1 else "s"


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
    data = {
        "schema": {"protos": [str(protos)]},
        # Those that lie here, where a config would find them, are of other protos.
        "graphql": {"joins": [], "operations": []},
        "upstreams": upstreams or {},
    }
    return partial(from_mapping, data, origin="--protos", overrides=settings or ())


def _unwritable(error: OSError) -> Failure:
    return Failure(f"{error.filename} can't be written: {error.strerror}", code=Exit.FAILED)
