"""The id of a request: what names it in replies and logs, the client's own or one made here."""

from __future__ import annotations

import os
import re
from random import Random
from typing import Final

REQUEST_ID: Final = "x-request-id"

# It is written to headers, metadata and logs: visible ASCII, of a length fit for a line.
_FIT: Final = re.compile(r"[\x21-\x7e]{1,128}")

# It tells requests apart and is no secret: a system call for each costs as much as its routing.
_random: Final = Random(os.urandom(32))  # noqa: S311  not for cryptography
os.register_at_fork(after_in_child=lambda: _random.seed(os.urandom(32)))


def request_id(given: str | None) -> str:
    """Returns the id of a request.

    Args:
        given: What the client's `x-request-id` says, or None without one. Taken where it is at most
            128 visible ASCII characters.
    """
    return given if given and _FIT.fullmatch(given) else f"{_random.getrandbits(128):032x}"
