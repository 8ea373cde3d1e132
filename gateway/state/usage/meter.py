"""Brings what a process counted to where it is kept, once a second and before every answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from gateway.state.usage.counts import Row, counts_of
from gateway.state.usage.ledger import Ledger
from gateway.state.usage.outbox import Batch, Outbox
from gateway.state.usage.question import Answer, Question
from gateway.state.usage.totals import Totals

log = logging.getLogger(__name__)

EVERY: Final = 1.0
"""Seconds between two times that what was counted is told."""

LAST: Final = 5.0
"""Seconds at the end in which what could not be told yet is tried again."""

_TRIES: Final = 3  # of a batch that a store fails to understand
_AGAIN: Final = 0.1  # seconds between two of these


class StoreError(Exception):
    """What was told may or may not have arrived, or nothing can be read now."""


class Store(Protocol):
    """Where usage is kept."""

    async def take(self, batch: Batch) -> None:
        """Takes a batch: once, however often it is told.

        Raises:
            StoreError: It is to be told again. After any other error it is, too, some times.
        """

    async def answer(self, question: Question) -> Answer:
        """Returns the answer to a question, of all that was taken so far.

        Raises:
            StoreError: It can't be read now.
            QuestionError: It has none.
        """


class InMemory:
    """Keeps the usage of this process, as long as it runs."""

    def __init__(self, totals: Totals) -> None:
        self._totals = totals

    async def take(self, batch: Batch) -> None:
        """See Store."""
        self._totals.add(counts_of(batch.rows))

    async def answer(self, question: Question) -> Answer:
        """See Store."""
        return await self._totals.answer(question)


class Told:
    """Leaves all to another process, which is told and does not say more."""

    def __init__(self, tell: Callable[[Sequence[Row]], Awaitable[None]]) -> None:
        """Makes one.

        Args:
            tell: Tells it, all or nothing where it is cancelled.
        """
        self._tell = tell

    async def take(self, batch: Batch) -> None:
        """See Store."""
        await self._tell(batch.rows)

    async def answer(self, question: Question) -> Answer:  # noqa: ARG002  the interface's
        """Returns nothing: the other process has all."""
        return {}


class Meter:
    """The way from what a process counts to where it is kept.

    Args:
        store: Where it is kept.
        ledger: Where calls are counted.
    """

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._ledger = ledger
        self._store = store
        self._outbox = Outbox()
        self._lock = asyncio.Lock()
        self._telling: asyncio.Task[None] | None = None
        self._failing = False
        self._bugs = 0  # of the batch that is to be told

    async def open(self) -> None:
        """Begins to tell what is counted."""
        self._telling = asyncio.create_task(self._tell())

    async def close(self) -> None:
        """Tells the rest. What is counted from now on is another meter's to tell."""
        if self._telling is not None:
            self._telling.cancel()
            with suppress(asyncio.CancelledError):
                await self._telling
        self._outbox.put(self._ledger.take())
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST):
                while not await self._sent():  # noqa: ASYNC110  it is tried, not waited for
                    await asyncio.sleep(_AGAIN)
        if lost := self._outbox.calls:
            log.error("the usage of %d calls is lost: it could not be kept", lost)

    async def answer(self, question: Question) -> Answer:
        """Returns the answer to a question, with all that was counted until now.

        Raises:
            StoreError: It can't be had now.
            QuestionError: There is none.
        """
        await self.flush()
        return await self._store.answer(question)

    async def flush(self) -> None:
        """Tells all that was counted until now.

        Raises:
            StoreError: Some of it is to be told again.
        """
        self._outbox.put(self._ledger.take())
        await self._send()

    async def _send(self) -> None:
        async with self._lock:
            while (batch := self._outbox.next()) is not None:
                await self._take(batch)
                self._outbox.arrived()
                await asyncio.sleep(0)  # calls go on between batches

    async def _take(self, batch: Batch) -> None:
        """Has a batch kept, or sets it aside: one that is a bug's must not keep the others waiting.

        Raises:
            StoreError: It is to be told again.
        """
        try:
            await self._store.take(batch)
        except StoreError:
            raise
        except Exception as bug:
            self._bugs += 1
            if self._bugs < _TRIES:
                raise StoreError(f"a bug, {type(bug).__name__}") from bug
            log.exception("the usage of %d calls is lost: a bug in keeping it", batch.calls)
        self._bugs = 0

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self._outbox.put(self._ledger.take())
            await self._sent()

    async def _sent(self) -> bool:
        """Whether all could be told; logs where that changes."""
        try:
            await self._send()
        except StoreError as error:
            if not self._failing:
                log.warning("usage can't be kept now: %s; it waits in memory", error)
            self._failing = True
            return False
        if self._failing:
            log.info("usage is kept again")
            self._failing = False
        return True
