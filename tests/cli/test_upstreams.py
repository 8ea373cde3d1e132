"""`gateway upstreams`: how the backends of a gateway that runs do."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from gateway.cli.failure import Exit
from services_mock.testing import Backend
from tests.cli.conftest import write_config
from tests.cli.processes import ANY_PORT, gateway, invoke
from tests.cli.several import Gateway, answer

PRODUCT = "/v1/products/p1"


@pytest.fixture
def here(tmp_path: Path, backend: Backend) -> Path:
    write_config(tmp_path, backend.addresses[0])
    return tmp_path


@pytest.mark.parametrize("workers", [1, 2], ids=["one process", "workers"])
def test_each_endpoint_is_told_with_its_calls(here: Path, backend: Backend, workers: int) -> None:
    address = backend.addresses[0]
    with gateway("serve", *ANY_PORT, "--set", f"workers={workers}", cwd=here) as serving:
        running = Gateway(serving)
        with closing(running.connect()) as connection:
            for _ in range(3):
                assert answer(connection, PRODUCT)[0] == 200
        asked = ["upstreams", "--admin", running.admin]
        table = invoke(*asked, cwd=here)
        told = json.loads(invoke(*asked, "--format", "json", cwd=here).out)
        one = invoke(*asked, "shop", "--once", cwd=here)
        unknown = invoke(*asked, "none", cwd=here)
    head, row, gap, *below = table.out.splitlines()
    assert head.split()[:3] == ["UPSTREAM", "ENDPOINT", "STATE"]
    assert row.split()[:4] == ["shop", address, "ready", "0"]
    assert gap == ""
    assert below[0].split()[:3] == ["UPSTREAM", "POLICY", "WAITING"]
    assert below[1].split()[:3] == ["shop", "least_request", "0"]
    assert one.out == table.out
    assert told["workers"] == workers
    (upstream,) = told["upstreams"]
    (found,) = upstream["endpoints"]
    assert (found["address"], found["takes_calls"], found["out"]) == (address, True, [])
    assert found["calls"] >= 3
    assert 0 < found["latency"] < 1
    assert (unknown.code, unknown.out) == (Exit.FAILED, "")
    assert unknown.errors[0] == "There is no upstream 'none'; there are: shop."


def test_one_that_cannot_be_reached_is_told_so(shop: Path) -> None:
    with gateway("serve", *ANY_PORT, cwd=shop) as serving:
        running = Gateway(serving)
        with closing(running.connect()) as connection:
            assert answer(connection, PRODUCT)[0] == 503
        done = invoke("upstreams", "--admin", running.admin, cwd=shop)
    row = done.out.splitlines()[1]
    assert row.split()[:3] == ["shop", "127.0.0.1:1", "failing"]
    assert row.endswith("Connection refused")


def test_in_a_terminal_it_is_shown_until_it_is_interrupted(here: Path, backend: Backend) -> None:
    with gateway("serve", *ANY_PORT, cwd=here) as serving:
        running = Gateway(serving)
        mine, theirs = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "gateway", "upstreams", "--admin", running.admin],
            cwd=here,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "COLUMNS": "160", "TERM": "xterm"},
        ) as watching:
            os.close(theirs)
            said = heard(mine, backend.addresses[0])
            assert "ENDPOINT" in said
            with closing(running.connect()) as connection:
                assert answer(connection, PRODUCT)[0] == 200
            heard(mine, r"\d ms")  # looked again, a second later
            watching.send_signal(2)
            heard(mine, None)
            assert watching.wait(10) == 0
        os.close(mine)


def heard(terminal: int, pattern: str | None) -> str:
    """Reads what a terminal shows until a pattern is there, or the end."""
    said, until = "", time.monotonic() + 20
    while time.monotonic() < until:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            read = os.read(terminal, 65536)
        except OSError:  # Linux says so when the last who had it open is gone
            read = b""
        said += read.decode(errors="replace")
        if (pattern is None and not read) or (pattern is not None and re.search(pattern, said)):
            return said
        if not read:
            break
    raise AssertionError(f"{pattern!r} was not shown: {said!r}")


def test_what_is_no_gateway_is_told_so(shop: Path) -> None:
    done = invoke("upstreams", "--admin", "127.0.0.1:1", cwd=shop)
    assert done.code == Exit.FAILED
    assert "No gateway can be reached at 127.0.0.1:1" in done.err


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(b"{", "is no admin listener of a gateway", id="no JSON"),
        pytest.param(
            b'{"upstreams":[{"name":"a"}],"workers":1}',
            "is of another release",
            id="another's keys",
        ),
        pytest.param(b'{"upstreams":5}', "is of another release", id="another's values"),
        pytest.param(b"[]", "is no admin listener of a gateway", id="another's JSON"),
        pytest.param(b'"\xff"', "is no admin listener of a gateway", id="no text"),
        pytest.param(b"[" * 100_000, "is no admin listener of a gateway", id="too deep"),
        pytest.param(None, "No gateway can be reached at", id="it ended before it answered"),
    ],
)
def test_an_answer_of_something_else_is_told_so(
    shop: Path, said: bytes | None, expected: str
) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n"
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        asked = ["upstreams", "--admin", f"127.0.0.1:{listening.getsockname()[1]}"]

        def answer_once() -> None:
            with closing(listening.accept()[0]) as connection:
                connection.recv(65536)
                connection.sendall(b"" if said is None else head + said)

        answering = Thread(target=answer_once)
        answering.start()
        done = invoke(*asked, cwd=shop)
        answering.join(20)
    assert (done.code, done.out) == (Exit.FAILED, "")
    assert expected in done.errors[0]
