"""The header fields of a reply: which of a front's go out, and how they are written."""

from __future__ import annotations

import re
from typing import Final

from multidict import CIMultiDict

from gateway.http.exchange import HeaderList
from gateway.listener.faults import SERVER

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


def fields(headers: HeaderList) -> CIMultiDict[str]:
    """Returns a reply's headers, less those that are the listener's to set.

    aiohttp writes them as UTF-8. So bytes beyond ASCII, which come as Latin-1 characters, reach the
    client as they are if they are UTF-8; a byte that is not becomes U+FFFD.

    Raises:
        ValueError: A name is no token, or a value holds a control character.
    """
    made: CIMultiDict[str] = CIMultiDict({"Server": SERVER})
    for name, value in headers:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"the header {name!r} can't be sent")
        if name.lower() not in _OURS:
            text = value if value.isascii() else value.encode("latin-1").decode("utf-8", "replace")
            made.add(name, text)
    return made
