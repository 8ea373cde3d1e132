"""Operations as pages of the admin listener: their paths, and the forms of their answers.

What an operation does is its own; whether one process does it or several, is told by who asks.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from gateway.listener.admin import Asked, Page
from gateway.listener.faults import JSON, Fault, Refused
from gateway.state.usage.formats import csv_of, prometheus_of

Content: TypeAlias = "dict[str, Any]"
"""What an operation answers: what JSON has."""

Ask: TypeAlias = "Callable[[str, Mapping[str, str]], Awaitable[Content]]"
"""Has an operation done, by its name, with arguments. Raises OperationError."""

NOT_ASKED_RIGHT: Final = "BAD_REQUEST"
NOT_THERE: Final = "ROUTE_NOT_FOUND"
NOT_NOW: Final = "OPERATION_UNAVAILABLE"
FAILED: Final = "INTERNAL"

PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"

_STATUS: Final = {NOT_ASKED_RIGHT: 400, NOT_THERE: 404, NOT_NOW: 503, FAILED: 500}


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


def as_json(content: Content) -> Page:
    """Returns the answer of an operation as it is."""
    text = json.dumps(content, ensure_ascii=False)
    # Half of a surrogate pair, which a name may have and UTF-8 has not, is an escape of JSON.
    return Page(200, JSON, text.encode(errors="backslashreplace") + b"\n")


def _text(content_type: str, text: str) -> Page:
    return Page(200, content_type, text.encode(errors="replace"))


@dataclass(frozen=True, slots=True)
class OperationPage:
    """An operation with a page.

    Attributes:
        name: The operation's.
        changes: Whether it changes something.
        formats: What makes the page, by the value of the parameter `format`. The first is the usual
            one; where there is but one, there is no such parameter.
    """

    name: str
    changes: bool = False
    formats: Mapping[str, Callable[[Content], Page]] = field(
        default_factory=lambda: {"json": as_json}
    )

    def asked_of(self, ask: Ask) -> Asked:
        """Returns the page."""

        async def answer(parameters: Mapping[str, str]) -> Page:
            arguments = dict(parameters)
            usual = next(iter(self.formats))
            form = usual if len(self.formats) == 1 else arguments.pop("format", usual)
            if form not in self.formats:
                text = f"format: expected one of {', '.join(self.formats)}."
                raise Refused(Fault(400, NOT_ASKED_RIGHT, text))
            try:
                content = await ask(self.name, arguments)
            except OperationError as error:
                fault = Fault(_STATUS[error.reason], error.reason, error.message)
                raise Refused(fault) from error
            return await asyncio.to_thread(self.formats[form], content)  # it may be long

        return Asked(answer, changes=self.changes)


PAGES: Final[Mapping[str, OperationPage]] = {
    "/cache/purge": OperationPage("purge", changes=True),
    "/usage": OperationPage(
        "usage",
        formats={
            "json": as_json,
            "csv": lambda content: _text(
                "text/csv; charset=utf-8; header=present", csv_of(content)
            ),
            "prometheus": lambda content: _text(PROMETHEUS, prometheus_of(content)),
        },
    ),
}


def pages(ask: Ask) -> dict[str, Asked]:
    """Returns the pages of all operations, by path.

    Args:
        ask: Has them done.
    """
    return {path: page.asked_of(ask) for path, page in PAGES.items()}
