"""Answers that somebody wrote: which request has which, before any is made up.

Data, and the one decision of whether an entry is for a request. Reading files is not done here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from google.protobuf.message import Message

from gateway.call import Call, Code, Status

Condition: TypeAlias = "Callable[[Call, bytes], bool]"
"""Whether an entry is for a call with this (first) message."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Calls that fail on purpose.

    Attributes:
        percent: Their share.
        code: What they fail with; None where they are only slow.
        delay: How many seconds longer they take.
    """

    percent: float = 0.0
    code: Code | None = Code.UNAVAILABLE
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Delay:
    """How long an answer takes, in seconds: somewhere from `least` to `most`."""

    least: float = 0.0
    most: float = 0.0


@dataclass(frozen=True, slots=True)
class Fields:
    """Fields of a request that must be equal to those of a message.

    Attributes:
        paths: The fields, each a path of names as protos have them.
        expected: The message.
    """

    paths: tuple[tuple[str, ...], ...]
    expected: Message

    def match(self, request: Message) -> bool:
        """Whether a request's are."""
        return all(_at(request, path) == _at(self.expected, path) for path in self.paths)


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer that somebody wrote.

    Attributes:
        fields: What the request must have; None for anything.
        condition: What must hold of the call; None for nothing.
        replies: The serialized messages of the answer, one for a unary call; None for made-up ones.
        error: What it ends with after them; None for well.
        delay: How long it takes; None for as long as any other.
        interval: Seconds between two messages; None for as long as of any other.
        faults: Which of its calls fail; None for as many as of any other.
    """

    fields: Fields | None = None
    condition: Condition | None = None
    replies: tuple[bytes, ...] | None = None
    error: Status | None = None
    delay: Delay | None = None
    interval: float | None = None
    faults: Faults | None = None


NOTHING_WRITTEN: Final = Entry()


def entry_for(entries: Sequence[Entry], call: Call, data: bytes, request: Message) -> Entry:
    """Returns the first entry that is for a call.

    Args:
        entries: Those of its method.
        call: The call.
        data: Its request, or a stream's first one.
        request: The same, read.
    """
    for each in entries:
        if each.fields is not None and not each.fields.match(request):
            continue
        if each.condition is not None and not each.condition(call, data):
            continue
        return each
    return NOTHING_WRITTEN


def _at(message: Any, path: tuple[str, ...]) -> Any:
    """Returns the value at a path; whatever is not set has its default."""
    for name in path:
        message = getattr(message, name)
    return message
