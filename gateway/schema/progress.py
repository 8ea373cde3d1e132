"""How far long work has come, for a person who waits."""

from __future__ import annotations

from typing import NamedTuple


class Progress(NamedTuple):
    """A step of long work; `total` is 0 where that is not known."""

    text: str
    done: int = 0
    total: int = 0
