"""What the shop knows: the state that a replica's services share, in memory.

Each replica has its own; what one creates, the others do not see.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any

from services_mock.contract import common

_NANOS = 1_000_000_000


def now() -> datetime:
    """Gives the time, with its zone."""
    return datetime.now(UTC)


def euros(nanos: int) -> Any:
    """Makes an amount of a number of billionths of a euro."""
    units, rest = divmod(nanos, _NANOS)
    return common.Money(currency_code="EUR", units=units, nanos=rest)


def in_nanos(amount: Any) -> int:
    """Gives an amount in billionths of its currency's unit."""
    return int(amount.units) * _NANOS + int(amount.nanos)


@dataclass(slots=True)
class Room:
    """A chat room: what was said, and who listens (a queue each)."""

    topic: str
    messages: list[Any] = field(default_factory=list)
    listeners: set["asyncio.Queue[Any]"] = field(default_factory=set)


@dataclass(slots=True)
class File:
    """A stored file: what is known about it, and its first bytes (all of a small one)."""

    known: Any
    content: bytes


@dataclass(slots=True)
class Shop:
    """All that the services know, by id (reviews and threads by name, files by path)."""

    random: Random
    categories: dict[str, str]
    products: dict[str, Any] = field(default_factory=dict)
    stock: dict[str, Any] = field(default_factory=dict)
    warehouses: list[Any] = field(default_factory=list)
    users: dict[str, Any] = field(default_factory=dict)
    orders: dict[str, Any] = field(default_factory=dict)
    order_requests: dict[str, str] = field(default_factory=dict)
    reviews: dict[str, Any] = field(default_factory=dict)
    threads: dict[str, list[Any]] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    reservations: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1001))

    def new_id(self, prefix: str) -> str:
        """Makes an id that nothing has yet: seeded ones end below 1000."""
        return f"{prefix}{next(self._numbers)}"
