"""The header fields of a reply: which of a front's go out, and how they are written."""

from __future__ import annotations

import re
from typing import Final

from gateway.http.exchange import HeaderList

# What the listener itself says about the message and the connection (RFC 9110 section 7.6.1).
_OURS: Final = frozenset(
    {
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "proxy-connection",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_REMEMBERED: Final = 1000
_LONGEST: Final = 128  # bytes of a name that is remembered

# Names that were checked, to what is written before their value; nothing for those that are ours.
_known: dict[str, str] = {}


def lines(headers: HeaderList) -> str:
    """Returns a reply's header lines, less those that are the listener's to set.

    They are to be encoded as Latin-1: bytes beyond ASCII reach the client as they are.

    Raises:
        ValueError: A name is no token, or a value holds a control character.
    """
    made = ""
    for name, value in headers:
        start = _known.get(name)
        if start is None:
            start = _check(name)
        # The common case first: printable is what `_VALUE` takes of ASCII, less the tab.
        if not (value.isascii() and value.isprintable()) and not _VALUE.fullmatch(value):
            raise ValueError(f"the value of the header {name!r} can't be sent")
        if start:
            made += f"{start}{value}\r\n"
    return made


def _check(name: str) -> str:
    """Returns what is written before the value of a field, and remembers it."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"the header {name!r} can't be sent")
    start = "" if name.lower() in _OURS else f"{name}: "
    if len(name) <= _LONGEST:
        if len(_known) >= _REMEMBERED:  # a backend that makes names up
            _known.clear()
        _known[name] = start
    return start
