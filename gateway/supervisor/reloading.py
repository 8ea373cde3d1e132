"""Has all workers serve a new config: first one that answers, then, if it can be, the others.

One that is silent, such as one that was stopped, holds nobody up: it is told, and told again when
it has answered, until it serves what the others do. It reads no config, and starts no worker.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

from gateway.operations import NOT_NOW, OperationError
from gateway.supervisor.messages import Refused, Reloaded
from gateway.supervisor.snapshot import Snapshot
from gateway.supervisor.worker import State, Worker

log = logging.getLogger("gateway")

_PULSE: Final = 4.0  # seconds for an answer of a worker that is well, be it busy
_PATIENCE: Final = 30.0  # seconds after which one that is being reloaded is asked for a pulse


class ReloadError(Exception):
    """The new config can't be served; the old one goes on.

    Attributes:
        lines: Why, for the user.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


class Reloading:
    """Brings workers to the newest config that is good.

    Args:
        workers: All of them.
        newest: What they start with.
        pulse: Seconds for a sign of life.
        patience: Seconds after which a worker that is being reloaded is asked for one.

    Attributes:
        newest: What all serve, or are told to serve.
        generation: The number of that.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        newest: Snapshot,
        *,
        pulse: float = _PULSE,
        patience: float = _PATIENCE,
    ) -> None:
        self.newest = newest
        self.generation = 1
        self._workers = workers
        self._pulse = pulse
        self._patience = patience
        self._silent: Sequence[Worker] = ()
        self._trailing: set[asyncio.Task[Sequence[str]]] = set()
        for worker in workers:
            worker.late = partial(self._trail, worker)

    async def begin(self, snapshot: Snapshot, generation: int) -> Reloaded | None:
        """Has one worker serve a config, the newest from then on; one reload at a time.

        Args:
            snapshot: The config.
            generation: Its number.

        Returns:
            What the worker said; None if none is ready, and all begin with the new config.

        Raises:
            ReloadError: It can't be served, or no worker answers; the old one goes on.
        """
        ready = [each for each in self._workers if each.state is State.READY]
        alive = await self._alive(ready)
        said = await self._first_answer(alive, snapshot, generation)
        if said is None and any(each.state is State.READY for each in ready):
            raise ReloadError(["no worker answers"])
        if isinstance(said, Refused):
            raise ReloadError(said.lines)
        self.newest, self.generation = snapshot, generation
        self._silent = [each for each in ready if each not in alive or each.owes]
        return said

    async def follow(self) -> list[str]:
        """Has all others serve it too; waits for none that is silent.

        Returns:
            Why some do not, as lines.
        """
        brought = []
        for worker in self._workers:
            if worker in self._silent:
                log.warning("worker %d does not answer: it is reloaded when it does", worker.number)
                self._trail(worker)
            else:
                brought.append(self._bring(worker))
        return [line for lines in await asyncio.gather(*brought) for line in lines]

    async def close(self) -> None:
        """Waits for no worker any more."""
        for task in self._trailing:
            task.cancel()
        await asyncio.gather(*self._trailing, return_exceptions=True)

    async def _alive(self, ready: Sequence[Worker]) -> list[Worker]:
        """Returns the workers that give a sign of life, and have nothing else to do first."""
        free = [each for each in ready if not each.owes]
        pulses = await asyncio.gather(*map(self._has_pulse, free))
        return [worker for worker, has_pulse in zip(free, pulses, strict=True) if has_pulse]

    async def _has_pulse(self, worker: Worker) -> bool:
        try:
            return await worker.ask("readiness", {}, self._pulse) is not None
        except OperationError as refused:
            return refused.reason != NOT_NOW

    async def _first_answer(
        self, workers: Sequence[Worker], snapshot: Snapshot, generation: int
    ) -> Reloaded | Refused | None:
        """Returns what the first worker that answers says to a config; None where none does."""
        for worker in workers:
            if worker.state is State.READY:
                reloading = asyncio.ensure_future(worker.reload(snapshot, generation))
                if said := await self._answer(worker, reloading):
                    return said
        return None

    async def _answer(
        self, worker: Worker, reloading: asyncio.Future[Reloaded | Refused]
    ) -> Reloaded | Refused | None:
        """Returns what a worker says that is being reloaded; None where it has fallen silent."""
        try:
            while not reloading.done():
                await asyncio.wait((reloading,), timeout=self._patience)
                if not reloading.done() and not await self._has_pulse(worker):
                    return None
            return await reloading
        finally:
            reloading.cancel()

    def _trail(self, worker: Worker) -> None:
        """Has a worker come to the newest config in its own time."""
        task = asyncio.ensure_future(self._bring(worker))
        self._trailing.add(task)
        task.add_done_callback(self._trailing.discard)

    async def _bring(self, worker: Worker) -> Sequence[str]:
        """Has a worker serve the newest config, whatever it is doing.

        One that has yet to answer to another is told when it has (`Worker.late`).

        Returns:
            Why it does not, as lines.
        """
        if worker.state is State.WAITING:
            worker.wake.set()  # what it died of may be gone
            return ()
        await worker.settled.wait()
        told: Snapshot | None = None
        lines: Sequence[str] = ()
        while (
            worker.state is State.READY
            and not worker.owes
            and worker.snapshot is not self.newest
            and told is not self.newest
        ):
            told = self.newest
            answer = await worker.reload(told, self.generation)
            lines = answer.lines if isinstance(answer, Refused) else ()
            for line in lines:
                log.error("worker %d was not reloaded: %s", worker.number, line)
        return [f"worker {worker.number}: {line}" for line in lines]
