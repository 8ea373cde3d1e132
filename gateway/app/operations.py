"""What operators may ask of a running gateway: named operations, which the parts of it offer.

Each is of one process. How it is asked from outside, and how the answers of several processes
become one, is not known here.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from gateway.operations import FAILED, NOT_THERE, OperationError

log = logging.getLogger(__name__)

Operation: TypeAlias = "Callable[[Mapping[str, str]], Awaitable[dict[str, Any]]]"
"""Does it, given arguments; returns what JSON has. Raises OperationError."""

_MISSING: Final[Mapping[str, str]] = {
    "usage": "Nothing is counted: usage.enabled is not set.",
    "purge": "Nothing is kept: no method has a cache.",
}


class Operations:
    """The operations of one generation, or of a process."""

    def __init__(self) -> None:
        self._by_name: dict[str, Operation] = {}

    def offer(self, name: str, operation: Operation) -> None:
        """Adds one."""
        self._by_name[name] = operation

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    async def run(self, name: str, arguments: Mapping[str, str]) -> dict[str, Any]:
        """Does one.

        Raises:
            OperationError: It can't be done, or can't be done so.
        """
        operation = self._by_name.get(name)
        if operation is None:
            raise OperationError(NOT_THERE, _MISSING.get(name, "There is no such operation."))
        try:
            return await operation(arguments)
        except OperationError:
            raise
        except Exception as bug:
            log.exception("a bug in the operation %s", name)
            raise OperationError(FAILED, "The gateway failed to do this.") from bug
