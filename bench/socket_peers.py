"""The servers whose WebSockets are measured, each started in front of the same backend."""

from __future__ import annotations

import importlib.metadata
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peers import commit
from processes import ROOT, Process, python

# What a client may do a second is a limit of the config; here it is none.
_CONFIG = """
listener:
  address: 127.0.0.1:0
  limits: {{connections: 1000000, connections_per_address: 1000000}}
admin: false
schema: {{protos: [{root}/protos, {root}/bench/protos]}}
upstreams:
  bench: {{services: [bench.*, shop.catalog.*], endpoints: ["{backend}"]}}
websocket: {{ping: {ping}s, resume: {resume}s, limits: {{opens: 1000000/s, messages: 10000000/s}}}}
"""
_OPEN = 200  # files that a process has open beside its sockets


@contextmanager
def gateway(folder: Path, backend: str, *, ping: float = 25, resume: int = 0) -> Iterator[Process]:
    """Runs the gateway until the block ends."""
    config = folder / "websocket.yaml"
    config.write_text(_CONFIG.format(root=ROOT, backend=backend, ping=ping, resume=resume))
    with python("-m", "gateway", "serve", "--config", str(config)) as process:
        yield process


@contextmanager
def obvious(backend: str) -> Iterator[Process]:
    """Runs what one would write by hand, until the block ends."""
    with python("bench/obvious_sockets.py", backend) as process:
        yield process


def versions() -> list[str]:
    """Says what the servers are exactly."""
    named = ("aiohttp", "grpcio", "protobuf")
    libraries = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in named)
    own = importlib.metadata.version("grpc-api-gateway")
    return [f"gateway: {own} ({commit()})", f"obvious: {libraries}"]


def allow_files(sockets: int) -> None:
    """Lets this process, and those that it starts, open so many sockets.

    Raises:
        SystemExit: The system does not.
    """
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = sockets + _OPEN
    if most != resource.RLIM_INFINITY and wanted > most:
        raise SystemExit(f"{wanted} open files are needed, {most} allowed")
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
