"""What a provider must wait for, begun only when somebody does.

A call may be cancelled before anybody waits for its provider. A coroutine that nobody awaits is a
warning; this is nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any

from gateway.call import Principal


class Pending:
    """Awaits what a function returns. To be awaited once.

    Args:
        begin: Returns the coroutine.
    """

    __slots__ = ("_begin",)

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, Principal]]) -> None:
        self._begin = begin

    def __await__(self) -> Generator[Any, None, Principal]:
        return self._begin().__await__()
