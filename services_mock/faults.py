"""What can go wrong with a call on purpose, and how it is said: by flags and by metadata.

A fault is data; `interception` makes it happen. Metadata (`x-fault-…`) replaces the flags' fault
for its call as a whole, so a call that says what it wants gets just that.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import grpc

from services_mock.units import seconds

PREFIX = "x-fault-"


class Action(StrEnum):
    """What happens to a call that a fault befalls."""

    ERROR = "error"
    HANG = "hang"
    CRASH = "crash"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which calls go wrong.

    `delay` seconds pass first, always. Then, in `percent` of the calls, `action` happens after
    `after` messages: replies of a stream of replies, else requests of a stream of requests. A unary
    call has its reply: at 1 the work is done and the reply is lost.
    """

    delay: float = 0.0
    action: Action | None = None
    code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE
    percent: float = 100.0
    after: int = 0

    def befalls(self, roll: Callable[[], float]) -> bool:
        """Decides whether the action happens to a call; `roll` gives a number from 0 up to 1."""
        if self.action is None:
            return False
        return self.percent >= 100 or roll() * 100 < self.percent


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of a replica, as its flags say."""

    fault: Fault = field(default_factory=Fault)
    methods: str = "shop.*"  # a glob over `package.Service/Method`; health and reflection stay well
    crash_after: int | None = None
    refuse: bool = False


def code(text: str) -> grpc.StatusCode:
    """Reads a status code by name or number.

    Raises:
        ValueError: there is no such code, or it is OK.
    """
    for known in grpc.StatusCode:
        number: Any = known.value[0]
        if text in (known.name, str(number)) and known is not grpc.StatusCode.OK:
            return known
    raise ValueError(f"{text!r} is not a status code such as UNAVAILABLE or 14")


def percent(text: str) -> float:
    """Reads a percentage from 0 to 100.

    Raises:
        ValueError: it is none.
    """
    value = float(text)
    if not 0 <= value <= 100:
        raise ValueError(f"{text!r} is not between 0 and 100")
    return value


def count(text: str) -> int:
    """Reads a number that is not negative.

    Raises:
        ValueError: it is none.
    """
    if not text.isdecimal() or len(text) > 9:
        raise ValueError(f"{text!r} is not a number from 0 to 999999999")
    return int(text)


def _acts(action: Action) -> Callable[[str], dict[str, Any]]:
    def parse(text: str) -> dict[str, Any]:
        if text not in ("1", "true"):
            raise ValueError(f"{text!r} is not 1")
        return {"action": action}

    return parse


# What each key sets. A key that only tunes a fault makes it an error where nothing else is asked.
_KEYS: dict[str, Callable[[str], dict[str, Any]]] = {
    "delay": lambda text: {"delay": seconds(text)},
    "code": lambda text: {"action": Action.ERROR, "code": code(text)},
    "hang": _acts(Action.HANG),
    "crash": _acts(Action.CRASH),
    "refuse": _acts(Action.REFUSE),
    "percent": lambda text: {"percent": percent(text)},
    "after": lambda text: {"after": count(text)},
}
_TUNING = {"percent", "after"}


def from_metadata(metadata: Iterable[tuple[str, str | bytes]]) -> Fault | None:
    """Reads the fault that a call asks for; None where it asks for none.

    Raises:
        ValueError: a key is unknown, or its value is bad; the text names the key.
    """
    asked = {
        key.removeprefix(PREFIX): str(value) for key, value in metadata if key.startswith(PREFIX)
    }
    if not asked:
        return None
    fault = Fault(action=Action.ERROR if asked.keys() & _TUNING else None)
    for key, text in asked.items():
        if key not in _KEYS:
            raise ValueError(f"{PREFIX}{key} is unknown; there are {', '.join(_KEYS)}")
        try:
            fault = replace(fault, **_KEYS[key](text))
        except ValueError as error:
            raise ValueError(f"{PREFIX}{key}: {error}") from None
    return fault
