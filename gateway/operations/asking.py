"""The terms in which an operation is asked: what it answers, and why it is not done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

Content: TypeAlias = "dict[str, Any]"
"""What an operation answers: what JSON has."""

Ask: TypeAlias = "Callable[[str, Mapping[str, str]], Awaitable[Content]]"
"""Has an operation done, by its name, with arguments. Raises OperationError."""

NOT_ASKED_RIGHT: Final = "BAD_REQUEST"
NOT_THERE: Final = "ROUTE_NOT_FOUND"
NOT_NOW: Final = "OPERATION_UNAVAILABLE"
FAILED: Final = "INTERNAL"


class OperationError(Exception):
    """An operation that was not done, or not by all who should.

    Attributes:
        reason: NOT_ASKED_RIGHT, NOT_THERE, NOT_NOW or FAILED.
        message: A sentence for the operator.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
