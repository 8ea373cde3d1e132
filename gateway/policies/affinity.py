"""The gate by which a client stays with one endpoint: it finds the client's id, or gives it one.

The id is kept by the client in a cookie, and is nothing but a name: which endpoint goes with it is
hashed from it by the upstream, alike in every worker and every gateway, and backends are told
nothing.

It stands behind the cache: a reply that is kept, or made once for several callers, gives none of
them a cookie (such calls can give nothing, `Call.cookies`). A call that shows no id and can give
none has none, and goes wherever the upstream's policy says. A request that makes several calls
gives its client one id; a WebSocket was given its own when it was opened.
"""

from __future__ import annotations

from typing import Final

from gateway.call import Call
from gateway.cookies import IdCookie

_SECURE: Final = "https"


class Affinity:
    """Finds ids, or gives them (a Gate).

    Args:
        cookie: Where clients keep theirs.
    """

    __slots__ = ("_cookie",)

    def __init__(self, cookie: IdCookie) -> None:
        self._cookie = cookie

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        return f"Keeps a client with one endpoint, by an id in the cookie {self._cookie.name}."

    def admit(self, call: Call) -> None:
        """Sets the call's id, if it can have one."""
        head = call.head
        if head is None:
            return
        shown = self._cookie.shown(head.headers.all("cookie"))
        if shown is not None:
            call.affinity = shown
        elif call.cookies is not None:
            call.affinity = call.cookies.give(self._cookie, secure=head.scheme == _SECURE)
