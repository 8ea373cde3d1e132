"""docs/typescript.md: its programs compile, and print what the page says, against `gateway demo`."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.processes import ANY_PORT, LISTENING, gateway, invoke
from tests.typescript.compiling import TSC, needs_typescript

PAGE = (Path(__file__).parents[2] / "docs" / "typescript.md").read_text()
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
NAMED = re.compile(r"// (\w+\.ts)\n")
RUN = re.compile(r"\$ node ((?:--\S+ )*)(\S+\.js)\n(.*)", re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for each, text in BLOCK.findall(PAGE) if each == language]


RUNS = [found for text in blocks("console") if (found := RUN.search(text))]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each program prints."""
    folder = tmp_path_factory.mktemp("page")
    with gateway("demo", *ANY_PORT, cwd=folder) as demo:
        url = demo.read_until(LISTENING)
        issuer = re.search(r"(http://127\.0\.0\.1:\d+)/token", demo.read_until("  TOKEN="))
        assert issuer is not None
        demo.read_until("Who may call what is here")
        config = demo.read_line().strip()
        done = invoke("generate", "typescript", "--config", config, "--out", "api", cwd=folder)
        assert (done.code, done.out in PAGE) == (0, True), (done.out, done.err)
        for text in blocks("ts"):
            program = text.replace("http://127.0.0.1:8080", url)
            name = NAMED.match(text)
            assert name is not None
            (folder / name[1]).write_text(program.replace("http://127.0.0.1:8081", issuer[1]))
        (config_of_compiler,) = blocks("json")
        (folder / "tsconfig.json").write_text(config_of_compiler)
        (folder / "package.json").write_text('{"type": "module"}')
        compiled = node(folder, str(TSC), "--skipLibCheck")
        assert compiled.returncode == 0, compiled.stdout
        ran = {run[2]: node(folder, *run[1].split(), run[2]) for run in RUNS}
        demo.end()
    assert {name: each.stderr for name, each in ran.items() if each.returncode} == {}
    return {name: each.stdout for name, each in ran.items()}


def node(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", "--no-warnings", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@needs_typescript
@pytest.mark.parametrize("run", RUNS, ids=[run[2] for run in RUNS])
def test_a_program_prints_what_the_page_says(run: re.Match[str], printed: dict[str, str]) -> None:
    assert printed[run[2]] == run[3]


def test_every_program_is_run_but_the_one_that_is_imported() -> None:
    names = [name[1] for text in blocks("ts") if (name := NAMED.match(text))]
    assert [f"dist/{name[:-3]}.js" for name in names] == [
        *(run[2] for run in RUNS),
        "dist/again.js",
    ]
