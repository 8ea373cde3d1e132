"""The id of a request: what names it in replies and logs, the client's own or one made here."""

from __future__ import annotations

import re
import secrets
from typing import Final

REQUEST_ID: Final = "x-request-id"

# It is written to headers, metadata and logs: visible ASCII, of a length fit for a line.
_FIT: Final = re.compile(r"[\x21-\x7e]{1,128}")


def request_id(given: str | None) -> str:
    """Returns the id of a request.

    Args:
        given: What the client's `x-request-id` says, or None without one. Taken where it is at most
            128 visible ASCII characters.
    """
    return given if given and _FIT.fullmatch(given) else secrets.token_hex(16)
