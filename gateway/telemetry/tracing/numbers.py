"""Numbers by chance, for ids, of a generator that nobody seeds to have known ones; and times."""

from __future__ import annotations

import os
from random import Random
from typing import Final

# Ids are no secrets: a system call for each costs as much as all else that is done for it.
_random: Final = Random(os.urandom(32))  # noqa: S311  not for cryptography
os.register_at_fork(after_in_child=lambda: _random.seed(os.urandom(32)))

getrandbits: Final = _random.getrandbits
"""Returns a number of so many bits."""


def nanoseconds(seconds: float) -> int:
    """Returns seconds since 1970 as OTLP has them."""
    return int(seconds * 1e9)
