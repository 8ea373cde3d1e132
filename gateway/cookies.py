"""Cookies by which a client is known again: what a request shows, and what its answer gives.

A client keeps an id and nothing else: a random number of 128 bits that says nothing of who it is,
of backends or of where they are. What is made of an id is decided by who looks for it. How cookies
are read is RFC 6265 section 5.4, how they are written section 4.1; a client may send anything.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable
from typing import Final

_BYTES: Final = 16
_ID: Final = "[A-Za-z0-9_-]{22}"  # so many bytes as base64url (RFC 4648 section 5)


def new_id() -> str:
    """Returns an id that nobody has."""
    return secrets.token_urlsafe(_BYTES)


class Cookie:
    """A cookie that clients may show.

    Args:
        name: Its name, a token (RFC 6265 section 4.1.1); case counts.

    Attributes:
        name: Its name.
    """

    __slots__ = ("_pair", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        # A name alone is taken for one with an empty value.
        self._pair = re.compile(rf"(?:^|;)[ \t]*{re.escape(name)}[ \t]*(?:=([^;]*)|(?=;|$))")

    def values(self, fields: Iterable[str]) -> list[str]:
        """Returns its values, in order, less the quotes: there may be several.

        Args:
            fields: The values of a request's `Cookie` fields, of which HTTP/2 may have several.
        """
        return [value.strip(' \t"') for field in fields for value in self._pair.findall(field)]


class IdCookie(Cookie):
    """A cookie that holds an id.

    Args:
        name: Its name.
        max_age: Whole seconds for which a client keeps it.

    Attributes:
        max_age: Those.
    """

    __slots__ = ("_shown", "max_age")

    def __init__(self, name: str, max_age: int) -> None:
        super().__init__(name)
        self.max_age = max_age
        pair = rf"{re.escape(name)}[ \t]*=[ \t]*(\"?)({_ID})\1[ \t]*"
        self._shown = re.compile(rf"(?:\A|;)[ \t]*{pair}(?:;|\Z)")

    def __repr__(self) -> str:
        return f"IdCookie({self.name}, {self.max_age} s)"

    def shown(self, fields: Iterable[str]) -> str | None:
        """Returns the first id that a request shows; None where there is nothing like one.

        Args:
            fields: As of `values`.
        """
        for field in fields:
            found = self._shown.search(field)
            if found is not None:
                return found[2]
        return None

    def line(self, id_: str, *, secure: bool) -> str:
        """Returns the `Set-Cookie` that has a client keep an id (RFC 6265 section 4.1).

        No script can read it, and another site's page sends it only by a link.

        Args:
            id_: The id.
            secure: Whether the client came by https: it sends it by nothing else then.
        """
        line = f"{self.name}={id_}; Max-Age={self.max_age}; Path=/; HttpOnly; SameSite=Lax"
        return f"{line}; Secure" if secure else line


class Cookies:
    """What the answer to one request gives its client to keep; all calls of the request share it.

    Args:
        make: Makes ids.

    Attributes:
        lines: A value of `Set-Cookie` for each cookie that is given.
    """

    __slots__ = ("_ids", "_make", "lines")

    def __init__(self, make: Callable[[], str] = new_id) -> None:
        self._make = make
        self._ids: dict[str, str] = {}
        self.lines: list[str] = []

    def give(self, cookie: IdCookie, *, secure: bool) -> str:
        """Returns the id that the client is given in a cookie; the same however often it is asked.

        Args:
            cookie: The cookie, of which the request shows no id.
            secure: As of `IdCookie.line`.
        """
        id_ = self._ids.get(cookie.name)
        if id_ is None:
            id_ = self._ids[cookie.name] = self._make()
            self.lines.append(cookie.line(id_, secure=secure))
        return id_
