"""Origins: whose page a browser says that a request is of (RFC 6454 section 4).

What a page of another origin may do is not decided here: `gateway.fronts.origins` says who opens
WebSockets, `gateway.listener.cors` who reads replies.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

ANY: Final = "*"
"""In place of an origin: all of them, `null` too."""

_BELOW: Final = "*."
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_ORIGIN: Final = re.compile(
    r"([a-z][a-z0-9+.-]*)://([^\s/?#@:\[\]]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?"
)


class Origin(NamedTuple):
    """An origin (RFC 6454 section 4): equal ones are the same.

    Attributes:
        scheme: Lower-case.
        host: Lower-case; an IPv6 address in brackets.
        port: In digits; the scheme's own where none is written, empty where it has none.
    """

    scheme: str
    host: str
    port: str

    @classmethod
    def read(cls, text: str) -> Origin | None:
        """Reads `https://app.example:8443`; None for what is no such text, as `null` is."""
        match = _ORIGIN.fullmatch(text.strip().lower())
        if match is None:
            return None
        scheme, host, port = match.groups()
        return cls(scheme, host, port or _DEFAULT_PORTS.get(scheme, ""))

    def covers(self, other: Origin) -> bool:
        """Whether another is this one, or of a host below it where this one's begins with `*.`."""
        if self.scheme != other.scheme or self.port != other.port:
            return False
        if self.host.startswith(_BELOW):
            return other.host.endswith(self.host[1:]) and len(other.host) >= len(self.host)
        return self.host == other.host
