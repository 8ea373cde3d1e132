"""What a gate must wait for: begun only when somebody waits.

A call may be cancelled before anybody waits for its gate. A coroutine that nobody awaits is a
warning; this is nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

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
