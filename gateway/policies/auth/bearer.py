"""Where a request shows a bearer token: `Authorization` (RFC 6750 section 2.1), else a cookie.

A cookie is sent by browsers whoever's page asks, so it counts only where the request is not another
site's doing. What can be read in two ways (two fields, two cookies of the name) is refused: whoever
reads it next might take the other one. What a token says is not looked at.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.cookies import Cookie
from gateway.head import Head
from gateway.policies.auth.attached import IsOwnDoing, cross_site
from gateway.policies.auth.provider import BadCredentials
from gateway.policies.auth.scheme import of_scheme

SCHEME: Final = "Bearer"
LONGEST: Final = 16 * 1024
"""Characters of a token that is looked at."""

_SCHEME: Final = of_scheme(SCHEME)
_USUAL: Final = "Bearer "
_TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # b64token


class BearerTokens:
    """Finds the token of a request.

    Args:
        cookie: The cookie that holds it where there is no `Authorization`; None for none.
        is_own_doing: Whether a request is its sender's, so that its cookies count.
    """

    __slots__ = ("_cookie", "_is_own_doing")

    def __init__(self, cookie: str | None, is_own_doing: IsOwnDoing) -> None:
        self._cookie = None if cookie is None else Cookie(cookie)
        self._is_own_doing = is_own_doing

    def carried(self, head: Head) -> bool:
        """Whether a request shows a token, good or bad."""
        fields = head.headers.all("authorization")
        if any(_SCHEME.match(field) for field in fields):
            return True
        return not fields and bool(self._cookies(head))

    def at_once(self, head: Head) -> str | None:
        """Returns what a request shows in the usual way, to be looked up: it need be no token.

        None stands for all else, about which `of` is to be asked.
        """
        fields = head.headers
        field = fields.get("authorization")
        if field is not None:
            if field[:7] == _USUAL and (fields.distinct or len(fields.all("authorization")) == 1):
                return field[7:]
        elif self._cookie is not None:
            tokens = self._cookies(head)
            if len(tokens) == 1 and self._is_own_doing(head):
                return tokens[0]
        return None

    def of(self, head: Head) -> str | None:
        """Returns the token of a request; None where it shows none.

        Raises:
            BadCredentials: What it shows is no token, or is several.
            RpcError: CROSS_SITE_REQUEST: only a cookie shows it, and another site may have asked.
        """
        fields = head.headers.all("authorization")
        if fields:
            tokens = [field[scheme.end() :] for field in fields if (scheme := _SCHEME.match(field))]
            if tokens and len(fields) > 1:
                raise BadCredentials("There is more than one Authorization.", "several fields")
        else:
            tokens = self._cookies(head)
            if len(tokens) > 1:
                raise BadCredentials("There is more than one such cookie.", "several cookies")
            if tokens and not self._is_own_doing(head):
                raise cross_site("The cookie")
        if not tokens:
            return None
        token = tokens[0].strip(" ")
        if len(token) > LONGEST:
            raise BadCredentials("The token is too long.", f"it has {len(token)} characters")
        if not _TOKEN.fullmatch(token):
            raise BadCredentials("The token is malformed.", "it is no b64token")
        return token

    def _cookies(self, head: Head) -> list[str]:
        if self._cookie is None:
            return []
        return self._cookie.values(head.headers.all("cookie"))
