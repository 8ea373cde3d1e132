"""Which replies may mix a secret of their caller with what another site chose (BREACH).

Who sees the sizes of packed replies learns whether what it had put into them stands in them twice
(CVE-2013-3587). For that it must have the caller's browser ask, again and again, for replies that
hold both a secret of the caller and words of its own: a page of another site can, with what the
browser attaches by itself. So such replies are not packed; all others are. A token or a key that a
page's own script sets is known to no other page, and a reply that is the same for all has no
secret.

A browser says in `Sec-Fetch-Site` whose page asks (W3C, Fetch Metadata Request Headers). What says
nothing is an old browser, or none: if it shows a cookie, nobody can tell. Pages of other origins
that may act as the user are trusted as own ones are.
"""

from __future__ import annotations

from typing import Final

from gateway.http import Request

_OWN: Final = frozenset({"same-origin", "none"})
_ATTACHED: Final = frozenset({"basic", "digest", "negotiate", "ntlm"})
"""Schemes of `Authorization` that a browser answers to by itself, once it was let in."""


def may_mix(request: Request) -> bool:
    """Returns whether another site may have chosen part of the reply to a request."""
    if request.is_let_in or not _is_attached(request):
        return False
    sites = request.headers.all("sec-fetch-site")
    return not sites or any(site.strip().lower() not in _OWN for site in sites)


def _is_attached(request: Request) -> bool:
    """Whether a request shows something that browsers attach by themselves."""
    headers = request.headers
    if "cookie" in headers or request.certificate is not None:
        return True
    shown = headers.get("authorization")
    return shown is not None and shown.split(" ", 1)[0].lower() in _ATTACHED
