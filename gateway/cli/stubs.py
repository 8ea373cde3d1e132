"""Python stubs of a schema, as grpcio-tools makes them from protos.

What protobuf and googleapis-common-protos bring (`google/protobuf`, `google/api`, …) is not made
again: a second copy would clash with theirs.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from gateway.cli.failure import Exit, Failure
from gateway.schema import bundled
from gateway.schema.registry import Registry

_FILE = b"\x0a"  # FileDescriptorSet's only field, `file`, as a tag


def write_descriptors(registry: Registry, path: Path) -> int:
    """Writes a FileDescriptorSet of all files, each after those it imports.

    Returns:
        How many files it holds.

    Raises:
        OSError: It can't be written.
    """
    with path.open("wb") as out:
        for data in registry.file_bytes.values():
            out.write(_FILE + _varint(len(data)) + data)
    return len(registry.file_bytes)


async def write_stubs(registry: Registry, out: Path) -> int:
    """Writes `_pb2.py`, `_pb2.pyi` and `_pb2_grpc.py` of each file.

    Returns:
        Of how many files.

    Raises:
        Failure: grpcio-tools refuses.
        OSError: They can't be written.
    """
    names = [name for name in registry.file_bytes if name not in bundled.paths()]
    if names:
        more = (name for name in bundled.OF_NO_PACKAGE if name not in names)
        names += [name for name in more if name in registry.file_bytes]
    if not names:
        raise Failure("there are no protos to make stubs of")
    with tempfile.TemporaryDirectory(prefix="gateway-") as work:
        descriptors, arguments = Path(work) / "descriptors.binpb", Path(work) / "names"
        write_descriptors(registry, descriptors)
        _write_lines(arguments, names)  # thousands of names do not fit into a command line
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # else a folder `grpc_tools` here would run instead
            "-m",
            "grpc_tools.protoc",
            f"--descriptor_set_in={descriptors}",
            f"--python_out={out}",
            f"--pyi_out={out}",
            f"--grpc_python_out={out}",
            f"@{arguments}",
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await child.communicate()
    if child.returncode:
        raise Failure(*said.decode(errors="replace").splitlines(), code=Exit.FAILED)
    return len(names)


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
