"""Runs scripts with Node and the packages of `tests/fronts/graphql/node`, which `make test` installs."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
PACKAGES = ROOT / "build" / "node"
SCRIPTS = ROOT / "tests" / "fronts" / "graphql" / "node"

PATIENCE = 60.0

needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not (PACKAGES / "node_modules").is_dir(),
    reason="needs Node and its packages: `make build/node/.installed`, where npm is there",
)


async def run(script, *args):
    """Runs a script of SCRIPTS with arguments; returns what it prints, as JSON.

    The script is read from standard input, so that it finds the packages where they are installed.
    """
    process = await asyncio.create_subprocess_exec(
        "node",
        "--input-type=module",
        "-",
        *args,
        cwd=PACKAGES,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "NO_COLOR": "1"},
    )
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate((SCRIPTS / script).read_bytes())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    return json.loads(out)
