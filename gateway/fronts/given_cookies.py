"""Cookies that an answer gives its client: in the head of a reply, and in that of a WebSocket.

What is in them, and whom they are given to, is decided by whoever makes the calls (`Call.cookies`).
A socket makes its calls later, so its client is given all that they might need when it is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from gateway.cookies import Cookies, IdCookie
from gateway.fronts.cache_control import strictest
from gateway.http import Request

_CONTROL: Final = "cache-control"
_SECURE: Final = "https"


def giving(
    headers: Sequence[tuple[str, str]], cookies: Cookies | None
) -> Sequence[tuple[str, str]]:
    """Returns the headers of a reply with the cookies that it gives.

    Caches keep a cookie with a reply and give it to others (RFC 9111 section 7.3): one that gives
    cookies is its client's alone, whatever else is said of it.
    """
    if cookies is None or not cookies.lines:
        return headers
    said = [value for name, value in headers if name == _CONTROL]
    return [
        *(field for field in headers if field[0] != _CONTROL),
        (_CONTROL, strictest([", ".join(["private", *said])])),
        *(("set-cookie", line) for line in cookies.lines),
    ]


def give_all(request: Request, known: Iterable[IdCookie], cookies: Cookies) -> list[str]:
    """Gives a client an id in each cookie in which it shows none: the head leaves before the calls.

    Args:
        request: The client's request.
        known: The cookies that calls look for.
        cookies: Takes what is given.

    Returns:
        The ids as the client would show them, `name=id`.
    """
    shown, secure = request.headers.all("cookie"), request.scheme == _SECURE
    return [
        f"{each.name}={cookies.give(each, secure=secure)}"
        for each in known
        if each.shown(shown) is None
    ]


def greeted(
    request: Request, known: Iterable[IdCookie]
) -> tuple[Request, Sequence[tuple[str, str]]]:
    """Returns what a WebSocket's calls are known by, and the headers that open it.

    Args:
        request: The handshake.
        known: The cookies that calls look for.

    Returns:
        The handshake, as if it showed the ids that the client is given now, and the fields that
        give it them.
    """
    cookies = Cookies()
    given = give_all(request, known, cookies)
    if not given:
        return request, ()
    shown = "; ".join([*request.headers.all("cookie"), *given])
    return request.with_field("cookie", shown), giving((), cookies)
