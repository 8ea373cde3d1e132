"""The example's processes: its backends, and who gives tokens to its callers.

They are children of this process, and end when it does, however it ends.
"""

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
_PIDS = "pids "


@dataclass(frozen=True, slots=True)
class Served:
    """A command of the example that serves.

    Attributes:
        process: It; that of the backends is their parent, and ends when none is left.
        addresses: Where it serves: `127.0.0.1:50051` a backend, `http://127.0.0.1:8081` the issuer.
        pids: The processes of backends, in the same order, as they were started at first.
    """

    process: asyncio.subprocess.Process
    addresses: tuple[str, ...]
    pids: tuple[int, ...]


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
async def backends(folder: Path, replicas: int) -> AsyncIterator[Served]:
    """Runs backends while the context lasts.

    Args:
        folder: The example's (`root`).
        replicas: How many, each a process on a free port.

    Raises:
        Failure: They don't start.
    """
    arguments = ("services_mock", "--replicas", str(replicas), "--port", "0", "--restart")
    async with _serving(folder, "backends", *arguments) as served:
        yield served


@asynccontextmanager
async def issuer(folder: Path, port: int) -> AsyncIterator[Served]:
    """Runs who gives tokens while the context lasts.

    Args:
        folder: The example's (`root`).
        port: Its port; it takes a free one where somebody has that.

    Raises:
        Failure: It doesn't start.
    """
    arguments = ("services_mock.issuer", "--port", str(port), "--or-another")
    async with _serving(folder, "issuer", *arguments) as served:
        yield served


@asynccontextmanager
async def _serving(folder: Path, name: str, module: str, *arguments: str) -> AsyncIterator[Served]:
    environment = dict(os.environ)
    paths = [str(folder), *filter(None, [environment.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        "--end-with-stdin",
        env=environment,
        # Held open by this process alone: it closes even when this process is killed.
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # Ctrl-C is for the gateway, which drains first.
        start_new_session=True,
    )
    try:
        served = await _started(process)
        if served is None:
            raise Failure(f"the example's {name} did not start", code=Exit.FAILED)
        yield served
    finally:
        await _end(process)


async def _started(process: asyncio.subprocess.Process) -> Served | None:
    assert process.stdout is not None
    found: list[str] = []
    pids: tuple[int, ...] = ()
    with suppress(TimeoutError):
        async with asyncio.timeout(_START):
            async for line in process.stdout:
                text = line.decode().strip()
                if text == "ready":
                    return Served(process, tuple(found), pids)
                if text.startswith(_SERVING):
                    found.append(text.removeprefix(_SERVING))
                elif text.startswith(_PIDS):
                    pids = tuple(map(int, text.removeprefix(_PIDS).split()))
    return None


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
