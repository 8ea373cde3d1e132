"""What the log is told of calls that are refused: of whom, and of a flood of them the count."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from gateway.call import Call, Principal

_QUIET: Final = 1.0  # seconds between two lines of one kind
_SHOWN: Final = 200  # characters of a name that others chose


@dataclass(slots=True)
class _Count:
    """Lines of one kind.

    Attributes:
        quiet_until: When the next may be written.
        left_out: Those since the last one.
    """

    quiet_until: float
    left_out: int = 0


class Flood:
    """Lines that come in any number: of each kind one a second is written, with a count.

    Args:
        clock: Seconds that only grow.
    """

    __slots__ = ("_clock", "_counts")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: dict[Hashable, _Count] = {}

    def left_out(self, kind: Hashable) -> int | None:
        """Returns how many lines were left out before this one; None to leave it out, too.

        Kinds are never forgotten: there must be few.
        """
        now = self._clock()
        count = self._counts.get(kind)
        if count is not None and now < count.quiet_until:
            count.left_out += 1
            return None
        self._counts[kind] = _Count(now + _QUIET)
        return 0 if count is None else count.left_out


def line(call: Call, why: list[str], principal: Principal | None, left_out: int) -> str:
    """Returns what a line says of a call: why it is refused, and all that tells which one it is.

    Args:
        call: The call.
        why: Why, in parts.
        principal: Who made it, where that is known.
        left_out: Lines like this one that were left out before.
    """
    parts = [*why]
    if principal is not None:
        parts.append(f"caller {principal.provider} {_plain(principal.subject)}")
    if call.request_id:
        parts.append(f"request {_plain(call.request_id)}")
    if left_out:
        parts.append(f"{left_out} more such lines left out before")
    called = call.method or f"a page or socket of {call.front or 'the gateway'}"
    return f"{called} from {call.peer or 'a Unix socket'}: {'; '.join(parts)}"


def _plain(text: str) -> str:
    """Returns a name in quotes, as one line of bounded length."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
