"""client.js, tested by Node's own test runner; its types, by the compiler of TypeScript."""

import json
import shutil

import pytest

from tests.fronts.graphql.serve.node import PACKAGES
from tests.fronts.websocket.node import PAGES, SCRIPTS, node

TSC = PACKAGES / "node_modules" / "typescript" / "bin" / "tsc"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
needs_typescript = pytest.mark.skipif(
    shutil.which("node") is None or not TSC.is_file(),
    reason="needs TypeScript: `make build/node/.installed`, where npm is there",
)


@needs_node
@pytest.mark.parametrize("suite", sorted(each.name for each in SCRIPTS.glob("*.test.mjs")))
async def test_the_client_in_node(suite):
    code, out, _ = await node(
        "--no-warnings", "--test", "--test-reporter=tap", str(SCRIPTS / suite)
    )
    failed = [line.strip() for line in out.splitlines() if line.lstrip().startswith("not ok")]
    assert (code, failed) == (0, []), out
    assert "# pass 0" not in out


@needs_node
async def test_it_has_no_dependencies():
    text = (PAGES / "client.js").read_text()
    assert "import" not in {line.split(" ")[0] for line in text.splitlines()}
    assert "require(" not in text


@needs_typescript
async def test_the_types(tmp_path):
    shutil.copy(SCRIPTS / "types.ts", tmp_path)
    config = {
        "compilerOptions": {
            "strict": True,
            "noEmit": True,
            "skipDefaultLibCheck": True,
            "exactOptionalPropertyTypes": True,
            "target": "es2023",
            "lib": ["es2023", "dom", "dom.iterable"],
            "module": "preserve",
            "moduleResolution": "bundler",
            "types": [],
            "paths": {"client.js": [str(PAGES / "client.d.ts")]},
        },
        "files": ["types.ts"],
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    assert await node(str(TSC), "--project", str(tmp_path)) == (0, "", "")


@needs_node
async def test_the_types_name_what_the_module_gives():
    script = (
        f"const given = Object.keys(await import({json.dumps((PAGES / 'client.js').as_uri())}));"
        "console.log(JSON.stringify(given.sort()));"
    )
    code, out, _ = await node("--input-type=module", "--eval", script)
    text = (PAGES / "client.d.ts").read_text()
    declared = {
        line.split(" ")[2].split("(")[0].split(":")[0]
        for line in text.splitlines()
        if line.startswith(("export const", "export class", "export function"))
    }
    assert code == 0
    assert set(json.loads(out)) == declared
