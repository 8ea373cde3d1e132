"""Operations as pages of the admin listener: their paths, and the forms of their answers.

What an operation does is its own; whether one process does it or several, is told by who asks.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gateway.listener.admin import Asked, Page
from gateway.listener.faults import JSON, Fault, Refused
from gateway.operations.asking import (
    FAILED,
    NOT_ASKED_RIGHT,
    NOT_NOW,
    NOT_THERE,
    Ask,
    Content,
    OperationError,
)
from gateway.state.usage.formats import csv_of, prometheus_of
from gateway.telemetry.metrics import exposition, negotiation

PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"

_STATUS: Final = {NOT_ASKED_RIGHT: 400, NOT_THERE: 404, NOT_NOW: 503, FAILED: 500}

Made: TypeAlias = "Callable[[Ask, Mapping[str, str]], Awaitable[Page]]"
"""Makes a page that is more than one answer, such as one that is streamed. Raises OperationError
before the page begins; what it asks later, it must answer for itself."""


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

    Its path may name segments as parameters, `/why/{id}`: they are arguments of the operation, as
    the parameters of the query are. A form may make text, `lambda content: Page(200, "text/plain",
    …)`. A page whose body is a generator of bytes is streamed, part by part, until it ends or the
    client goes; as an operation answers once, such a page is `made` of one that is asked again and
    again. It writes something every few minutes, or the listener takes it for stuck.

    Attributes:
        name: The operation's.
        about: What the page is for, in a line of the index.
        changes: Whether it changes something.
        formats: What makes the page, by the value of the parameter `format`. The first is the usual
            one; where there is but one, there is no such parameter.
        made: What makes the page instead, where one answer in a form is not it.
        preferred: Returns the form that an `Accept` asks for; None where only `format` says it.
    """

    name: str
    about: str
    changes: bool = False
    formats: Mapping[str, Callable[[Content], Page]] = field(
        default_factory=lambda: {"json": as_json}
    )
    made: Made | None = None
    preferred: Callable[[str], str] | None = None

    def asked_of(self, ask: Ask) -> Asked:
        """Returns the page."""
        make = self.made or self._formed

        async def answer(parameters: Mapping[str, str]) -> Page:
            try:
                return await make(ask, parameters)
            except OperationError as error:
                fault = Fault(_STATUS[error.reason], error.reason, error.message)
                raise Refused(fault) from error

        preferred = self.preferred
        if preferred is None:
            return Asked(answer, changes=self.changes)

        def implied(accept: str) -> Mapping[str, str]:
            return {"format": preferred(accept)}

        return Asked(answer, changes=self.changes, implied=implied)

    async def _formed(self, ask: Ask, parameters: Mapping[str, str]) -> Page:
        arguments = dict(parameters)
        usual = next(iter(self.formats))
        form = usual if len(self.formats) == 1 else arguments.pop("format", usual)
        if form not in self.formats:
            text = f"format: expected one of {', '.join(self.formats)}."
            raise OperationError(NOT_ASKED_RIGHT, text)
        content = await ask(self.name, arguments)
        return await asyncio.to_thread(self.formats[form], content)  # it may be long


PAGES: Final[Mapping[str, OperationPage]] = {
    "/cache/purge": OperationPage("purge", "lets go of replies that are kept", changes=True),
    "/config": OperationPage("config", "the config in effect, and what set each value"),
    "/drain": OperationPage("drain", "sends clients elsewhere, before an end", changes=True),
    "/filters": OperationPage("filters", "what the calls of each method pass, and what set it"),
    "/log": OperationPage("log", "has more logged, or less, for a while", changes=True),
    "/metrics": OperationPage(
        "metrics",
        "numbers, for Prometheus",
        formats={
            negotiation.TEXT: lambda content: _text(
                exposition.TEXT, exposition.text(content["metrics"])
            ),
            negotiation.OPENMETRICS: lambda content: _text(
                exposition.OPENMETRICS, exposition.openmetrics(content["metrics"])
            ),
        },
        preferred=negotiation.preferred,
    ),
    "/recent": OperationPage("recent", "the last requests that are kept, failures above all"),
    "/routes": OperationPage("routes", "every route, field and WebSocket, and what it calls"),
    "/sessions": OperationPage("sessions", "the WebSockets that are open, and whose they are"),
    "/tap": OperationPage("tap", "what came since the same one asked last"),
    "/undrain": OperationPage("undrain", "takes clients again after a drain", changes=True),
    "/upstreams": OperationPage("upstreams", "how backends do"),
    "/usage": OperationPage(
        "usage",
        "what callers used",
        formats={
            "json": as_json,
            "csv": lambda content: _text(
                "text/csv; charset=utf-8; header=present", csv_of(content)
            ),
            "prometheus": lambda content: _text(PROMETHEUS, prometheus_of(content)),
        },
    ),
    "/why/{id}": OperationPage("why", "why a request went as it did, by its id"),
    "/workers": OperationPage("workers", "the processes of the gateway"),
}


def pages(ask: Ask) -> dict[str, Asked]:
    """Returns the pages of all operations, by path.

    Args:
        ask: Has them done.
    """
    return {path: page.asked_of(ask) for path, page in PAGES.items()}
