"""Which pages may open a WebSocket: those of the gateway's own origin, and those that are listed.

A browser opens a WebSocket for any page, with the user's cookies and without asking leave, and the
page can read it (RFC 6455 section 10.2). It says whose page asks: in `Origin`, and newer ones in
`Sec-Fetch-Site` too (W3C, Fetch Metadata Request Headers); a page can set neither. Where a browser
says `same-origin`, it is believed: it knows the URL that it asked for, but the gateway behind a
proxy may know another host or scheme. Clients that are no browsers send neither, and need neither.

Only the opening of WebSockets is decided here; requests that are answered at once are another
matter (CORS, `cross_site` for cookies, and GraphQL's own `cross_site`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, NamedTuple

from gateway.errors import error
from gateway.head import Head
from gateway.http import Request

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


def own_origin(head: Head) -> Origin | None:
    """Returns the origin that a request asks; None where its `Host` is none."""
    return Origin.read(f"{head.scheme}://{head.authority}")


def check_origin(request: Request, origins: Collection[str]) -> None:
    """Returns where a WebSocket may be opened.

    Args:
        request: The upgrade request.
        origins: Whose pages may open one beside the gateway's own: `https://app.example`,
            `https://*.app.example` for every host below, or ANY.

    Raises:
        RpcError: CROSS_SITE_REQUEST.
    """
    if not _may_open(request, origins):
        raise error("CROSS_SITE_REQUEST", "A page of this origin can't open a WebSocket here.")


def _may_open(request: Request, origins: Collection[str]) -> bool:
    site = request.headers.get("sec-fetch-site")
    word = "none" if site is None else site.strip().lower()
    if word == "same-origin" or ANY in origins:
        return True
    match request.headers.all("origin"):
        case []:
            return word == "none"
        case [text] if (page := Origin.read(text)) is not None:
            if page == own_origin(request):
                return True
            listed = filter(None, map(Origin.read, origins))
            return any(each.covers(page) for each in listed)
        case _:
            return False
