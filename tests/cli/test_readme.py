"""The WebSocket sessions of the README, typed as they are printed there, against the demo."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.cli.processes import ANY_PORT, LISTENING, gateway

README = (Path(__file__).parents[2] / "README.md").read_text()
COMMAND = "$ .venv/bin/python -m websockets "
SESSIONS = [
    text.splitlines()
    for text in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    if text.startswith(COMMAND)
]
# What is another each time: times, numbers in a room, the session, which replica answers.
CHANGING = re.compile(r'("(?:time|sequence|session)":|"x-replica",)"[^"]+')
# How the client moves in a terminal, and its prompts.
MOVES = re.compile(r"\x1b(?:[78]|\[[ABLK])|\r|^(?:> )+")


def lasting(line: str) -> str:
    return CHANGING.sub(r'\1"…', line)


@contextmanager
def typing_at(url: str) -> Iterator[tuple[IO[str], Iterator[str]]]:
    """Runs the client; gives what it is told, and the lines that a person sees beside those."""
    with subprocess.Popen(
        [sys.executable, "-m", "websockets", url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        plain = (MOVES.sub("", MOVES.sub("", line)).rstrip("\n") for line in client.stdout)
        yield client.stdin, filter(None, plain)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with gateway("demo", *ANY_PORT, cwd=tmp_path_factory.mktemp("demo")) as demo:
        yield demo.read_until(LISTENING).rpartition(":")[2]


def test_it_shows_both_forms() -> None:
    assert [each[0].removeprefix(COMMAND).partition("8080")[2] for each in SESSIONS] == [
        "/v1/rooms/lobby:chat",
        "/ws",
    ]


@pytest.mark.parametrize("printed", SESSIONS, ids=["plain", "multiplexed"])
def test_what_is_typed_is_answered_as_printed(printed: list[str], port: str) -> None:
    first, *rest = [line.replace("8080", port) for line in printed]
    with typing_at(first.removeprefix(COMMAND)) as (typed, seen):
        for line in rest:
            if line.startswith(">"):
                typed.write(line[2:] + "\n")
            else:
                assert lasting(next(seen)) == lasting(line)
