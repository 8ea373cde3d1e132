"""A gateway of several processes, seen from outside: who accepted what, who lives, what a load sees."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from tests.cli.processes import LISTENING, Serving

PRODUCT = "/v1/products/p1"
PATIENCE = 30.0  # seconds until a test that waits for something gives up


class Gateway:
    """A gateway of several processes, seen from outside."""

    def __init__(self, serving: Serving):
        self.serving = serving
        self.admin = serving.read_until("admin on ")
        self.url = serving.read_until(LISTENING)

    @property
    def port(self) -> int:
        return urlsplit(self.url).port

    def connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE)
        connection.connect()
        return connection

    def get(self, path: str) -> tuple[int, bytes]:
        with closing(self.connect()) as connection:
            return answer(connection, path)

    def page(self, path: str) -> tuple[int, dict]:
        netloc = urlsplit(self.admin).netloc
        with closing(http.client.HTTPConnection(netloc, timeout=PATIENCE)) as connection:
            status, body = answer(connection, path)
            return status, json.loads(body)

    @property
    def workers(self) -> dict[int, int]:
        """The process ids of workers that are ready, by number."""
        listed = self.page("/workers")[1]["workers"]
        return {each["worker"]: each["pid"] for each in listed if each["state"] == "ready"}

    def worker_of(self, connection: http.client.HTTPConnection) -> int:
        """The number of the worker that accepted a connection which was answered."""
        inode = accepted_inode(self.port, connection.sock.getsockname()[1])
        return next(
            number for number, pid in self.workers.items() if f"socket:[{inode}]" in open_files(pid)
        )

    @contextmanager
    def one_to_each(self) -> Iterator[dict[int, http.client.HTTPConnection]]:
        """A connection to each worker."""
        with ExitStack() as stack:
            found: dict[int, http.client.HTTPConnection] = {}
            for _ in range(200):
                connection = stack.enter_context(closing(self.connect()))
                answer(connection, PRODUCT)
                found.setdefault(self.worker_of(connection), connection)
                if len(found) == len(self.workers):
                    yield found
                    return
            raise AssertionError(f"of 200 connections all went to {set(found)}")

    def all_ready(self) -> bool:
        return len(self.workers) == len(self.page("/workers")[1]["workers"])


def answer(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    connection.request("GET", path)
    with connection.getresponse() as reply:
        return reply.status, reply.read()


def accepted_inode(server: int, client: int) -> str:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        here, there = (int(fields[at].rpartition(":")[2], 16) for at in (1, 2))
        if (here, there) == (server, client):
            return fields[9]
    raise AssertionError(f"no connection from {client} to {server}")


def open_files(pid: int) -> set[str]:
    found = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(each.readlink()))
        except FileNotFoundError:
            continue  # it was closed meanwhile
    return found


def until(check: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs: one that ended and whose parent is gone may wait for its burial."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Load:
    """Clients that ask one thing after another, each on a new connection or all on one."""

    def __init__(self, running: Gateway, *, fresh: bool):
        self.running = running
        self.fresh = fresh
        self.answers: list[int] = []
        self.failures: list[Exception] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        connection = self.running.connect()
        while not self._stop.is_set():
            try:
                if self.fresh:
                    connection.close()
                    connection = self.running.connect()
                self.answers.append(answer(connection, PRODUCT)[0])
            except (OSError, http.client.HTTPException) as failure:
                self.failures.append(failure)
        connection.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
