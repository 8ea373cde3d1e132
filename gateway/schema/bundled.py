"""The protos that come installed: well-known types, googleapis' common ones, options of others.

`google/protobuf` belongs to protobuf, `google/api`, `google/rpc`, `google/type` and their like to
googleapis-common-protos, `gateway/v1` to the gateway. `buf/validate` is protovalidate's, of which a
copy lies in `third_party`. Users import them without having them. Only these files are offered, not
whatever else lies in the same installation.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from functools import cache
from importlib.metadata import version
from pathlib import Path

import grpc_tools  # type: ignore[import-untyped]  # ships no types
from google.api import http_pb2

from gateway.schema.file import SchemaFile, Source

# googleapis-common-protos renames this one file; the world imports it under its first name.
_RENAMED = {"google/longrunning/operations_proto.proto": "google/longrunning/operations.proto"}
_FOLDERS = ("api", "cloud", "gapic", "logging", "longrunning", "rpc", "type")
OPTIONS = "gateway/v1/options.proto"
"""The options that users' protos import."""
VALIDATE = "buf/validate/validate.proto"
"""The rules of protovalidate that users' protos import."""

OF_NO_PACKAGE = (OPTIONS, VALIDATE)
"""Those of which no package brings a generated module where the gateway is not installed."""

ALWAYS = (
    "google/protobuf/any.proto",
    "google/protobuf/descriptor.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/empty.proto",
    "google/protobuf/field_mask.proto",
    "google/protobuf/struct.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/wrappers.proto",
    "google/api/httpbody.proto",
    "google/rpc/code.proto",
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
)
"""What every registry knows, imported or not: the details of errors come in an `Any`."""


@cache
def paths() -> dict[str, Path]:
    """Returns where each bundled proto lies, by the name it is imported under."""
    common = Path(http_pb2.__file__).parents[2]
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    found = {}
    for root, folder in [
        (well_known, "google/protobuf"),
        *((common, f"google/{name}") for name in _FOLDERS),
    ]:
        for path in sorted((root / folder).rglob("*.proto")):
            name = path.relative_to(root).as_posix()
            found[_RENAMED.get(name, name)] = path
    package = Path(__file__).parents[1]
    for protos in (package / "_example" / "protos", package.parent / "protos"):
        if (options := protos / OPTIONS).is_file():  # installed, or in the repository
            found.setdefault(OPTIONS, options)
    found[VALIDATE] = Path(__file__).parent / "third_party" / VALIDATE
    return found


def always() -> list[SchemaFile]:
    """Returns the files of ALWAYS."""
    return [file for file in map(find, ALWAYS) if file is not None]


@cache
def fingerprint() -> str:
    """Returns a text that changes when the bundled protos or the compiler may have changed."""
    packages = ("grpcio-tools", "googleapis-common-protos", "protobuf")
    versions = " ".join(f"{name}={version(name)}" for name in packages)
    found = paths()
    digests = " ".join(
        f"{name}={hashlib.sha256(found[name].read_bytes()).hexdigest()}"
        for name in OF_NO_PACKAGE
        if name in found
    )
    return f"{versions} {digests}"


@cache
def find(name: str) -> SchemaFile | None:
    """Returns the bundled file of that import name, or None.

    It comes from the generated module beside the proto, which needs no compiler; so it has no
    comments. The few that have no module (`google/protobuf/java_features.proto`, VALIDATE) are
    None: only the compiler finds them.
    """
    path = paths().get(name)
    if path is None or name == VALIDATE:
        return None
    module = f"{name.rpartition('/')[0].replace('/', '.')}.{path.stem}_pb2"
    if importlib.util.find_spec(module) is None:
        return None
    proto = importlib.import_module(module).DESCRIPTOR.serialized_pb
    file = SchemaFile.cut(proto, Source.BUNDLED, "bundled")
    if file.name == name:
        return file
    renamed = file.proto()
    renamed.name = name
    return SchemaFile.cut(renamed.SerializeToString(), Source.BUNDLED, "bundled")
