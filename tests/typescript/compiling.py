"""Compiles what was made, as strictly as TypeScript can."""

import json
import shutil
import subprocess

import pytest

from tests.fronts.graphql.serve.node import PACKAGES

TSC = PACKAGES / "node_modules" / "typescript" / "bin" / "tsc"

needs_typescript = pytest.mark.skipif(
    shutil.which("node") is None or not TSC.is_file(),
    reason="needs TypeScript: `make build/node/.installed`, where npm is there",
)

# All that is not in `strict`, but what is about style.
STRICT = {
    "strict": True,
    "exactOptionalPropertyTypes": True,
    "isolatedModules": True,
    "noFallthroughCasesInSwitch": True,
    "noImplicitOverride": True,
    "noImplicitReturns": True,
    "noPropertyAccessFromIndexSignature": True,
    "noUncheckedIndexedAccess": True,
    "noUnusedLocals": True,
    "noUnusedParameters": True,
    "verbatimModuleSyntax": True,
}
MODULES = {
    "nodenext": {"module": "nodenext", "moduleResolution": "nodenext"},
    "bundler": {"module": "ES2022", "moduleResolution": "bundler"},
}


def complaints(folder, *, resolution="nodenext", emit=True):
    """Compiles a folder into its `dist`; returns what the compiler says of it, nothing if it is right."""
    options = {
        **STRICT,
        **MODULES[resolution],
        "target": "ES2022",
        "lib": ["ES2022", "DOM", "DOM.Iterable"],
        "types": [],
        "skipLibCheck": True,  # those of TypeScript itself take as long as all else
        "declaration": True,
        "noEmit": not emit,
        "outDir": "dist",
    }
    config = {"compilerOptions": options, "include": ["**/*.ts"], "exclude": ["dist"]}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    (folder / "package.json").write_text('{"type": "module"}')
    done = subprocess.run(
        ["node", str(TSC), "-p", str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


def compiled(folder, *, resolution="nodenext"):
    """Compiles a folder that is right; returns where the JavaScript is."""
    said = complaints(folder, resolution=resolution)
    assert said == "", said
    return folder / "dist"
