"""Replicas as processes: `python -m services_mock`, its flags, its end."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import grpc
import grpc.aio
import pytest

import services_mock
from services_mock.contract import chat, inventory, users
from services_mock.testing import Client, calls_reach, start
from tests.services_mock.failing import fails_with

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


def get_user(channel, **options):
    service = Client(channel, "shop.users.v1.UserService")
    return service.GetUser(users.GetUserRequest(id="u1"), **options)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_replicas_are_processes_that_name_themselves():
    with start(3) as backend:
        assert len(set(backend.addresses)) == len(set(backend.pids)) == 3
        for address in backend.addresses:
            async with grpc.aio.insecure_channel(address) as channel:
                call = get_user(channel)
                await call
                replica = dict(await call.initial_metadata())["x-replica"]
                assert address.endswith(f":{replica}")
        assert backend.stop() == 0
        assert all(is_gone(pid) for pid in backend.pids)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(number):
    with start(2) as backend:
        os.kill(backend.pid, number)
        assert backend.wait() == 0
        assert all(is_gone(pid) for pid in backend.pids)


async def test_a_running_call_does_not_hold_up_the_end():
    with start() as backend:
        async with grpc.aio.insecure_channel(backend.addresses[0]) as channel:
            stream = Client(channel, "shop.inventory.v1.InventoryService").WatchStock(
                inventory.WatchStockRequest()
            )
            await stream.read()
            assert backend.stop() == 0
            with fails_with(UNAVAILABLE):
                while await stream.read() is not grpc.aio.EOF:
                    pass


def test_replicas_die_with_a_parent_that_is_killed():
    with start(2) as backend:
        os.kill(backend.pid, signal.SIGKILL)
        backend.wait()
        # Output ends when the last process that holds it has gone.
        assert backend.read_line() == ""
        assert all(is_gone(pid) or is_zombie(pid) for pid in backend.pids)


def is_zombie(pid: int) -> bool:
    """Whether a process ended and was only not waited for: orphans here may have no init."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


async def test_a_crash_takes_one_replica_only():
    with start(2) as backend:
        first, second = backend.addresses
        async with grpc.aio.insecure_channel(first) as channel:
            with fails_with(UNAVAILABLE):
                await get_user(channel, metadata=(("x-fault-crash", "1"),))
        async with grpc.aio.insecure_channel(second) as channel:
            await get_user(channel)
        assert backend.stop() == 1  # one had ended by itself


async def test_a_crash_in_the_middle_of_a_stream():
    with start() as backend:
        async with grpc.aio.insecure_channel(backend.addresses[0]) as channel:
            stream = Client(channel, "shop.chat.v1.ChatService").Join(
                metadata=(("x-fault-crash", "1"), ("x-fault-after", "2"))
            )
            await stream.write(chat.JoinRequest(room="support", user_id="u1"))
            assert (await stream.read()).joined == "u1"
            await stream.write(chat.JoinRequest(ping=1))
            with fails_with(UNAVAILABLE):
                while await stream.read() is not grpc.aio.EOF:
                    pass
        assert backend.wait() == 1  # the last replica is gone, so the command ends


async def test_restart_on_the_same_port():
    with start(1, "--restart") as backend:
        (address,) = backend.addresses
        async with grpc.aio.insecure_channel(address) as channel:
            with fails_with(UNAVAILABLE):
                await get_user(channel, metadata=(("x-fault-crash", "1"),))
        assert backend.read_line() == f"serving on {address}"
        async with grpc.aio.insecure_channel(address) as channel:
            await get_user(channel)
        assert backend.stop() == 0


async def test_crash_after_calls():
    with start(1, "--crash-after", "2") as backend:
        async with grpc.aio.insecure_channel(backend.addresses[0]) as channel:
            await get_user(channel)
            await get_user(channel)
            with fails_with(UNAVAILABLE):
                await get_user(channel)


