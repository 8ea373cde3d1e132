"""A compiled condition: reads of a call what it needs, and allows it if and only if it is true.

cel-cpp gives errors as values (a missing key is the text `NOT_FOUND: …`, true to Python) and some
as exceptions. Both deny, as all does that is not `True` itself: where it chooses an upstream, not
that one. What went wrong is logged once in a
while, without the values that were at fault.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple, Protocol, TypeAlias

from google.protobuf.message import DecodeError, Message

from gateway.call import Call
from gateway.policies.cel.claims import UnfitClaims, readable
from gateway.policies.cel.limits import MAPPED, WORK
from gateway.policies.cel.syntax import Reading
from gateway.policies.cel.variables import CLAIMS, METADATA, REQUEST, VARIABLES, Read
from gateway.policies.cel.work import size

_QUIET: Final = 60.0  # seconds between two lines on one condition
_SHOWN: Final = 80  # characters of a condition in a line
_LACKING: Final = "NOT_FOUND"  # cel-cpp's, of a key that a map has not


class Use(NamedTuple):
    """What a condition is asked for.

    Attributes:
        log: Where it tells of a failure.
        failed: What that came to.
        lacking: Whether it is usual that calls have not what it asks for, such as a header that
            some have: it is told to whoever looks for it, and to nobody else.
    """

    log: logging.Logger
    failed: str
    lacking: bool = False


AUTHORIZES: Final = Use(logging.getLogger("gateway.authorize"), "denied a call of")
CHOOSES: Final = Use(
    logging.getLogger("gateway.route"), "chose no upstream for a call of", lacking=True
)


class Value(Protocol):
    """What an evaluation gives."""

    def value(self) -> object:
        """Returns it as Python has it; an error as its text."""


class Evaluate(Protocol):
    """Evaluates the expression with variables by name."""

    def __call__(self, *, data: Mapping[str, object]) -> Value:
        """Raises RuntimeError and others for some errors; the rest are values."""


Decode: TypeAlias = "Callable[[bytes], Message]"
"""Reads a request. Raises DecodeError."""


class Condition:
    """A condition on calls (`gateway.policies.authorize.Condition`).

    Args:
        text: As written.
        evaluate: The compiled expression.
        names: The variables that it reads.
        reading: What it reads of them.
        decode: Reads requests, where it reads any.
        mapped: Whether these may have maps.
        use: What it is asked for.
        clock: Seconds that only grow.

    Attributes:
        text: As written.
        reads_request: Whether it looks into request messages: they are decoded for it.
    """

    __slots__ = ("_clock", "_decode", "_evaluate", "_most", "_quiet_until", "_reads", "_sized",
                 "_unsaid", "_use", "_work", "reads_request", "text")  # fmt: skip

    def __init__(
        self,
        text: str,
        evaluate: Evaluate,
        *,
        names: Iterable[str],
        reading: Reading,
        decode: Decode | None = None,
        mapped: bool = False,
        use: Use = AUTHORIZES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.text = text
        self._evaluate = evaluate
        self._decode = decode
        self._clock = clock
        self._use = use
        self._most = MAPPED if mapped else None
        self._work = reading.work
        self._sized = tuple(sorted(reading.work.reads - {REQUEST}))
        self._quiet_until = 0.0
        self._unsaid = 0
        wanted = frozenset(names)
        self.reads_request = decode is not None
        self._reads = tuple((name, _reader(name, reading)) for name in sorted(wanted - {REQUEST}))

    def allows(self, call: Call) -> bool:
        """Whether it is true of a unary call. Never raises."""
        return self.allows_message(call, call.request)

    def allows_message(self, call: Call, message: bytes) -> bool:
        """Whether it is true of a call with this request message. Never raises."""
        try:
            data = {name: read(call) for name, read in self._reads}
            if self._most is not None and len(message) > self._most:
                self._tell(call, f"the request has more than {self._most} bytes, and may have maps")
                return False
            if self._work.reads and self._costs(data, len(message)) > WORK:
                self._tell(call, "it would take too long, for a request and a caller of this size")
                return False
            if self._decode is not None:
                data[REQUEST] = self._decode(message)
            value = self._evaluate(data=data).value()
        except UnfitClaims:
            self._tell(call, "the claims are too many, too deep, or no JSON that it can read")
            return False
        except DecodeError:
            self._tell(call, "the request is no message of the method's")
            return False
        except Exception as failure:  # noqa: BLE001  a condition that fails allows nothing
            # Their texts may quote claims and requests.
            self._tell(call, f"it failed ({type(failure).__name__})")
            return False
        if value is True:
            return True
        if value is not False:
            kind = _kind(value)
            usual = kind == _LACKING and self._use.lacking
            (self._note if usual else self._tell)(call, f"it has no value ({kind})")
        return False

    def _costs(self, data: Mapping[str, object], length: int) -> float:
        """Returns how much work it is to evaluate it, at most (`limits.WORK`)."""
        sizes = {name: size(data[name]) for name in self._sized}
        sizes[REQUEST] = (length, length)  # a value of it may be a single byte
        return self._work.of(sizes)

    def _tell(self, call: Call, why: str) -> None:
        now = self._clock()
        if now < self._quiet_until:
            self._unsaid += 1
            return
        self._quiet_until = now + _QUIET
        more = f"; {self._unsaid} more times since the last such line" if self._unsaid else ""
        self._unsaid = 0
        self._log(logging.WARNING, call, f"{why}{more}")

    def _note(self, call: Call, why: str) -> None:
        self._log(logging.DEBUG, call, why)

    def _log(self, level: int, call: Call, why: str) -> None:
        if self._use.log.isEnabledFor(level):
            shown = self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…"
            line = "the condition %r %s %s: %s"
            self._use.log.log(level, line, shown, self._use.failed, call.method, why)


def _kind(value: object) -> str:
    """Returns the name of an error (`NOT_FOUND`), without what it quotes."""
    code = value.partition(":")[0] if isinstance(value, str) else ""
    return code if code.isupper() and code.replace("_", "").isalpha() else type(value).__name__


def _reader(name: str, reading: Reading) -> Read:
    if name in VARIABLES:
        return VARIABLES[name].read
    keys = reading.keys.get(name)
    wanted = None if keys is None else tuple(sorted(keys))
    return {CLAIMS: _claims, METADATA: _metadata}[name](wanted)


def _claims(keys: tuple[str, ...] | None) -> Read:
    def read(call: Call) -> object:
        return {} if call.principal is None else readable(call.principal.claims, keys)

    return read


def _metadata(keys: tuple[str, ...] | None) -> Read:
    def read(call: Call) -> object:
        found: dict[str, str] = {}
        for key, value in call.metadata:
            if isinstance(value, str) and (keys is None or key in keys):
                found[key] = f"{found[key]}, {value}" if key in found else value
        return found

    return read
