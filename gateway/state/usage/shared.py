"""Usage in a Redis: the sums of all gateways that share it, by day.

A day is a hash: `gateway:{usage}:2026-11-21`, with fields such as
`calls ["keys","acme","free","shop.v1.Catalog/GetProduct"]` (provider, subject, plan, method).

Each process numbers its batches, and Redis keeps the last number of each process, in the same step
as the sums. So a batch whose answer was lost is told again, and counts once.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from importlib.resources import files
from typing import Final

from gateway.state.redis import Redis, StateUnavailable
from gateway.state.usage.counts import NUMBERS, Caller, Count, Counts, Key
from gateway.state.usage.meter import StoreError
from gateway.state.usage.outbox import Batch
from gateway.state.usage.question import Answer, Question, answered

log = logging.getLogger(__name__)

KEPT: Final = 400 * 86400
"""Seconds that a day is kept after the last that was counted on it."""

_KNOWN: Final = 40 * 86400  # seconds that the number of a silent process is kept
_PREFIX: Final = "gateway:{usage}:"  # one hash tag: a script's keys are of one node of a cluster
_SCRIPT: Final = files(__package__).joinpath("take.lua").read_text()
_PART: Final = 500  # fields that are read at once


class Shared:
    """Keeps usage in a Redis.

    Args:
        redis: The client.
        process: What no other process is named.
    """

    def __init__(self, redis: Redis, process: str | None = None) -> None:
        self._redis = redis
        self._take = redis.script(_SCRIPT)
        self._sender = f"{_PREFIX}sender:{process or uuid.uuid4().hex}".encode()

    async def take(self, batch: Batch) -> None:
        """See `meter.Store`."""
        days = sorted({str(row[0]) for row in batch.rows})
        args: list[bytes | int] = [batch.number, _KNOWN, KEPT]
        for day, provider, subject, plan, method, *numbers in batch.rows:
            field = _field(provider, subject, plan, method)
            args += [days.index(str(day)) + 2, field, *map(int, numbers)]
        try:
            failed = await self._take([self._sender, *map(_day_key, days)], args)
        except StateUnavailable as error:
            raise StoreError(str(error)) from error
        if failed:
            log.error("numbers of usage that are lost, as others wrote to their fields: %d", failed)

    async def answer(self, question: Question) -> Answer:
        """See `meter.Store`."""
        counts: Counts = {}
        try:
            for day in question.days:
                await self._read(day, counts)
        except StateUnavailable as error:
            raise StoreError(str(error)) from error
        return await asyncio.to_thread(answered, question, counts)  # calls go on meanwhile

    async def _read(self, day: str, counts: Counts) -> None:
        cursor = b"0"
        while True:
            cursor, found = await self._redis.call("HSCAN", _day_key(day), cursor, "COUNT", _PART)
            for field, number in zip(found[::2], found[1::2], strict=True):
                name, _, told = field.decode().partition(" ")
                if name not in NUMBERS:  # which a later version may know
                    continue
                provider, subject, plan, method = json.loads(told)
                count = counts.setdefault(
                    Key(day, Caller(provider, subject, plan), method), Count()
                )
                # Set, not added: a scan may tell a field twice.
                setattr(count, name, int(number))
            if cursor == b"0":
                return


def _day_key(day: str) -> bytes:
    return f"{_PREFIX}{day}".encode()


def _field(*told: str | int) -> bytes:
    """Returns what stands behind the name of a number in a field.

    Half of a surrogate pair, which a name may have and UTF-8 has not, is an escape of JSON.
    """
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")
