"""What supervisor and worker tell each other: a JSON object a message.

Both are of the same version: the supervisor starts its workers from the code it runs itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

from gateway.state.usage.counts import Row
from gateway.supervisor.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Start:
    """To a worker, first: begin to serve. Answered by Ready or Failed.

    Attributes:
        worker: Its number, from 1.
        sockets: Descriptors that it inherited, listening.
        config: The newest config that is good.
        started: The config that the supervisor started with.
        meeting: A folder for the Unix sockets that workers reach each other by.
        memory: A descriptor that it inherited, of the memory that all workers share.
        logs: The least that it logs, and how a line is written.
        generation: How many configs have served, `config` included.
        shows_progress: Whether it shows at a terminal how far it is.
        taps: Of who follows requests: the arguments of each.
    """

    worker: int
    sockets: Sequence[int]
    config: Snapshot
    started: Snapshot
    meeting: str
    memory: int
    logs: Sequence[str]
    generation: int = 1
    shows_progress: bool = False
    taps: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Reload:
    """To a worker: replace what is served. Answered by Reloaded or Refused, of the same serial.

    Attributes:
        serial: Which question it is.
        config: What to serve.
        generation: As in Start.
    """

    serial: int
    config: Snapshot
    generation: int


@dataclass(frozen=True, slots=True)
class Suggest:
    """To a worker: find calls to try. Answered by Suggestions."""

    calls: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """To a worker: do an operation. Answered by Answered, of the same serial."""

    serial: int
    name: str
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Drain:
    """To a worker: end in order. Answered by Drained, and by its end."""


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker: it serves.

    Attributes:
        warnings: What an operator should know and can live with.
        jwks: The public keys of the tokens that backends get, as JSON; None where there are none.
    """

    warnings: Sequence[str]
    jwks: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """From a worker: it can't start, and ends; lines for the user, and the exit code."""

    lines: Sequence[str]
    code: int


@dataclass(frozen=True, slots=True)
class Reloaded:
    """From a worker: it serves the new config.

    Attributes:
        serial: Of what it answers.
        summary: What is served, in a line.
        warnings: What an operator should know and can live with.
        later: The keys that differ from those of the start, and take effect at the next one.
        opened: What somebody may do now who could not before, as lines.
        changed: All else that holds from now on, as lines.
        jwks: As in Ready.
    """

    serial: int
    summary: str
    warnings: Sequence[str]
    later: Sequence[str]
    opened: Sequence[str] = ()
    changed: Sequence[str] = ()
    jwks: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """From a worker: the config can't be served, the old one goes on."""

    serial: int
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Suggestions:
    """From a worker: calls to try."""

    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Answered:
    """From a worker: what came of an operation.

    Attributes:
        serial: Of what it answers.
        content: What the operation answered.
        reason: Why it was not done, as in OperationError; empty if it was.
        message: That in a sentence.
    """

    serial: int
    content: Mapping[str, Any]
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """From a worker: what was used since the last time, as rows of `gateway.state.usage`."""

    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Drained:
    """From a worker: nothing is open any more, and so many requests were cut."""

    cut: int


Message: TypeAlias = (
    "Start | Reload | Suggest | Ask | Drain"
    " | Ready | Failed | Reloaded | Refused | Suggestions | Answered | Counted | Drained"
)

_KINDS: Final[dict[str, type[Any]]] = {
    kind.__name__.lower(): kind
    for kind in (
        *(Start, Reload, Suggest, Ask, Drain),
        *(Ready, Failed, Reloaded, Refused, Suggestions, Answered, Counted, Drained),
    )
}
_SNAPSHOTS: Final = {"config", "started"}


def encode(message: Message) -> bytes:
    """Returns a message as a line."""
    fields = {"kind": type(message).__name__.lower(), **asdict(message)}
    return json.dumps(fields).encode() + b"\n"


def decode(line: bytes) -> Message:
    """Returns the message of a line.

    Raises:
        ValueError: It is none, on a bug of whoever sent it.
    """
    try:
        fields = json.loads(line)
        kind = _KINDS[fields.pop("kind")]
        given = {
            name: Snapshot(**value) if name in _SNAPSHOTS else value
            for name, value in fields.items()
        }
        message: Message = kind(**given)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no message: {line[:80]!r}") from error
    return message
