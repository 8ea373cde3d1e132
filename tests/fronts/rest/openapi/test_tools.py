"""npm's openapi-typescript makes types of the document, and TypeScript takes them."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fronts.rest.openapi.describing import described

PACKAGES = Path(__file__).parents[4] / "build" / "node" / "node_modules"
TOOL = PACKAGES / "openapi-typescript" / "bin" / "cli.js"

MODULES = ("--module", "es2022", "--moduleResolution", "bundler")

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not TOOL.is_file(),
    reason="needs Node and its packages: `make build/node/.installed`, where npm is there",
)


def run(*command):
    done = subprocess.run(
        ["node", *map(str, command)], capture_output=True, check=False, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_client_generator_accepts_it(tmp_path):
    (tmp_path / "openapi.json").write_text(json.dumps(described()))
    run(TOOL, tmp_path / "openapi.json", "--output", tmp_path / "api.ts")
    (tmp_path / "use.ts").write_text(
        "import type { components, operations } from './api';\n"
        "type Put = operations['nasty.v1.Things.Put'];\n"
        "export const given: Put['requestBody']['content']['application/json'] = {\n"
        "  name: 'a', one: 'x', big: '12', takes: '1.5s', byNumber: {1: {name: 'b', one: 'x'}},\n"
        "};\n"
        "export const thing: components['schemas']['nasty.v1.Thing'] = {id: 'a', color: 'COLOR_RED'};\n"
        "// @ts-expect-error  64-bit integers are strings\n"
        "export const wrong: components['schemas']['nasty.v1.Thing'] = {big: 12};\n"
    )
    options = ("--noEmit", "--strict", "--skipLibCheck", "--lib", "es2022")
    run(PACKAGES / "typescript" / "bin" / "tsc", *options, *MODULES, tmp_path / "use.ts")
