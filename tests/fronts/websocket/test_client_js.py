"""client.js, tested by Node's own test runner; its types, by the compiler of TypeScript."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.fronts.graphql.serve.node import PACKAGES

SOURCE = Path(__file__).parents[3] / "gateway" / "fronts" / "websocket" / "pages"
TESTS = Path(__file__).parent / "client_js"
PATIENCE = 90.0

TSC = PACKAGES / "node_modules" / "typescript" / "bin" / "tsc"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
needs_typescript = pytest.mark.skipif(
    shutil.which("node") is None or not TSC.is_file(),
    reason="needs TypeScript: `make build/node/.installed`, where npm is there",
)


async def node(*args, cwd=None):
    """Runs Node with arguments; returns its exit code and all that it prints."""
    process = await asyncio.create_subprocess_exec(
        "node",
        *args,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "NO_COLOR": "1"},
    )
    try:
        async with asyncio.timeout(PATIENCE):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, out.decode()


@needs_node
@pytest.mark.parametrize("suite", sorted(each.name for each in TESTS.glob("*.test.mjs")))
async def test_the_client_in_node(suite):
    code, out = await node("--no-warnings", "--test", "--test-reporter=tap", str(TESTS / suite))
    failed = [line.strip() for line in out.splitlines() if line.lstrip().startswith("not ok")]
    assert (code, failed) == (0, []), out
    assert "# pass 0" not in out


@needs_node
async def test_it_has_no_dependencies():
    text = (SOURCE / "client.js").read_text()
    assert "import" not in {line.split(" ")[0] for line in text.splitlines()}
    assert "require(" not in text


@needs_typescript
async def test_the_types(tmp_path):
    shutil.copy(TESTS / "types.ts", tmp_path)
    config = {
        "compilerOptions": {
            "strict": True,
            "noEmit": True,
            "exactOptionalPropertyTypes": True,
            "target": "es2023",
            "lib": ["es2023", "dom", "dom.iterable"],
            "module": "preserve",
            "moduleResolution": "bundler",
            "types": [],
            "paths": {"client.js": [str(SOURCE / "client.d.ts")]},
        },
        "files": ["types.ts"],
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    assert await node(str(TSC), "--project", str(tmp_path)) == (0, "")


@needs_node
async def test_the_types_name_what_the_module_gives():
    script = (
        f"const given = Object.keys(await import({json.dumps((SOURCE / 'client.js').as_uri())}));"
        "console.log(JSON.stringify(given.sort()));"
    )
    code, out = await node("--input-type=module", "--eval", script)
    text = (SOURCE / "client.d.ts").read_text()
    declared = {
        line.split(" ")[2].split("(")[0].split(":")[0]
        for line in text.splitlines()
        if line.startswith(("export const", "export class", "export function"))
    }
    assert code == 0
    assert set(json.loads(out)) == declared
