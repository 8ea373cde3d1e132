"""`gateway init`: a gateway.yaml to begin with, which runs as it is."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.building import schema_of
from gateway.cli.configuration import FILE, advised
from gateway.cli.failure import Exit, Failure
from gateway.config import from_mapping

app = typer.Typer(add_completion=False)

_ADDRESS = "127.0.0.1:50051"
_PLAIN = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./-]*")
_FEW = 3  # services that stand on one line


@app.command()
def init(
    *,
    reflect: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Ask the gRPC server there for its services."),
    ] = None,
    protos: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Take the services of this folder's protos.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write gateway.yaml, commented and ready for `gateway serve`.

    Without options it takes the folder `protos`, if it is here; otherwise it is written for a gRPC
    server with reflection at 127.0.0.1:50051.
    """
    if reflect is not None and protos is not None:
        raise typer.BadParameter("give one of --reflect and --protos")
    if FILE.exists() and not force:
        raise Failure(f"{FILE} is there already; --force replaces it", code=Exit.FAILED)
    if reflect is None and protos is None and Path("protos").is_dir():
        protos = Path("protos")
    asked = reflect is not None or protos is not None
    services = _services(reflect, protos) if asked else ("*",)
    try:
        FILE.write_text(text(protos, services, reflect or _ADDRESS))
    except OSError as error:
        raise Failure(f"{FILE} can't be written: {error.strerror}", code=Exit.FAILED) from error
    typer.echo(f"wrote {FILE}; look at its endpoints, then run `gateway serve`")


def _services(reflect: str | None, protos: Path | None) -> tuple[str, ...]:
    """Returns the services that a backend or a folder of protos has."""
    data: Mapping[str, object]
    if reflect is not None:
        origin = "--reflect"
        upstream = {"services": ["*"], "endpoints": [reflect]}
        data = {
            "schema": {"protos": [], "reflection": ["backend"]},
            "upstreams": {"backend": upstream},
        }
    else:
        origin = "--protos"
        data = {"schema": {"protos": [str(protos)]}}
    with advised():
        schema = asyncio.run(schema_of(lambda: from_mapping(data, origin=origin)))
    if not schema.methods:
        raise Failure(f"{reflect or protos} has no services")
    return tuple(schema.methods)


def text(protos: Path | None, services: Sequence[str], address: str) -> str:
    """Returns the file.

    Args:
        protos: The folder of protos, or None to ask the backend by reflection.
        services: Names or globs of the backend's services.
        address: Where the backend is.
    """
    if protos is not None:
        schema = [f"  protos: [{_scalar(str(protos))}]  # folders of .proto files"]
    else:
        schema = [
            "  protos: []",
            "  reflection: [backend]  # upstreams to ask for their protos; or list folders above",
        ]
    named = [_scalar(service) for service in services]
    if len(named) <= _FEW:
        listed = [f"    services: [{', '.join(named)}]"]
    else:
        listed = ["    services:", *(f"      - {name}" for name in named)]
    listed[0] += "  # by name or glob; one upstream a service"
    return "\n".join(
        [
            "# A gateway in front of one gRPC backend. `gateway serve` runs it, `gateway check`",
            "# finds mistakes, `gateway config schema` is for editors.",
            "listener:",
            "  address: 127.0.0.1:8080",
            "schema:",
            *schema,
            "upstreams:",
            "  backend:",
            *listed,
            f"    endpoints: [{_scalar(address)}]  # your gRPC server; several share the calls",
            "",
        ]
    )


def _scalar(value: str) -> str:
    """Returns a text as YAML, quoted where it could be taken for something else."""
    if _PLAIN.fullmatch(value) or re.fullmatch(r"[A-Za-z0-9.-]+:[0-9]+", value):
        return value
    return json.dumps(value)
