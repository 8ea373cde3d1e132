"""`gateway demo`: backends and a gateway, calls to try, and nothing left behind."""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.cli.processes import ANY_PORT, LISTENING, Serving, curl, gateway, printed_calls


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Serving]:
    with gateway("demo", *ANY_PORT, cwd=tmp_path) as running:
        yield running


def children(pid: int) -> list[int]:
    """The processes below one, the nearest first."""
    below = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return [*below, *(deeper for each in below for deeper in children(each))]


def ended(pid: int) -> bool:
    """Waits for the end of a process that is not ours."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 20)[0])
    finally:
        os.close(handle)


def test_the_calls_work_as_printed_and_show_who_answered(demo: Serving) -> None:
    url = demo.read_until(LISTENING)
    *calls, watch = printed_calls(demo, 5)
    for call, field in zip(calls, ("title", "total", "orderId", "data"), strict=True):
        assert url in call
        status, body = curl(call)
        assert status == 0, (call, body)
        assert field in json.loads(body.splitlines()[0])
    seen = {curl(watch)[1].strip() for _ in range(4)}
    assert len(seen) == 2
    assert all(line.lower().startswith("x-replica: ") for line in seen)


@pytest.mark.parametrize(
    ("above", "path", "title"),
    [
        pytest.param("The same shop as one graph", "/graphql", "GraphiQL", id="graphiql"),
        pytest.param("A chat and a stock ticker", "/demo", "One socket", id="demo"),
    ],
)
def test_a_page_is_where_it_is_printed(above: str, path: str, title: str, demo: Serving) -> None:
    url = demo.read_until(LISTENING)
    demo.read_until(above)
    page = demo.read_line().strip()
    assert page == f"{url}{path}"
    status, body = curl(f"curl -H 'accept: text/html' {page}")
    assert (status, title in body) == (0, True)


def test_who_joins_the_chat_as_printed_hears_the_others(demo: Serving) -> None:
    demo.read_until(LISTENING)
    said = demo.read_until("Join that chat; say ")
    line = shlex.split(demo.read_line())
    with typing_into(line) as (one, heard_by_one), typing_into(line) as (other, heard_by_other):
        for client, heard in ((other, heard_by_other), (one, heard_by_one)):
            client.write(f"{said}\n")
            assert any('"joined":"ann"' in line for line in heard)
        assert any('"joined":"ann"' in line for line in heard_by_other), "whichever replica it is"
        one.write("\n")  # half-closes
        assert any("Connection closed: 1000 (OK)." in line for line in heard_by_one)


@contextmanager
def typing_into(command: list[str]) -> Iterator[tuple[IO[str], Iterator[str]]]:
    """Runs a client; gives what it is told, and the lines that it prints."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        heard = iter(client.stdout.readline, "")
        assert next(heard).startswith("Connected to ws://")
        yield client.stdin, heard


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_however_it_ends(number: signal.Signals, demo: Serving) -> None:
    demo.read_until(LISTENING)
    below = children(demo.process.pid)
    assert len(below) >= 3  # the backends' parent and two replicas
    demo.signal(number)
    assert demo.wait() == (-signal.SIGKILL if number is signal.SIGKILL else 0)
    assert all(ended(pid) for pid in below)


def test_without_backends_there_is_no_demo(demo: Serving) -> None:
    demo.read_until(LISTENING)
    parent = children(demo.process.pid)[0]
    os.kill(parent, signal.SIGKILL)
    assert "the example backends ended" in demo.read_error("backends ended")
    assert demo.wait() == 1
