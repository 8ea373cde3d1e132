"""A real Redis for tests: Debian's `redis-server` on a free port of this machine, in its own folder.

`redis_server` is one for all tests of a process, `redis_url` an empty one among them. A test that
kills, freezes or fills its Redis has one of its own: `own_redis`, or `running(...)`.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

PROGRAM = shutil.which("redis-server")
PATIENCE = 20.0


class RedisServer:
    """A Redis in a process of its own.

    Args:
        folder: Where it keeps what it keeps.
        persistent: Whether it has all after a restart, also after one by force.
        password: What its clients must know.
        options: More lines of its config, such as `{"cluster-enabled": "yes"}`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        persistent: bool = False,
        password: str | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.port = _free_port()
        self._password = password
        said = {"appendonly": "yes", "appendfsync": "always"} if persistent else {}
        said |= {"requirepass": password} if password else {}
        self._options = said | (options or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What clients connect to, with the password."""
        secret = f":{self._password}@" if self._password else ""
        return f"redis://{secret}127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.folder),
            "save": '""',
            "daemonize": "no",
            "maxmemory-policy": "noeviction",
            "logfile": str(self.folder / "redis.log"),
            **self._options,
        }
        config = self.folder / "redis.conf"
        config.write_text("".join(f"{key} {value}\n" for key, value in options.items()))
        self._process = subprocess.Popen(
            [PROGRAM, str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + PATIENCE
        while not self._answers():
            log = self.folder / "redis.log"
            said = log.read_text() if log.exists() else ""
            assert self._process.poll() is None, f"redis-server ended: {said}"
            assert time.monotonic() < until, f"redis-server does not answer: {said}"
            time.sleep(0.01)

    def kill(self) -> None:
        """Ends it by force, without a word to its clients; what was not written is lost."""
        self._end(signal.SIGKILL)

    def end(self) -> None:
        """Ends it as an operator does."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Kills it where it runs, and starts it again on the same port."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """Freezes it: connections stay open, and are made, and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def cont(self) -> None:
        """Lets it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def full(self, *, is_full: bool = True) -> None:
        """Lets it take no more, or any number again."""
        self.ask("CONFIG", "SET", "maxmemory", "1" if is_full else "0")

    def flush(self) -> None:
        """Removes all keys, of all databases."""
        self.ask("FLUSHALL")

    def ask(self, *command: str) -> object:
        """Sends one command over a connection of its own, and returns the answer."""
        with redis.Redis(port=self.port, password=self._password, socket_timeout=PATIENCE) as each:
            return each.execute_command(*command)

    def _answers(self) -> bool:
        try:
            return bool(self.ask("PING"))
        except redis.RedisError:
            return False

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.send_signal(signal.SIGCONT)  # one that is frozen ends at that only
            self._process.wait(timeout=PATIENCE)


@contextmanager
def running(folder: Path, **given) -> Iterator[RedisServer]:
    """A server until the block ends; see `RedisServer`. Skips where there is no such program."""
    if PROGRAM is None:
        pytest.skip("there is no redis-server here; `make test` installs it")
    server = RedisServer(folder, **given)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory) -> Iterator[RedisServer]:
    """A server for all tests of this process: not to be ended."""
    with running(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server) -> str:
    """The URL of a server that is empty when the test begins, and that nobody else uses."""
    redis_server.flush()
    return redis_server.url


@pytest.fixture
def own_redis(tmp_path) -> Iterator[RedisServer]:
    """A server of the test's own: it may be killed, frozen, filled."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with running(folder) as server:
        yield server


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]
