"""The secrets that a URL may hold: the user with a password, and the values of the query."""

from __future__ import annotations

import re
from typing import Final

_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<rest>.*)", re.DOTALL)
_VALUE: Final = re.compile(r"=[^&#]*")


def without_secrets(text: str, mask: str) -> str:
    """Returns a URL with a mask in place of its secrets; a text that is none as it is.

    Args:
        text: Any text.
        mask: What stands for each secret.
    """
    found = _URL.fullmatch(text)
    if found is None:
        return text
    before, question, query = found["rest"].partition("?")
    authority, slash, path = before.partition("/")
    # The last @ of the authority ends the user's part; one of the path would be no secret's.
    user, at, host = authority.rpartition("@")
    hidden = f"{mask}{at}" if user or at else ""
    return "".join(
        (found["scheme"], hidden, host, slash, path, question, _VALUE.sub(f"={mask}", query))
    )
