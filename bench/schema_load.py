"""How long a folder of protos takes to load, cold and from the cache, and in how much memory.

    python bench/schema_load.py FOLDER [EXCLUDE ...]

FOLDER is an include root, such as a checkout of github.com/googleapis/googleapis, the largest
public one; there EXCLUDE is `preview/*`, which is a second include root inside the first. Each of
the two loads runs in a process of its own. For each it prints the seconds to a registry with all
methods and their HTTP rules described; the peak of resident memory of that process, and of the
largest compiler process that it started; and the longest time that the event loop was held up.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gateway.schema.cache import Cache
from gateway.schema.folders import Folder
from gateway.schema.load import Loaded, Sources, load


async def _load(folder: Folder, cache: Cache) -> tuple[Loaded, float]:
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - began - 0.005)

    beating = asyncio.create_task(beat())
    loaded = await load(Sources(folders=[folder]), cache=cache)
    beating.cancel()
    return loaded, longest


def _measure(folder: Folder, cache: Cache) -> None:
    began = time.perf_counter()
    loaded, longest = asyncio.run(_load(folder, cache))
    seconds = time.perf_counter() - began
    own, children = (
        resource.getrusage(who).ru_maxrss >> 10
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    methods = [method for each in loaded.methods.values() for method in each]
    print(
        f"{len(loaded.registry.file_bytes)} files, {len(methods)} methods, "
        f"{sum(len(method.rules) for method in methods)} HTTP rules: {seconds:.2f} s, "
        f"{own} MiB (a compiler {children} MiB), loop held up {longest * 1000:.0f} ms at most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("exclude", nargs="*")
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.cache:
        _measure(Folder(arguments.folder, tuple(arguments.exclude)), Cache(arguments.cache))
        return
    with tempfile.TemporaryDirectory() as cache:
        for name in ("cold", "from the cache"):
            print(f"{name}: ", end="", flush=True)
            subprocess.run([sys.executable, *sys.argv, "--cache", cache], check=True)


if __name__ == "__main__":
    main()
