"""What answers GraphQL: the gateway and its peers, each started in front of the same backend.

A peer that can't be had here is left out, and says why (`peers.AbsentError`).
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from string import Template
from typing import NamedTuple

from cases import ORDERS, SERVICE
from google.api import annotations_pb2
from peers import AbsentError, Peer, commit
from processes import ROOT, python, started, until

TAILCALL = ROOT / "bench" / "tailcall"
_LIBRARIES = ("strawberry-graphql", "graphql-core", "aiohttp", "grpcio", "protobuf")


class Asked(NamedTuple):
    """Who is asked: for what takes one call, and for joins. The same one but for Tailcall."""

    alone: Peer
    joins: Peer

    def of(self, rpcs: int) -> Peer:
        """Returns the one that answers what takes so many calls."""
        return self.joins if rpcs > 1 else self.alone


def gateway(stack: ExitStack, folder: Path, backend: str) -> Asked:
    """Starts the gateway: a config of the defaults, and one line of joins."""
    config, joins = folder / "graphql.yaml", folder / "joins.graphql"
    joins.write_text('extend type OrderItem { product: Product @join(by: "product_id") }\n')
    services = [SERVICE, ORDERS.rpartition("/")[0]]
    said = {
        "listener": {"address": "127.0.0.1:0"},
        "admin": False,
        "schema": {"protos": [str(ROOT / "protos")]},
        "upstreams": {"shop": {"services": services, "endpoints": [backend]}},
        "graphql": {"joins": [str(joins)], "operations": []},
    }
    config.write_text(json.dumps(said))  # which is YAML too
    process = stack.enter_context(python("-m", "gateway", "serve", "--config", str(config)))
    version = f"{importlib.metadata.version('grpc-api-gateway')} ({commit()})"
    peer = Peer("gateway", version, f"http://{process.address}", process)
    return Asked(peer, peer)


def tailcall(stack: ExitStack, folder: Path, backend: str) -> Asked:
    """Starts Tailcall, whose program comes from npm at the version that the lock file names.

    Two of it: where batches are on, as joins need them, it also makes one call of equal calls of
    all requests that wait at the same time, and no longer does what the others do.
    """
    home = folder / "tailcall"
    home.mkdir()
    program, version = _tailcall_program(home)
    for package in (ROOT / "protos").iterdir():
        (home / package.name).symlink_to(package)
    # googleapis-common-protos carries the protos of google/api and google/type.
    (home / "google").symlink_to(Path(annotations_pb2.__file__).parents[1])
    shutil.copy(TAILCALL / "batches.proto", home)
    return Asked(
        *(
            _tailcall(stack, program, version, backend, upstream)
            for upstream in ("", "@upstream(batch: {delay: 1, maxSize: 100})")
        )
    )


def _tailcall(stack: ExitStack, program: Path, version: str, backend: str, upstream: str) -> Peer:
    """Starts one, with one worker thread, no log, and no word to its makers.

    It does not track and, its cache being new, does not look for updates.
    """
    home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    port, config = _free_port(), home / "shop.graphql"
    config.write_text(
        Template((TAILCALL / "shop.graphql").read_text()).substitute(
            PORT=port,
            BACKEND=f"http://{backend}",
            PROTO=program.parents[4] / "batches.proto",
            UPSTREAM=upstream,
        )
    )
    command = [str(program), "start", str(config)]
    quiet = {"TC_TRACKER": "false", "TC_LOG_LEVEL": "error", "XDG_CACHE_HOME": str(home)}
    process = stack.enter_context(started(command, None, **quiet))
    until(lambda: _answers(f"http://127.0.0.1:{port}/status"), 20, "Tailcall's start")
    return Peer("tailcall", f"Tailcall {version}", f"http://127.0.0.1:{port}", process)


def strawberry(stack: ExitStack, _folder: Path, backend: str) -> Asked:
    """Starts what one would write by hand."""
    process = stack.enter_context(python("bench/strawberry_shop.py", backend))
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES)
    peer = Peer("strawberry", versions, f"http://{process.address}", process)
    return Asked(peer, peer)


PEERS: dict[str, Callable[[ExitStack, Path, str], Asked]] = {
    "gateway": gateway,
    "tailcall": tailcall,
    "strawberry": strawberry,
}


def _tailcall_program(home: Path) -> tuple[Path, str]:
    if shutil.which("npm") is None:
        raise AbsentError("there is no `npm` to get it")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(TAILCALL / name, home)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(
            command, cwd=home, check=True, capture_output=True, text=True, timeout=120
        )  # npm refuses what is not made for this machine
    except subprocess.CalledProcessError as failure:
        raise AbsentError(f"npm could not get it: {failure.stderr.strip()[-300:]}") from None
    except subprocess.TimeoutExpired as failure:
        raise AbsentError(f"npm could not get it: {failure}") from None
    package = home / "node_modules" / "@tailcallhq" / "core-linux-x64-gnu"
    version = json.loads((package / "package.json").read_text())["version"].removeprefix("v")
    program = package / "bin" / "tailcall"
    if not os.access(program, os.X_OK):
        raise AbsentError("its package has no program that can be run")
    return program, version


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False
