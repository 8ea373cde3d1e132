"""Requests that a page of another site could make with a user's cookies are not answered (CSRF).

A browser asks leave (a CORS preflight) for what an HTML form can't send. A POST must be JSON, which
a form is not. A GET runs queries only, whose answer another site can't read; but it could still
make a user's browser work for it, and measure how long that takes. So a GET of which the browser
says that another site made it (Fetch Metadata, `Sec-Fetch-Site`) needs a header that a form can't
set. Clients that are no browsers send none of this, and need nothing. Who may open a WebSocket is
said by `gateway.fronts.origins`.
"""

from __future__ import annotations

from gateway.errors import error
from gateway.fronts.graphql.serve.accept import JSON
from gateway.http import Headers

PREFLIGHT = ("graphql-require-preflight", "x-requested-with", "apollo-require-preflight")
"""Headers of which any, with any value, shows that the browser had leave to send it."""

_OURS = frozenset({"same-origin", "none"})


def check_get(headers: Headers) -> None:
    """Returns where a GET may be answered.

    Raises:
        RpcError: CROSS_SITE_REQUEST.
    """
    site = headers.get("sec-fetch-site")
    if site is None or site.strip().lower() in _OURS:
        return
    if not any(name in headers for name in PREFLIGHT):
        raise error(
            "CROSS_SITE_REQUEST",
            f"A GET from a page of another site needs the header {PREFLIGHT[0]}; or use POST.",
        )


def check_post(headers: Headers) -> None:
    """Returns where the body of a POST is JSON in UTF-8.

    Raises:
        RpcError: UNSUPPORTED_CONTENT_TYPE: it is not said to be, or something else too.
    """
    if headers.distinct and headers.get("content-type") == JSON:  # what most clients send
        return
    given = headers.all("content-type")
    if len(given) == 1:
        essence, _, parameters = given[0].partition(";")
        if essence.strip().lower() == JSON and _is_utf8(parameters):
            return
    raise error("UNSUPPORTED_CONTENT_TYPE", f"The body must be {JSON}, in UTF-8.")


def _is_utf8(parameters: str) -> bool:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower() in {"utf-8", "utf8"}
    return True
