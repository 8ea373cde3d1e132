"""What a log may say of a request's target: the query without the values that are secret."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate
from typing import Final
from urllib.parse import unquote_plus

MOST: Final = 1024
"""Characters of a path, a query or a header that are written; what follows is left out."""

CUT: Final = "…"
HIDDEN: Final = "-"
"""What stands for a value that is left out."""


class Redaction:
    """Leaves out the values of some query parameters.

    Args:
        names: Globs of their names, in any case of letters.
    """

    __slots__ = ("_secret",)

    def __init__(self, names: Sequence[str]) -> None:
        globs = "|".join(translate(name.lower()) for name in names)
        self._secret = re.compile(globs) if globs else None

    def query(self, query: str) -> str:
        """Returns a raw query with what is secret replaced.

        A name is judged as it is read, percent-decoded: `%74oken` is `token`. What stands before an
        `=` is a name, and a parameter without one is all name: it is kept.
        """
        secret = self._secret
        query = cut(query)
        if secret is None or "=" not in query:
            return query
        parts = []
        for part in query.split("&"):
            name, equals, _ = part.partition("=")
            # Maps are asked for as `m[token]=v`, and nested fields as `a.token=v`.
            names = re.split(r"[.\[\]]", unquote_plus(name).lower())
            if equals and any(secret.fullmatch(each) for each in (*names, "".join(names))):
                part = f"{name}={HIDDEN}"  # noqa: PLW2901  it is the part without its value
            parts.append(part)
        return "&".join(parts)

    def url(self, url: str) -> str:
        """Returns a URL, such as that of a `Referer`, with what is secret in its query replaced."""
        before, mark, query = cut(url).partition("?")
        return f"{before}?{self.query(query)}" if mark else before


def cut(text: str) -> str:
    """Returns a text of at most MOST characters."""
    return text if len(text) <= MOST else text[:MOST] + CUT