def test_refuse_holds_the_port_and_accepts_nobody():
    with start(1, "--refuse") as backend:
        host, port = backend.addresses[0].split(":")
        with socket.socket() as client:
            assert client.connect_ex((host, int(port))) == errno.ECONNREFUSED
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind((host, int(port)))


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        pytest.param(["--error", "ABORTED"], grpc.StatusCode.ABORTED, id="error"),
        pytest.param(["--error", "10", "--error-percent", "0"], None, id="in no call"),
        pytest.param(["--error-after", "1"], UNAVAILABLE, id="after the work"),
        pytest.param(["--hang"], grpc.StatusCode.DEADLINE_EXCEEDED, id="hang"),
        pytest.param(["--hang", "--fault-methods", "*/List*"], None, id="other methods"),
        pytest.param(["--delay", "1ms"], None, id="delay"),
        pytest.param(["--delay", "1h"], grpc.StatusCode.DEADLINE_EXCEEDED, id="long delay"),
        pytest.param(["--services", "catalog"], grpc.StatusCode.UNIMPLEMENTED, id="not served"),
    ],
)
async def test_flag(flags, code):
    with start(1, *flags) as backend:
        async with grpc.aio.insecure_channel(backend.addresses[0]) as channel:
            if code is None:
                assert (await get_user(channel, timeout=20)).id == "u1"
            else:
                with fails_with(code):
                    short = code is grpc.StatusCode.DEADLINE_EXCEEDED
                    await get_user(channel, timeout=0.3 if short else 20)


async def test_faults_of_one_replica():
    with start(2, "--error", "ABORTED", "--fault-replicas", "1") as backend:
        well, ill = backend.addresses
        async with grpc.aio.insecure_channel(well) as channel:
            await get_user(channel)
        async with grpc.aio.insecure_channel(ill) as channel:
            with fails_with(grpc.StatusCode.ABORTED):
                await get_user(channel)


async def test_max_message_bounds_what_it_takes():
    with start(1, "--max-message", "1KiB") as backend:
        async with grpc.aio.insecure_channel(backend.addresses[0]) as channel:
            service = Client(channel, "shop.users.v1.UserService")
            with fails_with(grpc.StatusCode.RESOURCE_EXHAUSTED):
                await service.GetUser(users.GetUserRequest(id="x" * 2000))


async def test_cancellation_is_seen_by_the_replica():
    with start() as backend:
        async with grpc.aio.insecure_channel(backend.addresses[0]) as channel:
            stream = Client(channel, "shop.inventory.v1.InventoryService").WatchStock(
                inventory.WatchStockRequest()
            )
            await stream.read()
            stream.cancel()
            await calls_reach(
                channel,
                "/shop.inventory.v1.InventoryService/WatchStock",
                lambda counts: counts.ended == 1,
            )


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "services_mock", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_port_that_is_taken():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = run("--port", str(port))
    assert result.returncode == 1
    assert f"services_mock: cannot listen on 127.0.0.1:{port}" in result.stderr
    assert "Traceback" not in result.stderr
    assert "ready" not in result.stdout


@pytest.mark.parametrize(
    "flags",
    [
        ["--replicas", "0"],
        ["--port", "65535", "--replicas", "2"],
        ["--services", "catalog,moon"],
        ["--delay", "soon"],
        ["--error", "OK"],
        ["--max-message", "4 parsecs"],
        ["--fault-replicas", "a"],
    ],
    ids=" ".join,
)
def test_a_bad_flag_is_named(flags):
    result = run(*flags)
    assert result.returncode == 2
    assert flags[0] in result.stderr
    assert "Traceback" not in result.stderr


def test_it_runs_from_wherever_it_lies_beside_its_protos(tmp_path):
    root = Path(services_mock.__file__).parent.parent
    for folder in ("protos", "services_mock"):
        shutil.copytree(root / folder, tmp_path / folder)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "services_mock", "--port", "0", "--log"],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert [process.stdout.readline().split()[0] for _ in range(3)][-1] == "ready"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_the_log_tells_of_each_call():
    command = [sys.executable, "-m", "services_mock", "--port", "0", "--log"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        lines = [process.stdout.readline() for _ in range(3)]
        address = lines[0].split()[-1]
        with grpc.insecure_channel(address) as channel:
            stub = Client(channel, "shop.users.v1.UserService")
            stub.GetUser(users.GetUserRequest(id="u1"))
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
    assert log.startswith(f"{address} /shop.users.v1.UserService/GetUser completed ")
