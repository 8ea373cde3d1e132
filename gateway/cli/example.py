"""The example backends as child processes, which end when this process does, however it ends."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import gateway
from gateway.cli.failure import Exit, Failure

_START = 30.0  # seconds until they serve
_STOP = 5.0  # seconds from the end of their input until they are killed
_SERVING = "serving on "


@dataclass(frozen=True, slots=True)
class Backends:
    """Running backends.

    Attributes:
        process: Their parent; it ends when no backend is left.
        addresses: Where they serve.
    """

    process: asyncio.subprocess.Process
    addresses: tuple[str, ...]


def root() -> Path:
    """Returns the folder that holds the example's `protos` and `services_mock`.

    In an installed package they lie inside of it, in the repository beside it.

    Raises:
        Failure: They are not here.
    """
    package = Path(gateway.__file__).parent
    for folder in (package / "_example", package.parent):
        if (folder / "services_mock" / "__main__.py").is_file() and (folder / "protos").is_dir():
            return folder
    raise Failure("the example is not part of this installation", code=Exit.FAILED)


@asynccontextmanager
async def backends(folder: Path, replicas: int) -> AsyncIterator[Backends]:
    """Runs backends while the context lasts.

    Args:
        folder: The example's (`root`).
        replicas: How many, each a process on a free port.

    Raises:
        Failure: They don't start.
    """
    environment = dict(os.environ)
    paths = [str(folder), *filter(None, [environment.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    arguments = ["--replicas", str(replicas), "--port", "0", "--restart", "--end-with-stdin"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services_mock",
        *arguments,
        env=environment,
        # Held open by this process alone: it closes even when this process is killed.
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # Ctrl-C is for the gateway, which drains first.
        start_new_session=True,
    )
    try:
        yield Backends(process, await _addresses(process))
    finally:
        await _end(process)


async def _addresses(process: asyncio.subprocess.Process) -> tuple[str, ...]:
    assert process.stdout is not None
    found: list[str] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(_START):
            async for line in process.stdout:
                text = line.decode().strip()
                if text == "ready":
                    return tuple(found)
                if text.startswith(_SERVING):
                    found.append(text.removeprefix(_SERVING))
    raise Failure("the example backends did not start", code=Exit.FAILED)


async def _end(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP)
    except TimeoutError:
        process.kill()
        await process.wait()
