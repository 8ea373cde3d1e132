"""docs/ci.md: its pipelines are YAML that says what it should, and the gateway's lines in them run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.app.compatibility.rules import RULES
from gateway.cli.failure import Exit
from tests.cli.conftest import write_config
from tests.cli.processes import ANY_PORT, LISTENING, gateway, invoke

PAGE = (Path(__file__).parents[2] / "docs" / "ci.md").read_text()
BLOCKS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
OURS = ("gateway ",)


def lines(value: Any, key: str = "") -> Iterator[str]:
    """Yields what a pipeline runs."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from lines(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from lines(each, key)
    elif key in ("run", "script", "entry"):
        yield value


RUN = list(dict.fromkeys(line for block in BLOCKS for line in lines(block)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a config, as it is and, in `main`, as it was."""
    folder = tmp_path_factory.mktemp("repository")
    (folder / "main").mkdir()
    write_config(folder, "127.0.0.1:1")
    write_config(folder / "main", "127.0.0.1:1")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


def test_every_line_of_ours_is_here() -> None:
    ours = [line for line in RUN if line.startswith(OURS)]
    others = {line.split()[0] for line in RUN if line not in ours}
    assert len(ours) > 7
    assert others == {"pip", "git", "npm"}


@pytest.mark.parametrize("line", [each for each in RUN if each.startswith("gateway ")])
def test_a_line_runs(line: str, folder: Path) -> None:
    words = shlex.split(line)
    if words[-1] == "--check":
        assert invoke(*words[1:-1], cwd=folder).code == 0, "what is generated is there"
    if words[-1] == "&":
        with gateway(*words[1:-1], *ANY_PORT, cwd=folder) as serving:
            assert serving.read_until(LISTENING).startswith("http://")
            serving.end()
        return
    file = None
    if ">" in words:
        words, file = words[: words.index(">")], words[-1]
    done = invoke(*words[1:], cwd=folder)
    assert done.code == 0, done.err
    if file is not None:
        assert file in PAGE.split(line, 1)[1], "what is written is used"
        assert done.out


def test_a_hook_takes_the_files_that_matter() -> None:
    (hook,) = (each["repos"][0]["hooks"][0] for each in BLOCKS if "repos" in each)
    files = re.compile(hook["files"])
    for name in ("gateway.yaml", "protos/a/v1/a.proto", "schema/joins.graphql"):
        assert files.search(name)
    assert not files.search("README.md")


def test_the_report_of_the_page_is_as_it_is_written(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```\n\$ gateway check --format json\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "gateway.yaml").write_text("# The shop.\nworkers: 1\nrest: {prefix: api/}\n")
    done = invoke("check", "--format", "json", cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    assert json.loads(done.out) == json.loads(shown)


def test_every_family_of_rules_has_a_row() -> None:
    families = {name.partition(".")[0] for name in RULES}
    assert families | {"opened"} == set(re.findall(r"`(\w+)\.\*`", PAGE))


def test_what_the_page_accepts_is_named_as_changes_are(tmp_path: Path) -> None:
    (accepted,) = re.findall(r"```yaml\n(- change: .*?)```", PAGE, re.DOTALL)
    proto = (
        'syntax = "proto3"; package shop.v1;\n'
        "message Get { string id = 1; }\n"
        "message Thing { string id = 1; string name = 2; }\n"
        "service Things { rpc GetThing(Get) returns (Thing); }\n"
    )
    for side, text in (("old", proto), ("new", proto.replace("string name = 2;", ""))):
        (tmp_path / side / "protos").mkdir(parents=True)
        (tmp_path / side / "protos" / "a.proto").write_text(text)
        (tmp_path / side / "gateway.yaml").write_text(
            "schema: {protos: [protos]}\n"
            'upstreams: {a: {services: ["*"], endpoints: ["127.0.0.1:1"]}}\n'
        )
    (tmp_path / "new" / "accepted.yaml").write_text(accepted)
    done = invoke("check", "--against", "../old", "--accept", "accepted.yaml", cwd=tmp_path / "new")
    assert done.code == 0, done.err
    assert "there is no such change" not in done.err
