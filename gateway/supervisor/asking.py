"""What operators ask of several workers, as one gateway: who is asked, and what becomes of answers.

How answers become one is `merging`'s; which workers there are, the supervisor's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeAlias

from gateway.operations import NOT_NOW, Content, OperationError
from gateway.operations.arguments import only
from gateway.operations.log_levels import LogLevels
from gateway.operations.reloads import Reloads
from gateway.supervisor.merging import ALIKE, LOOKS, MERGES
from gateway.supervisor.taps import Taps
from gateway.supervisor.worker import State, Worker
from gateway.telemetry.metrics.merging import Workers
from gateway.telemetry.metrics.standing import (
    LAST_RELOAD,
    LAST_RELOAD_OK,
    RELOADS,
    RESTARTS,
    WORKERS,
)
from gateway.telemetry.metrics.told import rows

_DONE: Final = 10.0  # seconds that workers have for an operation that does more than to look
_ALONE: Final = 4.0  # seconds that one has, before another is asked for the same

_OF_ALL: Final = "0"  # stands for a worker where all are one, as in a gateway of one process
_NONE_READY: Final = "No worker is ready."

_Does: TypeAlias = "Callable[[Mapping[str, str]], Awaitable[Content]]"


class Asking:
    """Has workers do operations.

    Args:
        workers: All of them.
        usage: Tells what was used, which workers tell before they answer nothing.
        levels: Of this process's loggers.
        reloads: What became of reloads: one that was refused may never have come to a worker.

    Attributes:
        is_retired: Whether operators have ordered a drain.
        taps: Who follows requests.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        usage: _Does,
        levels: LogLevels,
        reloads: Reloads,
    ) -> None:
        self.is_retired = False
        self.taps = Taps()
        self._workers = workers
        self._reloads = reloads
        # What workers tell it of before they answer nothing.
        self._own: Mapping[str, _Does] = {"usage": usage}
        # What makes one answer of theirs; that of metrics remembers what those that end have told.
        self._metrics = Workers()
        self._merges = {**MERGES, "metrics": self._count, "why": self._why}
        # What this process does itself, before its workers.
        self._beside: Mapping[str, _Does] = {
            "drain": self._send_elsewhere,
            "log": levels.operate,
            "undrain": self._take_again,
        }

    async def ask(self, name: str, arguments: Mapping[str, str]) -> Content:
        """Has every worker that is ready do an operation, and makes one answer of theirs.

        One that ends meanwhile is left out: what it had is gone with it.

        Raises:
            OperationError: None is ready, one of them did not do it (of what only looks: none
                did), or they have different configs, by which one tells this process of what
                another keeps elsewhere.
        """
        if name == "workers":
            only(arguments)
            return self._listed()
        ready = [each for each in self._workers if each.state is State.READY]
        if name in ALIKE:
            return await self._ask_one(ready, name, arguments)
        if name in self._beside:
            # First: whatever a worker does not do, a drain is to be told to who looks.
            await self._beside[name](arguments)
        looks = LOOKS.get(name)
        asked = [each.ask(name, arguments, looks or _DONE) for each in ready]
        said = await asyncio.gather(*asked, return_exceptions=True)
        answers = [each for each in said if isinstance(each, dict)]
        for failure in said:
            if isinstance(failure, BaseException) and not (looks and answers):
                raise failure
        if not answers:
            raise OperationError(NOT_NOW, _NONE_READY)
        if name == "tap":
            self.taps.took(arguments)
        if looks:
            merge = self._merges[name]
            return {**merge(answers), "unanswered": len(ready) - len(answers)}
        if name in self._own and not all(answers):
            if any(answers):
                text = "The workers have different configs: a reload is under way. Ask again."
                raise OperationError(NOT_NOW, text)
            return await self._own[name](arguments)
        return self._merges[name](answers)

    async def _ask_one(
        self, ready: Sequence[Worker], name: str, arguments: Mapping[str, str]
    ) -> Content:
        """Has the first worker that answers do an operation that all do alike.

        Raises:
            OperationError: None answers, or one refuses.
        """
        failure = OperationError(NOT_NOW, _NONE_READY)
        for worker in ready:
            try:
                answer = await worker.ask(name, arguments, _ALONE)
            except OperationError as error:
                if error.reason != NOT_NOW:
                    raise
                failure = error
            else:
                if answer is not None:
                    return dict(answer)
        raise failure

    async def _send_elsewhere(self, arguments: Mapping[str, str]) -> Content:
        only(arguments)
        self.is_retired = True
        return {}

    async def _take_again(self, arguments: Mapping[str, str]) -> Content:
        only(arguments)
        self.is_retired = False
        return {}

    def _count(self, answers: Sequence[Content]) -> Content:
        merged, reloads = self._metrics.merge(answers), self._reloads
        merged["metrics"] |= {
            LAST_RELOAD.name: rows([((_OF_ALL,), reloads.last or 0)]),
            LAST_RELOAD_OK.name: rows([((_OF_ALL,), int(not reloads.last_failed))]),
            RELOADS.name: rows(
                ((outcome, _OF_ALL), count) for outcome, count in reloads.outcomes.items()
            ),
            WORKERS.name: rows([((), sum(w.state is State.READY for w in self._workers))]),
            RESTARTS.name: rows(
                ((str(worker.number),), max(0, worker.starts - 1)) for worker in self._workers
            ),
        }
        return merged

    def _why(self, answers: Sequence[Content]) -> Content:
        """Returns what all know; of the last reload, what is known here."""
        merged, reloads = MERGES["why"](answers), self._reloads
        if "reload" in merged:
            merged["reload"] = reloads.told()
        return merged

    def _listed(self) -> Content:
        workers = [
            {
                "worker": worker.number,
                "pid": worker.pid,
                "state": worker.state.value,
                "generation": worker.generation,
                "restarts": max(0, worker.starts - 1),
            }
            for worker in self._workers
        ]
        return {"workers": workers}
