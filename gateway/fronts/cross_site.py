"""Whether a request is its sender's own doing, and not that of another site's page (CSRF).

A browser attaches a user's cookies, a password that was typed once, and a certificate to requests
that pages of other sites make. So where such a thing shows who calls, it counts only for a request
that no such page can have made, or that changes nothing. The rules are those of Go's
`http.CrossOriginProtection`: safe methods pass; a browser says whose page asks in `Sec-Fetch-Site`
(W3C, Fetch Metadata Request Headers), an older one in `Origin`; what sends neither is no browser,
and what it shows is its own.

A page of another origin that the config lets act as the user (`listener.cors.credentials`) does so
as the gateway's own pages do.

Where the gateway stands behind a proxy that it does not trust, it may not know the scheme that
browsers see: then only what `Sec-Fetch-Site` says counts, and older browsers are refused.

A GET of GraphQL runs queries only. Who may open a WebSocket, which is a GET too, is decided by
`origins`.
"""

from __future__ import annotations

from typing import Final

from gateway.fronts.origins import own_origin
from gateway.head import Head
from gateway.http.origin import Origin

# RFC 9110 section 9.2.1; TRACE, which no browser sends, is none here.
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN: Final = frozenset({"same-origin", "none"})


def is_own_doing(head: Head) -> bool:
    """Returns whether what a browser attaches by itself may show who calls.

    Args:
        head: Of the request.
    """
    if head.method in _SAFE or head.is_let_in:
        return True
    if sites := head.headers.all("sec-fetch-site"):
        return all(site.strip().lower() in _OWN for site in sites)
    match head.headers.all("origin"):
        case []:
            return True
        case [text]:
            page = Origin.read(text)
            return page is not None and page == own_origin(head)
        case _:
            return False
