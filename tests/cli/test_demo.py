"""`gateway demo`: backends and a gateway, calls to try, and nothing left behind."""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.cli.processes import ANY_PORT, LISTENING, Serving, curl, gateway


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Serving]:
    with gateway("demo", *ANY_PORT, cwd=tmp_path) as running:
        yield running
        running.end()  # it takes its folder along


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


def lines_below(demo: Serving, heading: str) -> list[str]:
    """Waits for a heading; returns the lines to try below it."""
    demo.read_until(heading)
    lines = []
    while line := demo.read_line().strip():
        lines.append(line)
    return lines


def test_the_calls_that_need_no_caller_work_as_printed(demo: Serving) -> None:
    url = demo.read_until(LISTENING)
    get, watch, query = lines_below(demo, "Try, in another terminal:")
    for call, field in ((get, "title"), (watch, "productId"), (query, "data")):
        assert url in call
        status, body = curl(call)
        assert status == 0, (call, body)
        assert field in json.loads(body.splitlines()[0])
    assert "errors" not in json.loads(curl(query)[1])


def test_each_call_shows_who_answered(demo: Serving) -> None:
    (watch,) = lines_below(demo, "Each backend marks its replies")
    # Which of the two answers is chosen among those that are least busy, by chance.
    seen: set[str] = set()
    for _ in range(50):
        seen.add(curl(watch)[1].strip())
        if len(seen) > 1:
            break
    assert len(seen) == 2
    assert all(line.lower().startswith("x-replica: ") for line in seen)


def answers(*lines: str) -> list[tuple[str, str]]:
    """Runs lines in one shell; returns the status of what each curl was told, and the body."""
    script = "\n".join(
        re.sub("^curl ", r"curl -sSw '\\n#%{http_code}\\n' ", line) for line in lines
    )
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=30, check=False
    )
    parts = re.split(r"\n#(\d{3})\n", done.stdout)
    return list(zip(parts[1::2], parts[::2], strict=False))


def test_who_calls_decides_as_printed(demo: Serving) -> None:
    demo.read_until(LISTENING)
    (refused,) = lines_below(demo, "Who orders must be known")
    ada = lines_below(demo, "Ada's token")
    graph, socket = lines_below(demo, "The same token")
    partner = lines_below(demo, "There are also")
    (unknown, _), (made, order), (forbidden, _) = answers(refused, *ada)
    assert (unknown, made, forbidden) == ("401", "201", "403")
    assert json.loads(order)["userId"] == "u1"
    ((status, body),) = answers(ada[0], graph)
    assert status == "200"
    orders = json.loads(body)["data"]["listOrders"]["orders"]
    assert {each["user"]["displayName"] for each in orders} == {"Ada Brandt"}
    said = subprocess.run(
        ["bash", "-c", f"{ada[0]}\n{socket}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    ).stdout
    assert '"status":"OK"' in said, said
    (followed, events), (forbidden, _) = answers(*partner)
    assert (followed, forbidden) == ("200", "403")
    assert json.loads(events.splitlines()[0])["orderId"] == "o120"


def test_the_config_says_who_may_call(demo: Serving) -> None:
    file, explain = lines_below(demo, "Who may call what is here")
    assert "request.user_id == principal.subject" in Path(file).read_text()
    said = subprocess.run(
        shlex.split(explain), capture_output=True, text=True, timeout=30, check=False
    )
    assert said.returncode == 0, said.stderr
    assert "orders.write" in said.stdout


def test_no_key_is_kept(demo: Serving) -> None:
    key = demo.read_until("  KEY=")
    (file, _) = lines_below(demo, "Who may call what is here")
    kept = [each.read_text() for each in Path(file).parent.iterdir()]
    assert len(kept) == 2
    assert all(key not in text for text in kept)
    assert stat.S_IMODE((Path(file).parent / "keys.yaml").stat().st_mode) == 0o600


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
def test_no_process_is_left_however_it_ends(number: signal.Signals, demo: Serving) -> None:
    (file, _) = lines_below(demo, "Who may call what is here")
    below = children(demo.process.pid)
    assert len(below) >= 4  # the issuer, the backends' parent and two replicas
    demo.signal(number)
    assert demo.wait() == (-signal.SIGKILL if number is signal.SIGKILL else 0)
    assert all(ended(pid) for pid in below)
    shutil.rmtree(Path(file).parent, ignore_errors=True)  # nobody was left to do so


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_its_folder_goes_with_it(number: signal.Signals, demo: Serving) -> None:
    (file, _) = lines_below(demo, "Who may call what is here")
    assert Path(file).exists()
    demo.signal(number)
    assert demo.wait() == 0
    assert not Path(file).parent.exists()


@pytest.mark.parametrize(
    ("module", "message"),
    [
        pytest.param("services_mock.issuer", "the example's issuer ended", id="issuer"),
        pytest.param("services_mock", "the example backends ended", id="backends"),
    ],
)
def test_without_one_of_its_parts_there_is_no_demo(
    module: str, message: str, demo: Serving
) -> None:
    demo.read_until(LISTENING)
    below = children(demo.process.pid)
    (part,) = (
        pid
        for pid in below
        if module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        and parent_of(pid) == demo.process.pid
    )
    os.kill(part, signal.SIGKILL)
    assert message in demo.read_error("ended")
    assert demo.wait() == 1


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_backend_that_is_killed_as_printed_is_noticed_by_nobody(demo: Serving) -> None:
    url = demo.read_until(LISTENING)
    looking, kill = lines_below(demo, "How they do; kill one")
    asked = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}\n", f"{url}/v1/products/p[1-40]"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as calling:
        assert calling.stdout is not None
        codes = [calling.stdout.readline()]
        subprocess.run(shlex.split(kill), check=True)
        codes += calling.stdout.readlines()
    assert set(codes) == {"200\n"}
    assert len(codes) == 40
    told = subprocess.run(
        [*shlex.split(looking), "--format", "json"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    shop, chat = json.loads(told.stdout)["upstreams"]
    assert len(shop["endpoints"]) == len(chat["endpoints"]) == 2
