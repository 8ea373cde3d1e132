"""A token in a WebSocket's handshake: where it stands, and where all who look for one find it.

A browser's `WebSocket` can set no header but `Sec-WebSocket-Protocol`, so a token may be offered
there, beside the real subprotocols: `bearer.<token in base64url without padding>`, or, as
grpc-websocket-proxy has it, the word `Bearer` and the token after it. Who a token speaks for is
decided elsewhere. A token is never put in an error, a log or a repr.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Sequence

from gateway.call import RpcError
from gateway.errors import error
from gateway.http import Request
from gateway.http.websocket import offered_subprotocols

_KEY = "authorization"
_SCHEME = "Bearer"
_PREFIX = "bearer."
_LONGEST = 16 * 1024  # characters of a token

_HEADER = re.compile(r"bearer +([\x21-\x7e]+) *", re.ASCII | re.IGNORECASE)
_TOKEN = re.compile(r"[\x21-\x7e]+", re.ASCII)
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def token_of(request: Request) -> str | None:
    """Returns the token of a handshake, or None without one.

    The first of these counts: `Authorization: Bearer <token>` (RFC 6750 section 2.1), a subprotocol
    `bearer.<base64url>` (RFC 4648 section 5), the subprotocols `Bearer` and `<token>`.

    Raises:
        RpcError: INVALID_METADATA: what a subprotocol offers is no token.
    """
    if (own := _in_header(request)) is not None:
        return own
    offered = offered_subprotocols(request)
    for name in offered:
        if holds_token(name):
            return _decoded(name.removeprefix(_PREFIX))
    at = _pair(offered)
    return None if at is None else check(offered[at + 1])


def shown_by(request: Request, token: str) -> Request:
    """Returns the head of a request that shows a token: in `authorization`, where providers look.

    Args:
        request: The handshake. What it has there is replaced, unless it is this token.
        token: From wherever it came.
    """
    if _in_header(request) == token:
        return request
    return request.with_field(_KEY, f"{_SCHEME} {token}")


def holds_token(name: str) -> bool:
    """Returns whether a subprotocol is none, but holds a token."""
    return name.startswith(_PREFIX)


def subprotocol_of(offered: Sequence[str], served: Collection[str]) -> str | None:
    """Returns the subprotocol to answer with, or None; never one that holds a token.

    Args:
        offered: The client's, in its order of preference (`offered_subprotocols`).
        served: Those that are spoken here.
    """
    at = _pair(offered)
    names = offered if at is None else [*offered[: at + 1], *offered[at + 2 :]]
    for name in names:
        if name in served:
            return name
    # grpc-websocket-proxy answers so, and its clients expect it.
    return None if at is None else offered[at]


def _in_header(request: Request) -> str | None:
    given = request.headers.get(_KEY)
    found = None if given is None else _HEADER.fullmatch(given)
    return None if found is None else found[1]


def _pair(offered: Sequence[str]) -> int | None:
    """Returns the place of the word `Bearer` with something behind it."""
    return offered.index(_SCHEME) if _SCHEME in offered[:-1] else None


def _decoded(text: str) -> str:
    # Python's decoder leaves out what is not of the alphabet.
    if _BASE64URL.fullmatch(text) is None:
        raise _no_token()
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise _no_token() from None
    return check(data.decode("latin-1"))


def check(token: str) -> str:
    """Returns a token that can be one, whosever it is.

    Raises:
        RpcError: INVALID_METADATA: it has other characters, or too many.
    """
    if len(token) > _LONGEST or _TOKEN.fullmatch(token) is None:
        raise _no_token()
    return token


def _no_token() -> RpcError:
    return error(
        "INVALID_METADATA",
        "The token is none: visible ASCII characters are expected, and in a subprotocol "
        "bearer.<token> base64url without padding.",
    )
