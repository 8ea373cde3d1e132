"""Has all workers: starts them, restarts them, reloads and drains them.

Signals and printing are its caller's.
"""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from gateway.config import Config
from gateway.listener import Listener, Page, admin, jwks_page
from gateway.listener.admin import Routes
from gateway.operations import NOT_NOW, Content, OperationError, pages
from gateway.supervisor.memory import SharedMemory
from gateway.supervisor.merging import MERGES
from gateway.supervisor.messages import Failed, Refused, Reloaded, Start
from gateway.supervisor.snapshot import Snapshot
from gateway.supervisor.sockets import Sockets
from gateway.supervisor.usage import Usage
from gateway.supervisor.worker import State, Worker, ending

log = logging.getLogger("gateway")

_LAST_WORDS: Final = 10.0  # seconds after `drain_timeout` for what a worker has to close
_FAILED: Final = 1


class StartError(Exception):
    """A worker can't start.

    Attributes:
        lines: Why, for the user.
        code: What the process should exit with.
    """

    def __init__(self, lines: Sequence[str], code: int) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)
        self.code = code


class ReloadError(Exception):
    """The new config can't be served; the old one goes on.

    Attributes:
        lines: Why, for the user.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


class Supervisor:
    """Several workers behind the same addresses.

    Attributes:
        urls: Where clients find them, once started.
        admin_url: Where operators find the supervisor, or None.
        warnings: What the first worker said of the config.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        config: Config,
        workers: int,
        *,
        command: Sequence[str],
        log_level: str = "info",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Makes a supervisor, which starts nothing yet. To be called inside a running loop.

        Args:
            snapshot: What workers start with.
            config: What it makes.
            workers: How many.
            command: What runs one; see Worker.
            log_level: What each of them is told.
            clock: Seconds that only grow.
        """
        self._first = self._newest = snapshot
        self._config = config
        self._drain_timeout = config.listener.drain_timeout
        self._callers = config.usage.callers
        self._usage = Usage(lambda: self._callers)
        self._workers = [
            Worker(number, command, clock, self._usage.take) for number in range(1, workers + 1)
        ]
        # What workers tell it of before they answer nothing.
        self._own = {"usage": self._usage.tell}
        self._log_level = log_level
        self._sockets: Sockets | None = None
        self._memory: SharedMemory | None = None
        # Where workers find each other: only this user can enter it.
        self._meeting = tempfile.TemporaryDirectory(prefix="gateway-")
        self._admin: Listener | None = None
        self._keepers: set[asyncio.Task[None]] = set()
        self._broken: asyncio.Future[StartError] = asyncio.get_running_loop().create_future()
        self._serving = False
        self._draining = asyncio.Event()

    @property
    def urls(self) -> tuple[str, ...]:
        """Where clients find the workers."""
        return self._sockets.urls if self._sockets else ()

    @property
    def admin_url(self) -> str | None:
        """Where operators find the supervisor."""
        return self._admin.urls[0] if self._admin else None

    @property
    def warnings(self) -> Sequence[str]:
        """What the first worker said of the config when it was ready."""
        return self._workers[0].warnings

    async def start(self) -> None:
        """Binds all sockets, starts the first worker, then the others; all serve when it returns.

        The first one goes alone, so that what is wrong is found once, and protos are compiled once.
        Whatever it raises, `drain` is to be called then.

        Raises:
            ListenError: An address can't be listened on.
            StartError: A worker ended before all were ready, or they can't share memory.
        """
        config = self._config
        addresses = [str(address) for address in config.listener.address]
        if config.admin is not None:
            routes: Routes = {
                "/healthz": self._healthz,
                "/readyz": self._readyz,
                "/workers": self._listed,
                "/jwks.json": self._jwks,
                **pages(self.ask),
            }
            self._admin = await admin(str(config.admin.address), routes)
        secure = config.listener.tls is not None
        self._sockets = Sockets(addresses, len(self._workers), secure=secure)
        try:
            self._memory = SharedMemory(config.limits.keys)
        except OSError as failure:
            raise _no_memory(config.limits.keys, failure) from failure
        await self._until_ready(self._workers[:1])
        await self._until_ready(self._workers[1:])
        self._serving = True

    async def _until_ready(self, workers: Sequence[Worker]) -> None:
        """Starts workers, and waits until each has said that it serves."""
        for worker in workers:
            self._keepers.add(asyncio.create_task(self._keep(worker)))
        ready = asyncio.gather(*(worker.settled.wait() for worker in workers))
        try:
            await asyncio.wait((ready, self._broken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
            with suppress(asyncio.CancelledError):
                await ready
        if self._broken.done() or any(each.state is not State.READY for each in workers):
            raise await self._broken

    async def _keep(self, worker: Worker) -> None:
        """Runs a worker, again and again, until the drain."""
        while not self._draining.is_set():
            try:
                how = ending(await worker.run(self._start_of(worker)))
            except OSError as error:  # the machine has no memory or no process left
                how = f"can't be started: {error.strerror}"
            except Exception:
                log.exception("a bug in what watches worker %d", worker.number)
                how = "killed"
            if self._draining.is_set():
                return
            if not self._serving:
                if not self._broken.done():
                    self._broken.set_result(_start_error(worker, how))
                return
            await self._wait_to_restart(worker, how)

    def _start_of(self, worker: Worker) -> Start:
        assert self._sockets is not None
        assert self._memory is not None
        return Start(
            worker=worker.number,
            sockets=self._sockets.of(worker.number),
            config=self._newest,
            started=self._first,
            meeting=self._meeting.name,
            memory=self._memory.fileno(),
            log_level=self._log_level,
            shows_progress=worker.number == 1 and not self._serving,
        )

    async def _wait_to_restart(self, worker: Worker, how: str) -> None:
        for line in worker.failed.lines if worker.failed else ():
            log.error("worker %d: %s", worker.number, line)
        seconds = worker.backoff.ended()
        when = f"in {seconds:g} seconds" if seconds else "now"
        log.error("worker %d ended (%s); it is restarted %s", worker.number, how, when)
        worker.wake.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(worker.wake.wait(), seconds)

    async def reload(self, snapshot: Snapshot) -> Reloaded | None:
        """Replaces what all workers serve: the first one's first, then, if it can be, the others'.

        Returns:
            What the first one said; None if none is ready, and all begin with the new config.

        Raises:
            ConfigError: The config is wrong; the old one goes on.
            ReloadError: What it names is wrong; the old one goes on.
        """
        loaded = await asyncio.to_thread(snapshot.load)
        first = next((each for each in self._workers if each.state is State.READY), None)
        said: Reloaded | None = None
        if first is not None:
            answer = await first.reload(snapshot)
            if isinstance(answer, Refused):
                raise ReloadError(answer.lines)
            said = answer
        self._newest = snapshot
        self._drain_timeout = loaded.config.listener.drain_timeout
        self._callers = loaded.config.usage.callers
        others = [each for each in self._workers if each is not first]
        await asyncio.gather(*(self._bring(worker, snapshot) for worker in others))
        return said

    async def _bring(self, worker: Worker, snapshot: Snapshot) -> None:
        """Has a worker serve the newest config, whatever it is doing."""
        if worker.state is State.WAITING:
            worker.wake.set()  # what it died of may be gone
            return
        await worker.settled.wait()
        if worker.state is State.READY and worker.snapshot is not snapshot:
            answer = await worker.reload(snapshot)
            if isinstance(answer, Refused):
                for line in answer.lines:
                    log.error("worker %d was not reloaded: %s", worker.number, line)

    async def suggest(self, *, calls: bool) -> Sequence[str]:
        """Returns calls to try, which the first worker finds."""
        return await self._workers[0].suggest(calls=calls)

    async def ask(self, name: str, arguments: Mapping[str, str]) -> Content:
        """Has every worker that is ready do an operation, and makes one answer of theirs.

        One that ends meanwhile is left out: what it had is gone with it.

        Raises:
            OperationError: None is ready, one of them did not do it, or they have different
                configs, by which one tells this process of what another keeps elsewhere.
        """
        ready = [each for each in self._workers if each.state is State.READY]
        asked = [each.ask(name, arguments) for each in ready]
        said = await asyncio.gather(*asked, return_exceptions=True)
        for failure in said:
            if isinstance(failure, BaseException):
                raise failure
        answers = [each for each in said if isinstance(each, dict)]
        if not answers:
            raise OperationError(NOT_NOW, "No worker is ready.")
        if name in self._own and not all(answers):
            if any(answers):
                text = "The workers have different configs: a reload is under way. Ask again."
                raise OperationError(NOT_NOW, text)
            return await self._own[name](arguments)
        return MERGES[name](answers)

    async def drain(self) -> int:
        """Ends all workers in order, each with the config's `drain_timeout`, then itself.

        Nothing of them is left when it returns, which is 10 seconds after `drain_timeout` at the
        latest.

        Returns:
            How many requests were cut.
        """
        self._draining.set()
        if self._sockets is not None:
            # First, so that nobody waits in the queue of a worker that takes no more.
            self._sockets.close()
        for worker in self._workers:
            worker.drain()
        if self._keepers:
            _, stuck = await asyncio.wait(self._keepers, timeout=self._drain_timeout + _LAST_WORDS)
            if stuck:
                log.error("%d workers do not end: killed", len(stuck))
                self.kill()
            await asyncio.gather(*self._keepers)
        if self._admin is not None:
            await self._admin.drain(0)
        if self._memory is not None:
            self._memory.close()
        self._meeting.cleanup()
        return sum(worker.cut for worker in self._workers)

    def kill(self) -> None:
        """Ends all workers at once."""
        for worker in self._workers:
            worker.kill()

    def _healthz(self) -> Page:
        return _page(200, {"status": "serving"})

    def _readyz(self) -> Page:
        if self._draining.is_set():
            return _page(503, {"status": "draining"})
        if not self._serving:
            return _page(503, {"status": "starting"})
        if not any(worker.state is State.READY for worker in self._workers):
            return _page(503, {"status": "no worker is ready"})
        return _page(200, {"status": "ready"})

    def _jwks(self) -> Page:
        # Those of the newest config, as soon as one worker signs with them.
        newest = next(
            (
                each
                for each in self._workers
                if each.snapshot is self._newest and each.state is State.READY
            ),
            None,
        )
        return jwks_page((newest or self._workers[0]).jwks)

    def _listed(self) -> Page:
        workers = [
            {
                "worker": worker.number,
                "pid": worker.pid,
                "state": worker.state.value,
                "restarts": max(0, worker.starts - 1),
            }
            for worker in self._workers
        ]
        return _page(200, {"workers": workers})


def _start_error(worker: Worker, how: str) -> StartError:
    if isinstance(worker.failed, Failed):
        return StartError(worker.failed.lines, worker.failed.code)
    text = f"worker {worker.number} ended before it was ready ({how})"
    return StartError([text], _FAILED)


def _no_memory(keys: int, failure: OSError) -> StartError:
    why = failure.strerror or str(failure)
    text = f"limits.keys: the workers can't share memory for the limits of {keys} keys: {why}"
    return StartError([text], _FAILED)


def _page(status: int, content: object) -> Page:
    return Page(status, "application/json", json.dumps(content).encode())
