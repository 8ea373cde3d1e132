"""Commands that a server refuses for what they are, while it does others: it is there.

It is full, its user may not do this, or somebody else has put another kind of value under the key.
That says nothing of other commands, so it is no reason to leave the server alone. The log has a
line, with what to do about it.

Source: the errors of Redis ("OOM", "NOPERM", "WRONGTYPE"), and what it makes of them in scripts.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from enum import Enum
from typing import Final

from redis.exceptions import NoPermissionError, OutOfMemoryError, ResponseError

from gateway.state.redis.failure import StateUnavailable, said
from gateway.state.redis.packed import head
from gateway.state.seldom import Seldom

log = logging.getLogger("gateway.state")

_QUIET: Final = 120.0  # seconds; longer than anybody waits before trying again
_KEYS: Final = (b"gateway:{limits}:", b"gateway:{usage}:", b"gw:cache:")
_SCRIPTS: Final = frozenset({b"EVAL", b"EVALSHA"})
_FULL: Final = re.compile(r"OOM command not allowed|used memory > 'maxmemory'")
_FORBIDDEN: Final = re.compile(
    r"NOPERM|ACL failure in script|The user executing the script can't|^unknown command",
    re.IGNORECASE,
)
_WRONG_TYPE: Final = re.compile(r"Operation against a key holding the wrong kind of value")
_USER: Final = re.compile(r"\buser \S+ has\b", re.IGNORECASE)
_WHERE: Final = re.compile(r" script: [0-9a-f]{40}.*")
_RIGHTS: Final = "+@read +@write +@scripting +@connection +time +info"


class Refusal(Enum):
    """Why a command is refused."""

    FULL = "full"
    FORBIDDEN = "forbidden"
    WRONG_TYPE = "wrong type"


class StateRefused(StateUnavailable):
    """The server is there, and refuses this command.

    Attributes:
        refusal: Why.
    """

    def __init__(self, text: str, refusal: Refusal) -> None:
        super().__init__(text)
        self.refusal = refusal


def refusal(failure: ResponseError) -> Refusal | None:
    """Returns why a command was refused for what it is; None where the error says more."""
    text = str(failure)
    if isinstance(failure, OutOfMemoryError) or _FULL.search(text):
        return Refusal.FULL
    if isinstance(failure, NoPermissionError) or _FORBIDDEN.search(text):
        return Refusal.FORBIDDEN
    if _WRONG_TYPE.search(text):
        return Refusal.WRONG_TYPE
    return None


def error(failure: ResponseError) -> StateUnavailable:
    """Returns what callers are told of an error that a command was answered with."""
    why = refusal(failure)
    return StateUnavailable(said(failure)) if why is None else StateRefused(said(failure), why)


class Refusals:
    """What the log says of them: a line each time that some kind of command begins to be refused.

    Args:
        name: What the log calls the server.
        clock: Seconds, on a clock that never goes back.
    """

    __slots__ = ("_name", "_seldom")

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self._name = name
        self._seldom = Seldom(clock, _QUIET)

    def took(self, why: Refusal, failure: ResponseError, packed: bytes) -> None:
        """Takes note of one.

        Args:
            why: What `refusal` says.
            failure: The answer.
            packed: The command.
        """
        command, keys = _of(packed)
        if not self._seldom.may((why, keys or command)):
            return
        if why is Refusal.FULL:
            log.warning(
                "the state %s is full and refuses to write %s: raise its maxmemory, or name a "
                "Redis of its own for cached replies by cache.state",
                self._name,
                keys or command,
            )
        elif why is Refusal.WRONG_TYPE:
            log.warning(
                "the state %s has another kind of value under a key of %s than gateways keep "
                "there: nobody else may write such keys; delete it",
                self._name,
                keys or command,
            )
        else:
            log.warning(
                "the state %s refuses %s: %s; its user needs %s%s",
                self._name,
                f"{command} on {keys}" if keys else command,
                _WHERE.sub("", _USER.sub("the user has", said(failure))),
                f"~{keys} " if keys else "",
                _RIGHTS,
            )


def _of(packed: bytes) -> tuple[str, str]:
    """Returns the name of a command and the pattern of its keys; "" for keys that are no kind."""
    words = head(packed, 4)
    key = words[3:4] if words[0] in _SCRIPTS else words[1:2]
    known = (each for each in _KEYS if key and key[0].startswith(each))
    prefix = next(known, b"").decode()
    return words[0].decode("ascii", "replace"), f"{prefix}*" if prefix else ""
