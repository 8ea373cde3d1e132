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

from collections.abc import Collection

from gateway.errors import error
from gateway.head import Head
from gateway.http import Request
from gateway.http.origin import ANY, Origin


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
