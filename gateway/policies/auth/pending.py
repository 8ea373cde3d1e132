"""What a provider must wait for: begun only when somebody waits, and for as long as the call has.

A call may be cancelled before anybody waits for its provider. A coroutine that nobody awaits is a
warning; this is nothing at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

from gateway.call import Deadline
from gateway.errors import error

T = TypeVar("T")


class Pending(Generic[T]):
    """Awaits what a function returns. To be awaited once.

    Args:
        begin: Returns the coroutine.
    """

    __slots__ = ("_begin",)

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._begin = begin

    def __await__(self) -> Generator[Any, None, T]:
        return self._begin().__await__()


@asynccontextmanager
async def in_time(deadline: Deadline | None) -> AsyncIterator[None]:
    """Ends what is awaited within it when a call's time is over.

    Args:
        deadline: The call's; None has no end.

    Raises:
        RpcError: DEADLINE_EXCEEDED.
    """
    try:
        async with asyncio.timeout_at(None if deadline is None else deadline.at):
            yield
    except TimeoutError:
        text = "The deadline passed before it was known who calls."
        raise error("DEADLINE_EXCEEDED", text) from None
