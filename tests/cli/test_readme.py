"""The sessions of the README, typed as they are printed there, against the demo."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from tests.cli.processes import ANY_PORT, LISTENING, gateway

README = (Path(__file__).parents[2] / "README.md").read_text()
COMMAND = "$ .venv/bin/python -m websockets "
PRINTED = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
SOCKETS = [text.splitlines() for text in PRINTED if text.startswith(COMMAND)]
CURLS = [text for text in PRINTED if "$ curl" in text]
# What is another each time: times, numbers in a room, the session, which replica answers.
CHANGING = re.compile(r'("(?:time|sequence|session)":|"x-replica",)"[^"]+')
# Seconds until there is more: fewer where the machine is busy.
WAITS = re.compile(r"(;t=|^retry-after: )\d+", re.MULTILINE)
# How the client moves in a terminal, and its prompts.
MOVES = re.compile(r"\x1b(?:[78]|\[[ABLK])|\r|^(?:> )+")


@dataclass(frozen=True)
class Demo:
    """A demo that runs.

    Attributes:
        ports: Those of the README, and its own.
        key: The partner's.
        token: A customer's.
    """

    ports: dict[str, str]
    key: str
    token: str

    def own(self, line: str) -> str:
        """Returns what is to be typed here in place of a line of the README."""
        for printed, port in self.ports.items():
            line = line.replace(printed, port)
        return line.replace("gw_…", self.key).replace("eyJ…", self.token)


def lasting(line: str) -> str:
    return WAITS.sub(r"\1…", CHANGING.sub(r'\1"…', line))


def is_as_printed(seen: str, printed: str) -> bool:
    """Whether a text is that of the README, in which `…` stands for anything."""
    parts = map(re.escape, lasting(printed).split("…"))
    return re.fullmatch(".*".join(parts), lasting(seen), re.DOTALL) is not None


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
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with gateway("demo", *ANY_PORT, cwd=tmp_path_factory.mktemp("demo")) as running:
        admin = running.read_until("admin on ").rpartition(":")[2]
        port = running.read_until(LISTENING).rpartition(":")[2]
        token = "TOKEN=" + running.read_until("  TOKEN=")
        issuer = token.rpartition(":")[2].partition("/")[0]
        key = running.read_until("  KEY=")
        shown = shell(f"{token}; echo $TOKEN").strip()
        yield Demo({"8080": port, "8081": issuer, "9090": admin}, key, shown)
        running.end()


def shell(script: str) -> str:
    """Runs a script; returns what a person sees of it."""
    done = subprocess.run(
        ["bash", "-c", script.replace("curl ", "curl -sS ")],
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return done.stdout + done.stderr


def test_it_shows_both_forms() -> None:
    assert [each[0].removeprefix(COMMAND).partition("8080")[2] for each in SOCKETS] == [
        "/v1/rooms/lobby:chat",
        "/ws",
        "/ws",
        "/ws",
    ]


@pytest.mark.parametrize("printed", SOCKETS, ids=["plain", "multiplexed", "refused", "allowed"])
def test_what_is_typed_is_answered_as_printed(printed: list[str], demo: Demo) -> None:
    first, *rest = [demo.own(line) for line in printed]
    with typing_at(first.removeprefix(COMMAND)) as (typed, seen):
        for line in rest:
            if line.startswith(">"):
                typed.write(line[2:] + "\n")
            else:
                assert is_as_printed(answer := next(seen), line), (answer, line)


def test_curl_calls_are_answered_as_printed(demo: Demo) -> None:
    """In one shell: what is set in one session is there in the next."""
    seen = 0
    settings: list[str] = []
    for session in CURLS:
        for text in session.removeprefix("$ ").split("\n$ "):
            command, expected = taken_apart(text)
            own = demo.own(command)
            if re.match(r"[A-Z]+=", own):
                settings.append(own)
                continue
            answer = shell("\n".join([*settings, own]))
            assert is_as_printed(answer.strip(), expected.strip()), (command, answer)
            seen += 1
    assert seen >= 8


def taken_apart(text: str) -> tuple[str, str]:
    """Returns a command, with the lines that it goes on for, and what it answers."""
    lines = text.splitlines()
    last = next(number for number, line in enumerate(lines) if not line.endswith("\\"))
    return "\n".join(lines[: last + 1]), "\n".join(lines[last + 1 :])
