"""A span: something that took its time in a trace. Data only."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple, TypeAlias

from gateway.call import Code

Attributes: TypeAlias = "dict[str, str | int | bool]"

MOST: Final = 1024
"""Characters of a value that a client or a backend chose."""

# Of a server's answers, these are failures of its own (the conventions for gRPC, server span).
_FAULTS: Final = frozenset({
    Code.UNKNOWN, Code.DEADLINE_EXCEEDED, Code.UNIMPLEMENTED, Code.INTERNAL, Code.UNAVAILABLE,
    Code.DATA_LOSS,
})  # fmt: skip


class Kind(IntEnum):
    """What a span is (OpenTelemetry's `SpanKind`)."""

    INTERNAL = 0
    SERVER = 1
    CLIENT = 2


class Event(NamedTuple):
    """Something that happened within a span.

    Attributes:
        name: What.
        at: When, on the clock of the record.
    """

    name: str
    at: float


class Span(NamedTuple):
    """A span.

    Attributes:
        trace_id: Its trace's id, 32 hexadecimal digits.
        span: Its id, 16 of them.
        parent: The id of the span above it; None for none.
        remote: Whether that one is the caller's.
        state: The trace's `tracestate`.
        name: What it is called.
        kind: What it is.
        began: When it began, on the clock of the record, in seconds.
        ended: When it ended.
        attributes: What is said of it.
        failed: Whether it failed.
        events: What happened within.
        links: Spans that it has to do with, as trace ids and span ids.
    """

    trace_id: str
    span: str
    parent: str | None
    remote: bool
    state: str
    name: str
    kind: Kind
    began: float
    ended: float
    attributes: Attributes
    failed: bool = False
    events: Sequence[Event] = ()
    links: Sequence[tuple[str, str]] = ()


def fault(code: int, reason: str | None) -> str | None:
    """Returns the `error.type` of something that was answered so; None where that is no failure.

    A client that asks for what there is not, or may not, has failed by itself.

    Args:
        code: A gRPC status code.
        reason: The gateway's own reason.
    """
    if code not in _FAULTS:
        return None
    return reason or Code(code).name


def address(given: str) -> tuple[str, int | None]:
    """Returns name and port of `name:port`, of `[::1]:80` and the like; the port None for none."""
    name, colon, port = given.rpartition(":")
    if colon and port.isascii() and port.isdigit() and not given.startswith("unix:"):
        return name.strip("[]"), int(port[:5])
    return given.removeprefix("unix:").strip("[]"), None
