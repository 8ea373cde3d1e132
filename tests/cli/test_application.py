"""The root of the command line: help, versions, failures."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import gateway
from gateway.cli import application
from gateway.cli.failure import Exit
from tests.cli.processes import invoke, run

HEAVY = ("grpc", "google.protobuf", "protobuf", "aiohttp", "uvloop")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["config", "schema"]])
def test_light_commands_import_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        f"sys.argv = ['gateway', *{arguments!r}]\n"
        "from gateway.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print(*sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    imported = set(done.stderr.split())
    assert "typer" in imported
    assert not [name for name in HEAVY if name in imported]


def test_help_lists_every_command(tmp_path: Path) -> None:
    out = run("--help", cwd=tmp_path).out
    for name in [
        "serve",
        "demo",
        "init",
        "check",
        "config",
        "routes",
        "explain",
        "call",
        "usage",
        "keys",
        "users",
        "generate",
    ]:
        assert f" {name} " in out
    assert "2 a mistake in the config" in " ".join(out.split())


@pytest.mark.parametrize(
    "command",
    ["serve", "demo", "init", "check", "config schema", "routes", "explain", "call",
     "generate descriptors", "generate python", "keys new", "keys list", "keys revoke",
     "users add", "users list", "users remove"],
)  # fmt: skip
def test_every_command_has_help(command: str, tmp_path: Path) -> None:
    done = invoke(*command.split(), "--help", cwd=tmp_path)
    assert done.code == 0
    assert f"gateway {command}" in done.out


@pytest.mark.parametrize(
    "command", ["serve", "call", "init", "demo", "generate python", "keys new", "users add"]
)
def test_the_paragraphs_of_help_flow(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 80)
    text = invoke(*command.split(), "--help", cwd=tmp_path).out.partition("╭")[0]
    lines = [line.strip() for line in text.splitlines()]
    # A line ends early only where the next word had not fitted, or its paragraph is over.
    for line, after in itertools.pairwise(lines):
        if line and after:
            assert len(line) + 1 + len(after.split()[0]) > 78, (line, after)


@pytest.mark.parametrize(("given", "expected"), [(None, "NONE"), ("debug", "debug")])
def test_grpc_writes_no_lines_of_its_own_unless_asked(
    given: str | None, expected: str, tmp_path: Path
) -> None:
    # Set before the command is known, and so before grpcio can have been loaded.
    program = (
        "import os, sys\n"
        "from gateway.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print(os.environ.get('GRPC_VERBOSITY'), 'grpc' in sys.modules)\n"
    )
    environment = {key: each for key, each in os.environ.items() if key != "GRPC_VERBOSITY"}
    done = subprocess.run(
        [sys.executable, "-c", program, "check"],
        env=environment | ({"GRPC_VERBOSITY": given} if given else {}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == [expected, "False"]


def test_version(tmp_path: Path) -> None:
    assert run("--version", cwd=tmp_path).out == f"gateway {gateway.__version__}\n"


def test_an_unknown_command_names_the_nearest(tmp_path: Path) -> None:
    done = run("rotes", cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    assert "Did you mean 'routes'" in done.err


@pytest.mark.parametrize(
    "arguments",
    [("usage", "--format", "xml"), ("serve", "--log-level", "xx")],
    ids=" ".join,
)
def test_a_value_that_an_option_can_not_have_is_told_without_a_parsers_words(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    done = invoke(*arguments, cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    assert arguments[-1] in done.err
    assert "Value error" not in done.err


def test_without_a_config_the_error_says_what_to_do(tmp_path: Path) -> None:
    done = run("serve", cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    assert "gateway init" in done.err
    assert "--reflect" in done.err


def test_config_schema_is_json(tmp_path: Path) -> None:
    done = run("config", "schema", cwd=tmp_path)
    assert done.code == 0
    assert "listener" in json.loads(done.out)["properties"]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError("first\nsecond")

    monkeypatch.setattr(application, "app", fail)
    monkeypatch.setenv("GATEWAY_DEBUG", "")


def test_a_bug_is_one_line_and_where_to_go(
    broken: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        application.run()
    assert ended.value.code == Exit.FAILED
    err = capsys.readouterr().err
    assert "ZeroDivisionError: first\n" in err
    assert "report" in err
    assert "Traceback" not in err


def test_a_bug_shows_its_traceback_when_debugging(
    broken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        application.run()
