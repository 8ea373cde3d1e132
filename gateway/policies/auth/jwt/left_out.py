"""Which keys of a set are not used, and why: what the log and the errors say of it.

A line a key, for a few of them; what a set says itself is shown in ASCII, and short.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Final, NamedTuple

log = logging.getLogger("gateway.auth")

_TOLD: Final = 10  # keys that are told one by one
_SHOWN: Final = 64  # characters that are shown of what a set says


class UnusableError(Exception):
    """A key can't be used, and why: its text goes on after the key's name.

    Attributes:
        by_design: Whether it is a good key, for something else.
    """

    def __init__(self, text: str, *, by_design: bool = False) -> None:
        super().__init__(text)
        self.by_design = by_design


class LeftOut(NamedTuple):
    """A key of a set that is not used: what it is called, why, whether that is as it should be."""

    name: str
    why: str
    by_design: bool

    def __str__(self) -> str:
        return f"{self.name} is not used: {self.why}"


def tell(place: str, left_out: Sequence[LeftOut]) -> None:
    """Logs what of a version of a set is not used.

    Args:
        place: Where the set is from.
        left_out: What nobody was told yet.
    """
    for each in left_out[:_TOLD]:
        log.log(logging.INFO if each.by_design else logging.WARNING, "%s: %s", place, each)
    if len(left_out) > _TOLD:
        log.warning("%s: %d more keys are not used", place, len(left_out) - _TOLD)


def none_left(left_out: Sequence[LeftOut]) -> str:
    """Returns why a set can't be used of which nothing is left."""
    if not left_out:
        return "it has no keys"
    told = "; ".join(map(str, left_out[:_TOLD]))
    more = f"; and {len(left_out) - _TOLD} more" if len(left_out) > _TOLD else ""
    return f"it has no key that can be used: {told}{more}"


def called(jwk: object, number: int) -> str:
    """Returns what a key is called: by its `kid`, or by its place in the set, counted from 0."""
    kid = jwk.get("kid") if isinstance(jwk, dict) else None
    return f"key {shown(kid)}" if isinstance(kid, str) else f"key {number + 1}, without a kid,"


def shown(value: object) -> str:
    """Returns what a set says, in ASCII on one line, and not too long."""
    if not isinstance(value, str):
        return "no text"
    return json.dumps(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…")
