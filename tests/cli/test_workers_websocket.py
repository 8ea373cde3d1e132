"""`workers: N` and WebSocket: a session is resumed by any worker, and all of them say goodbye."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from services_mock.testing import Backend
from tests.cli.conftest import write_config
from tests.cli.processes import ANY_PORT, gateway
from tests.cli.several import Gateway, until

JOIN = "shop.chat.v1.ChatService/Join"
AWAY = 4000


@pytest.fixture
def running(tmp_path: Path, backend: Backend) -> Iterator[Gateway]:
    write_config(tmp_path, backend.addresses[0], "websocket: {resume: 60s}")
    with gateway("serve", *ANY_PORT, "--set", "workers=2", cwd=tmp_path) as serving:
        yield Gateway(serving)


@contextmanager
def socket_of(running: Gateway, worker: int) -> Iterator[ClientConnection]:
    """Opens a socket that one worker has accepted, before its `hello`."""
    with ExitStack() as stack:
        for _ in range(200):
            opened = stack.enter_context(connect(f"{running.url.replace('http', 'ws')}/ws"))
            if running.worker_of(SimpleNamespace(sock=opened.socket)) == worker:  # type: ignore[arg-type]
                yield opened
                return
        raise AssertionError(f"of 200 connections none went to worker {worker}")


def say(socket: ClientConnection, t: str, **members: Any) -> None:
    socket.send(json.dumps({"t": t, **members}))


def hear(socket: ClientConnection, t: str) -> dict[str, Any]:
    """Returns the next frame of a kind."""
    while (frame := json.loads(socket.recv(timeout=20)))["t"] != t:
        pass
    return frame


def hello(socket: ClientConnection, **members: Any) -> dict[str, Any]:
    say(socket, "hello", features=["resume"], **members)
    return hear(socket, "welcome")


def chat(socket: ClientConnection, room: str = "lobby") -> None:
    """Joins a room, as stream 1."""
    say(socket, "open", id=1, method=JOIN, body={"room": room, "userId": "ann"})
    assert hear(socket, "message")["body"]["joined"] == "ann"


def speak(socket: ClientConnection, text: str) -> None:
    """Says something in the room, and hears it."""
    say(socket, "message", id=1, body={"message": {"text": text}}, seq=1)
    assert hear(socket, "message")["body"]["message"]["text"] == text


@pytest.mark.parametrize("worker", [1, 2], ids=["its-own", "another"])
def test_a_session_is_resumed_by_whichever_worker_is_asked(worker: int, running: Gateway) -> None:
    with socket_of(running, 1) as socket:
        session = hello(socket)["session"]
        assert session.startswith("1."), "it names its worker"
        chat(socket)
        socket.socket.close()
    with socket_of(running, worker) as socket:
        welcome = hello(socket, session=session, seen={"1": 2}, granted={"1": 64})
        assert welcome["session"] == session
        assert [each["id"] for each in welcome["resumed"]] == [1]
        speak(socket, "back again")


def test_a_session_of_a_worker_that_died_is_lost(running: Gateway) -> None:
    pid = running.workers[1]
    with socket_of(running, 1) as socket:
        session = hello(socket)["session"]
        chat(socket)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=20)
    until(lambda: running.workers.get(1, pid) != pid)
    for worker in (1, 2):
        with socket_of(running, worker) as socket:
            welcome = hello(socket, session=session, seen={"1": 2}, granted={"1": 64})
            assert welcome["session"] != session
            assert (welcome.get("resumed", []), welcome["lost"]) == ([], [1])


def test_a_reload_keeps_the_sockets_of_all_workers(running: Gateway) -> None:
    with socket_of(running, 1) as one, socket_of(running, 2) as two:
        for socket, room in ((one, "lobby"), (two, "garden")):
            hello(socket)
            chat(socket, room)
        running.serving.signal(signal.SIGHUP)
        running.serving.read_error("reloaded: ")
        for socket in (one, two):
            speak(socket, "still here")


def test_sigterm_is_told_on_the_sockets_of_all_workers(running: Gateway) -> None:
    with socket_of(running, 1) as one, socket_of(running, 2) as two:
        for socket in (one, two):
            hello(socket)
            chat(socket)
        running.serving.signal(signal.SIGTERM)
        for socket in (one, two):
            assert hear(socket, "goaway")["reason"] == "draining"
            say(socket, "message", id=1, end=True, seq=1)
            status = hear(socket, "status")
            assert status["status"] == "OK"
            say(socket, "credit", id=1, n=0, seq=status["seq"])
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=20)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == AWAY
    assert running.serving.wait() == 0
