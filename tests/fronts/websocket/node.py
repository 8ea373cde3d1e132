"""Runs Node: the client's own tests, and scripts that use the client."""

import asyncio
import json
import os
from pathlib import Path

from tests.fronts.graphql.serve.node import PACKAGES

PAGES = Path(__file__).parents[3] / "gateway" / "fronts" / "websocket" / "pages"
SCRIPTS = Path(__file__).parent / "client_js"

PATIENCE = 90.0


async def node(*args, script=None):
    """Runs Node; returns its exit code, what it prints, and what it complains of."""
    process = await asyncio.create_subprocess_exec(
        "node",
        *args,
        cwd=PACKAGES if script is not None else None,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "NO_COLOR": "1"},
    )
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate(script)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, out.decode(), err.decode()


async def run(script, *args):
    """Runs a script of SCRIPTS with the client and arguments; returns what it prints, as JSON.

    The script is read from standard input, so that it finds the packages where they are installed.
    """
    client = (PAGES / "client.js").as_uri()
    text = (SCRIPTS / script).read_bytes()
    code, out, err = await node("--input-type=module", "-", client, *args, script=text)
    assert code == 0, err
    return json.loads(out)
