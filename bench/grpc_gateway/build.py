"""Builds grpc-gateway for the shop's catalog: its plugins, the generated code, the program.

Modules come from the Go module proxy, at the versions that `go.mod` names; what Go keeps of them it
keeps in its own caches. All else stands in the folder that is given.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
VERSION = "v2.29.0"
PLUGINS = {
    "github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-grpc-gateway": VERSION,
    "google.golang.org/protobuf/cmd/protoc-gen-go": "v1.36.11",
    "google.golang.org/grpc/cmd/protoc-gen-go-grpc": "v1.6.0",
}
PROTOS = [
    *(f"shop/catalog/v1/{name}.proto" for name in ("catalog", "catalog_service", "search")),
    "gateway/v1/options.proto",
]
PACKAGE = "bench/catalog"
SECONDS = 180  # for each of its steps


def build(folder: Path) -> Path:
    """Builds the program and returns where it is.

    Raises:
        subprocess.CalledProcessError: A step failed; its `stderr` says why.
        subprocess.TimeoutExpired: A step took too long.
        OSError: There is no `go`.
    """
    bin_ = folder / "bin"
    for plugin, version in PLUGINS.items():
        _run(["go", "install", f"{plugin}@{version}"], folder, GOBIN=str(bin_))
    mapped = ",".join(f"M{proto}={PACKAGE}" for proto in PROTOS)
    outs = [
        option
        for name in ("go", "go-grpc", "grpc-gateway")
        for option in (
            f"--plugin=protoc-gen-{name}={bin_ / f'protoc-gen-{name}'}",
            f"--{name}_out={folder}",
            f"--{name}_opt=module=bench,{mapped}",
        )
    ]
    protoc = [sys.executable, "-m", "grpc_tools.protoc"]
    # googleapis-common-protos carries the protos of google/api and google/type.
    includes = [ROOT / "protos", Path(annotations_pb2.__file__).parents[2]]
    whole = folder / "whole.binpb"
    _run(
        [
            *protoc,
            *(f"--proto_path={each}" for each in includes),
            "--include_imports",
            f"--descriptor_set_out={whole}",
            *PROTOS,
        ],
        folder,
    )
    _run([*protoc, f"--descriptor_set_in={_servable(whole)}", *outs, *PROTOS], folder)
    for name in ("main.go", "go.mod"):
        (folder / name).write_text((HERE / name).read_text())
    _run(["go", "mod", "tidy"], folder)
    _run(["go", "build", "-o", "grpc-gateway", "."], folder)
    return folder / "grpc-gateway"


def _servable(descriptors: Path) -> Path:
    """Removes rules of streams of requests: grpc-gateway has no path parameters for these."""
    found = FileDescriptorSet.FromString(descriptors.read_bytes())
    for file in found.file:
        for service in file.service:
            for method in service.method:
                if method.client_streaming:
                    method.options.ClearExtension(annotations_pb2.http)
    left = descriptors.with_name("servable.binpb")
    left.write_bytes(found.SerializeToString())
    return left


def _run(command: list[str], folder: Path, **environ: str) -> None:
    subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environ},
        check=True,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
