"""`workers: N`: several processes share the port, and none of their ends is a client's."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.cli.failure import Exit
from services_mock.testing import Backend
from tests.cli.conftest import write_config
from tests.cli.processes import ANY_PORT, LISTENING, gateway, run
from tests.cli.several import PATIENCE, PRODUCT, Gateway, Load, alive, answer, until

WATCH = "/v1/orders/o120:watch?interval=0.2s"  # four events
ENDLESS = "/v1/stock:watch?interval=0.01s"
TWO = ["--set", "workers=2"]


@pytest.fixture
def here(tmp_path: Path, backend: Backend) -> Path:
    write_config(tmp_path, backend.addresses[0])
    return tmp_path


@pytest.fixture
def running(here: Path) -> Iterator[Gateway]:
    with gateway("serve", *ANY_PORT, *TWO, cwd=here) as serving:
        yield Gateway(serving)


def test_each_worker_serves_and_the_lines_are_printed_once(running: Gateway) -> None:
    assert len(running.workers) == 2
    with running.one_to_each() as connections:
        for connection in connections.values():
            assert answer(connection, PRODUCT)[0] == 200
    running.serving.signal(signal.SIGTERM)
    assert running.serving.wait() == 0
    assert running.serving.process.stdout.read() == ""
    errors = running.serving.errors()
    assert [len(running.serving.lines), errors.count("note: "), errors.count("draining")] == [
        2,
        1,
        1,
    ]


def test_0_is_a_worker_for_each_core(here: Path) -> None:
    with gateway("serve", *ANY_PORT, "--set", "workers=0", cwd=here) as serving:
        admin = serving.read_until("admin on ")
        cores = len(os.sched_getaffinity(0))
        with closing(http.client.HTTPConnection(urlsplit(admin).netloc, timeout=20)) as connection:
            status, body = answer(connection, "/workers")
        # One process has no supervisor.
        assert (status, cores) == (404, 1) or len(json.loads(body)["workers"]) == cores


def test_one_worker_is_one_process(here: Path) -> None:
    with gateway("serve", *ANY_PORT, cwd=here) as serving:
        serving.read_until(LISTENING)
        pid = serving.process.pid
        assert Path(f"/proc/{pid}/task/{pid}/children").read_text().split() == []


def test_the_supervisor_is_small(running: Gateway) -> None:
    # It has neither what reads messages nor grpcio, which a worker loads only if it must.
    supervisor = Path(f"/proc/{running.serving.process.pid}/maps").read_text()
    worker = Path(f"/proc/{running.workers[1]}/maps").read_text()
    assert "protobuf_ext" not in supervisor
    assert "protobuf_ext" in worker
    assert "cygrpc" not in supervisor + worker


def test_a_worker_that_is_killed_is_restarted_and_no_connection_is_refused(
    running: Gateway,
) -> None:
    before = running.workers
    # Established connections to the dead one are gone; those that come are not refused.
    with running.one_to_each() as connections:
        os.kill(before[1], signal.SIGKILL)
        refused: list[Exception] = []
        for _ in range(50):
            try:
                running.connect().close()
            except OSError as error:
                refused.append(error)
        assert answer(connections[2], PRODUCT)[0] == 200
    assert refused == []
    until(lambda: running.all_ready() and running.workers != before)
    assert running.workers[2] == before[2]
    assert running.page("/workers")[1]["workers"][0]["restarts"] == 1
    with running.one_to_each():
        assert "SIGKILL" in running.serving.read_error("worker 1 ended")
        running.serving.read_error("worker 1 serves again")


def test_who_connects_while_a_worker_is_dead_is_answered_by_the_next(running: Gateway) -> None:
    os.kill(running.workers[1], signal.SIGKILL)
    with ExitStack() as stack:
        # Some of them wait in the dead one's queue.
        connections = [stack.enter_context(closing(running.connect())) for _ in range(20)]
        assert [answer(each, PRODUCT)[0] for each in connections] == [200] * 20


def test_sigterm_lets_a_stream_of_each_worker_end_and_leaves_no_process(running: Gateway) -> None:
    pids = list(running.workers.values())
    with running.one_to_each() as connections:
        replies = []
        for connection in connections.values():
            connection.request("GET", WATCH)
            replies.append(connection.getresponse())
        firsts = [reply.readline() for reply in replies]
        running.serving.signal(signal.SIGTERM)
        running.serving.read_error("draining")
        rests = [reply.read().splitlines() for reply in replies]
    assert all(b"o120" in first for first in firsts)
    assert [len(rest) for rest in rests] == [3, 3]
    assert running.serving.wait() == 0
    assert not any(map(alive, pids))


def test_sigterm_at_the_start_leaves_no_process_either(here: Path) -> None:
    with gateway("serve", *ANY_PORT, *TWO, cwd=here) as serving:
        pid = serving.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        until(lambda: bool(children.read_text().split()))
        started = [int(each) for each in children.read_text().split()]
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0
        assert not any(map(alive, started))


def test_during_a_drain_it_is_not_ready_and_refuses(running: Gateway) -> None:
    with closing(running.connect()) as connection:
        connection.request("GET", ENDLESS)
        with connection.getresponse() as reply:
            reply.readline()
            running.serving.signal(signal.SIGTERM)
            running.serving.read_error("draining")
            until(lambda: running.page("/readyz")[1]["status"] == "draining")
            assert running.page("/healthz")[0] == 200

            def refused() -> bool:
                try:
                    running.connect().close()
                except ConnectionRefusedError:
                    return True
                return False

            until(refused)
            running.serving.signal(signal.SIGINT)
            assert running.serving.wait() == 128 + signal.SIGINT


def test_a_second_interrupt_ends_all_at_once(running: Gateway) -> None:
    pids = list(running.workers.values())
    with closing(running.connect()) as connection:
        connection.request("GET", ENDLESS)
        with connection.getresponse() as reply:
            reply.readline()
            running.serving.signal(signal.SIGINT)
            running.serving.read_error("draining")
            running.serving.signal(signal.SIGINT)
            assert running.serving.wait() == 128 + signal.SIGINT
    until(lambda: not any(map(alive, pids)))


def test_ctrl_c_in_a_terminal_reaches_the_supervisor_alone(running: Gateway) -> None:
    # It goes to all of the foreground's process group.
    group = os.getpgid(running.serving.process.pid)
    assert group not in {os.getpgid(pid) for pid in running.workers.values()}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_to_workers_are_left_to_the_supervisor(running: Gateway, number: int) -> None:
    # As a service manager does, which signals all processes of a service.
    before = running.workers
    for pid in before.values():
        os.kill(pid, number)
    with running.one_to_each():
        assert running.workers == before


def test_a_supervisor_that_is_killed_leaves_no_orphan(here: Path) -> None:
    settings = ["--set", "listener.drain_timeout=1s"]
    with gateway("serve", *ANY_PORT, *TWO, *settings, cwd=here) as serving:
        running = Gateway(serving)
        pids = list(running.workers.values())
        with closing(running.connect()) as connection:
            connection.request("GET", WATCH.replace("0.2", "0.1"))
            with connection.getresponse() as reply:
                reply.readline()
                serving.signal(signal.SIGKILL)
                # It has drain_timeout, as with any other end.
                assert len(reply.read().splitlines()) == 3
        until(lambda: not any(map(alive, pids)))
        assert "the supervisor is gone: draining" in serving.errors()


def test_a_supervisor_that_is_killed_at_the_start_leaves_no_orphan(here: Path) -> None:
    with gateway("serve", *ANY_PORT, *TWO, cwd=here) as serving:
        pid = serving.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        until(lambda: bool(children.read_text().split()))
        started = [int(each) for each in children.read_text().split()]
        serving.signal(signal.SIGKILL)
        serving.wait()
        until(lambda: not any(map(alive, started)))


def test_a_reload_swaps_all_workers_without_a_failed_request(here: Path) -> None:
    path = here / "gateway.yaml"
    good = path.read_text()
    with gateway("serve", *ANY_PORT, *TWO, cwd=here) as serving:
        running = Gateway(serving)
        before = running.workers
        with (
            running.one_to_each() as connections,
            Load(running, fresh=True) as fresh,
            Load(running, fresh=False) as kept,
        ):
            for number in range(3):
                path.write_text(good + f"rest: {{etag: {str(number % 2 == 0).lower()}}}\n")
                serving.signal(signal.SIGHUP)
                assert "7 services" in serving.read_error("reloaded: ")
            path.write_text(good + "headers: {response: {allow: [x-replica]}}\n")
            serving.signal(signal.SIGHUP)
            serving.read_error("reloaded: ")
            for connection in connections.values():
                connection.request("GET", PRODUCT)
                with connection.getresponse() as reply:
                    reply.read()
                    assert reply.headers["x-replica"] is not None
        for load in (fresh, kept):
            assert load.failures == []
            assert set(load.answers) == {200}
        assert running.workers == before


def test_a_wrong_config_at_a_reload_is_told_once_and_changes_nothing(here: Path) -> None:
    path = here / "gateway.yaml"
    good = path.read_text()
    with gateway("serve", *ANY_PORT, *TWO, cwd=here) as serving:
        running = Gateway(serving)
        path.write_text(good + "rest: {prefix: 1}\n")
        serving.signal(signal.SIGHUP)
        assert serving.read_error("rest.prefix").startswith("gateway.yaml:6:")
        serving.read_error("not reloaded")

        path.write_text(good.replace("shop.*", "shop.nothing.v1.Service"))
        serving.signal(signal.SIGHUP)
        serving.read_error("shop.nothing.v1.Service")
        serving.read_error("not reloaded")

        # What was not taken is not what a restarted worker starts with.
        os.kill(running.workers[2], signal.SIGKILL)
        serving.read_error("worker 2 ended")
        until(running.all_ready)
        with running.one_to_each() as connections:
            assert [answer(each, PRODUCT)[0] for each in connections.values()] == [200, 200]
        path.write_text(good)
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0
        errors = serving.errors()
    assert "rest.prefix" not in errors
    assert "shop.nothing" not in errors


def test_what_takes_a_restart_is_said_once(here: Path) -> None:
    path = here / "gateway.yaml"
    with gateway("serve", *ANY_PORT, cwd=here) as serving:
        serving.read_until(LISTENING)
        path.write_text(path.read_text() + "workers: 2\n")
        serving.signal(signal.SIGHUP)
        assert "workers changed" in serving.read_error("next start")
    with gateway("serve", *ANY_PORT, cwd=here) as serving:
        serving.read_until(LISTENING)
        path.write_text(path.read_text().replace("workers: 2", "workers: 3"))
        serving.signal(signal.SIGHUP)
        assert serving.read_error("next start") == (
            "warning gateway: workers changed: it takes effect at the next start"
        )
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0
        assert "next start" not in serving.errors()


@pytest.mark.parametrize("key", ["listener", "admin"])
def test_a_port_that_is_taken_is_the_error_of_a_single_process(key: str, here: Path) -> None:
    with gateway("serve", *ANY_PORT, *TWO, cwd=here) as serving:
        running = Gateway(serving)
        taken = running.url if key == "listener" else running.admin
        address = urlsplit(taken).netloc
        settings = [*ANY_PORT, "--set", f"{key}.address={address}"]
        ran = [run("serve", *settings, "--set", f"workers={each}", cwd=here) for each in (1, 2)]
    for done in ran:
        assert (done.code, done.out) == (Exit.FAILED, "")
        assert f"can't listen on {address}: Address already in use" in done.err
        assert f"--set {key}.address=127.0.0.1:0" in done.err
    assert ran[0].errors[-2:] == ran[1].errors[-2:]


@pytest.mark.parametrize(
    "settings",
    [
        ["--set", "rest.prefix=1", "--set", "nothing=1"],
        ["--set", "schema.protos=[nowhere]"],
        ["--set", "upstreams.shop.services=[shop.nothing.v1.Service]"],
    ],
    ids=["config", "protos", "services"],
)
def test_a_mistake_is_told_once_as_by_a_single_process(settings: list[str], shop: Path) -> None:
    alone, several = (
        run("serve", *ANY_PORT, *settings, "--set", f"workers={each}", cwd=shop) for each in (1, 2)
    )
    assert (several.code, several.out) == (Exit.MISTAKE, "")
    assert several.err == alone.err


def test_a_unix_socket_is_shared_and_removed(here: Path) -> None:
    path = here / "gateway.sock"
    settings = ["--set", f"listener.address=unix:{path}", "--set", "admin=false"]
    with gateway("serve", *TWO, *settings, cwd=here) as serving:
        assert serving.read_line() == f"listening on unix:{path}"
        for _ in range(5):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(PATIENCE)
                client.connect(str(path))
                client.sendall(
                    f"GET {PRODUCT} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
                )
                assert client.recv(64).startswith(b"HTTP/1.1 200 ")
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0
    assert not path.exists()


def test_a_unix_socket_outlives_a_worker(here: Path) -> None:
    path = here / "gateway.sock"
    settings = [*ANY_PORT, "--set", f"listener.address=['127.0.0.1:0', 'unix:{path}']"]
    with gateway("serve", *TWO, *settings, cwd=here) as serving:
        running = Gateway(serving)
        os.kill(running.workers[1], signal.SIGKILL)
        serving.read_error("worker 1 ended")
        until(running.all_ready)
        assert path.exists()


def test_log_lines_say_which_worker(here: Path) -> None:
    with gateway(
        "serve", *ANY_PORT, *TWO, "--set", "upstreams.shop.endpoints=['127.0.0.1:1']", cwd=here
    ) as serving:
        running = Gateway(serving)
        with running.one_to_each() as connections:
            assert {answer(each, PRODUCT)[0] for each in connections.values()} == {503}
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0
        named = re.findall(
            r"^warning gateway\.upstream: (worker \d): ", serving.errors(), re.MULTILINE
        )
    assert set(named) == {"worker 1", "worker 2"}


def test_without_a_config_calls_are_suggested_once(backend: Backend, tmp_path: Path) -> None:
    with gateway(
        "serve", "--reflect", backend.addresses[0], *ANY_PORT, *TWO, cwd=tmp_path
    ) as serving:
        running = Gateway(serving)
        assert len(running.workers) == 2
        while not (line := serving.read_line()).strip().startswith("curl "):
            pass
        assert running.url in line
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0
        assert serving.process.stdout.read().count("curl ") == 2
