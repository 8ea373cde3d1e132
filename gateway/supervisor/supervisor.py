"""Has all workers: starts them, restarts them, reloads and drains them.

Signals and printing are its caller's.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from gateway.config import Config, ConfigError
from gateway.listener import Listener, admin
from gateway.operations import Content, OperationError
from gateway.operations.log_levels import LogLevels
from gateway.operations.readiness import REFUSED_RELOAD, Stage, Standing
from gateway.operations.reloads import Reloads
from gateway.operations.site import site
from gateway.supervisor.asking import Asking
from gateway.supervisor.memory import SharedMemory
from gateway.supervisor.messages import Failed, Reloaded, Start
from gateway.supervisor.reloading import ReloadError, Reloading
from gateway.supervisor.snapshot import Snapshot
from gateway.supervisor.sockets import Sockets
from gateway.supervisor.usage import Usage
from gateway.supervisor.worker import State, Worker, ending

log = logging.getLogger("gateway")

_LAST_WORDS: Final = 10.0  # seconds after `drain_timeout` for what a worker has to close
_FAILED: Final = 1


async def _until_woken(wake: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(wake.wait(), seconds)


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


class Supervisor:
    """Several workers behind the same addresses.

    Attributes:
        urls: Where clients find them, once started.
        admin_url: Where operators find the supervisor, or None.
        warnings: What the first worker said of the config.
        config: The newest that is good.
        reloads: What became of reloads.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        config: Config,
        workers: int,
        *,
        command: Sequence[str],
        logs: tuple[str, str] = ("info", "text"),
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[asyncio.Event, float], Awaitable[None]] = _until_woken,
    ) -> None:
        """Makes a supervisor, which starts nothing yet. To be called inside a running loop.

        Args:
            snapshot: What workers start with.
            config: What it makes.
            workers: How many.
            command: What runs one; see Worker.
            logs: What each of them logs: the least, and how a line is written.
            clock: Seconds that only grow.
            wait: Waits until an event is set, so many seconds at most.
        """
        self._wait = wait
        self._first = snapshot
        self.config = config
        self._usage = Usage(lambda: self.config.usage.callers)
        self._workers = [
            Worker(number, command, clock, self._usage.take) for number in range(1, workers + 1)
        ]
        self._reloading = Reloading(self._workers, snapshot)
        self._levels = LogLevels(asyncio.get_running_loop())
        self.reloads = Reloads()
        self._asking = Asking(self._workers, self._usage.tell, self._levels, self.reloads)
        self._logs = logs
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
        config = self.config
        addresses = [str(address) for address in config.listener.address]
        if config.admin is not None:
            token = config.admin.token
            self._admin = await admin(
                str(config.admin.address),
                site(self.ask, self.standing, self._jwks),
                None if token is None else token.get_secret_value(),
            )
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
            config=self._reloading.newest,
            started=self._first,
            meeting=self._meeting.name,
            memory=self._memory.fileno(),
            logs=self._logs,
            generation=self.reloads.generation,
            shows_progress=worker.number == 1 and not self._serving,
            taps=self._asking.taps.running,
        )

    async def _wait_to_restart(self, worker: Worker, how: str) -> None:
        for line in worker.failed.lines if worker.failed else ():
            log.error("worker %d: %s", worker.number, line)
        seconds = worker.backoff.ended()
        when = f"in {seconds:g} seconds" if seconds else "now"
        log.error("worker %d ended (%s); it is restarted %s", worker.number, how, when)
        worker.wake.clear()
        await self._wait(worker.wake, seconds)

    async def reload(self, snapshot: Snapshot) -> Reloaded | None:
        """Replaces what all workers serve: the first one's first, then, if it can be, the others'.

        Returns:
            What the first one said; None if none is ready, and all begin with the new config.

        Raises:
            ConfigError: The config is wrong; the old one goes on.
            ReloadError: What it names is wrong; the old one goes on.
        """
        try:
            return await self._reload(snapshot)
        except ConfigError as mistake:
            self.refuse(mistake.problems)
            raise
        except ReloadError as mistake:
            self.refuse(mistake.lines)
            raise
        except Exception:
            self.refuse(["It failed on something else: see the log."])
            raise

    async def _reload(self, snapshot: Snapshot) -> Reloaded | None:
        """See `reload`."""
        loaded = await asyncio.to_thread(snapshot.load)
        said = await self._reloading.begin(snapshot, self.reloads.generation + 1)
        self.reloads.succeed(time.time())
        self.config = loaded.config
        if lines := await self._reloading.follow():
            self.reloads.fail(time.time(), lines, is_partial=True)
        return said

    def refuse(self, problems: Iterable[object]) -> None:
        """Takes note of why a reload is refused."""
        self.reloads.fail(time.time(), problems)

    async def suggest(self, *, calls: bool) -> Sequence[str]:
        """Returns calls to try, which the first worker finds."""
        return await self._workers[0].suggest(calls=calls)

    async def ask(self, name: str, arguments: Mapping[str, str]) -> Content:
        """Has workers do an operation; see `Asking.ask`."""
        return await self._asking.ask(name, arguments)

    async def drain(self) -> int:
        """Ends all workers in order, each with the config's `drain_timeout`, then itself.

        Nothing of them is left when it returns, which is 10 seconds after `drain_timeout` at the
        latest.

        Returns:
            How many requests were cut.
        """
        self._draining.set()
        await self._reloading.close()
        if self._sockets is not None:
            # First, so that nobody waits in the queue of a worker that takes no more.
            self._sockets.close()
        for worker in self._workers:
            worker.drain()
        if self._keepers:
            _, stuck = await asyncio.wait(
                self._keepers, timeout=self.config.listener.drain_timeout + _LAST_WORDS
            )
            if stuck:
                log.error("%d workers do not end: killed", len(stuck))
                self.kill()
            await asyncio.gather(*self._keepers)
        self._levels.close()
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

    def reopen(self) -> None:
        """Has the logs of all workers go on in new files."""
        for worker in self._workers:
            worker.reopen()

    async def standing(self) -> Standing:
        """Returns how the gateway stands, all workers together."""
        if self._draining.is_set() or self._asking.is_retired:
            return Standing(Stage.DRAINING)
        if not self._serving:
            return Standing(Stage.STARTING)
        if not any(worker.state is State.READY for worker in self._workers):
            return Standing(Stage.NO_WORKER)
        try:
            told = await self.ask("readiness", {})
        except OperationError as error:
            return Standing(Stage.SERVING, [error.message])
        silent = told["unanswered"]
        away = [each.number for each in self._workers if each.state is not State.READY]
        warnings = [
            *(f"Worker {number} does not serve." for number in away),
            *([f"Workers that do not answer: {silent}."] if silent else []),
            *(f"Worker {number} serves an older config." for number in self._behind()),
            # A worker knows of reloads what it was told itself.
            *(each for each in told["warnings"] if each != REFUSED_RELOAD),
        ]
        if self.reloads.last_failed and not self.reloads.is_partial:
            warnings.append(REFUSED_RELOAD)
        return Standing(Stage.SERVING, warnings)

    def _behind(self) -> list[int]:
        """Returns the workers that serve an older config, but those that are being reloaded."""
        newest = self._reloading.generation
        return [
            each.number
            for each in self._workers
            if each.state is State.READY and each.generation < newest and not each.owes
        ]

    def _jwks(self) -> str | None:
        # Those of the newest config, as soon as one worker signs with them.
        newest = next(
            (
                each
                for each in self._workers
                if each.snapshot is self._reloading.newest and each.state is State.READY
            ),
            None,
        )
        return (newest or self._workers[0]).jwks


def _start_error(worker: Worker, how: str) -> StartError:
    if isinstance(worker.failed, Failed):
        return StartError(worker.failed.lines, worker.failed.code)
    text = f"worker {worker.number} ended before it was ready ({how})"
    return StartError([text], _FAILED)


def _no_memory(keys: int, failure: OSError) -> StartError:
    why = failure.strerror or str(failure)
    text = f"limits.keys: the workers can't share memory for the limits of {keys} keys: {why}"
    return StartError([text], _FAILED)
