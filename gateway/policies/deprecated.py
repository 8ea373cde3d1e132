"""Tells clients that a method goes away: since when it should not be used, and until when it works.

`Deprecation` is a date of structured fields (RFC 9745 section 2.1), `Sunset` one of HTTP (RFC 8594
section 3), and both have a relation of `Link` for pages about them (RFC 9745 section 3, RFC 8594
section 6). Stands in front, so that refusals tell it, too. It changes nothing of the call: what has
been announced for years still works, until its owner takes it away.
"""

from __future__ import annotations

from email.utils import formatdate

from gateway.call import Call

DEPRECATION = "deprecation"
SUNSET = "sunset"


class Deprecated:
    """Adds `Deprecation`, `Sunset` and `Link` to each reply (a Gate).

    Args:
        since: From when on the method is not to be used, seconds since 1970.
        sunset: From when on it may be gone, seconds since 1970; None where nobody knows.
        link: Where to read about it; None for nowhere.
    """

    __slots__ = ("_headers",)

    def __init__(self, since: float, sunset: float | None, link: str | None) -> None:
        headers = {DEPRECATION: f"@{int(since)}"}
        relations = ["deprecation"]
        if sunset is not None:
            headers[SUNSET] = formatdate(sunset, usegmt=True)
            relations.append("sunset")
        if link is not None:
            headers["link"] = ", ".join(f'<{link}>; rel="{each}"' for each in relations)
        self._headers = headers

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        said = ", ".join(f"{name.capitalize()}: {value}" for name, value in self._headers.items())
        return f"Tells clients that the method goes away, by {said}."

    def admit(self, call: Call) -> None:
        """Adds the headers, under those that others have set."""
        call.reply_headers = {**self._headers, **(call.reply_headers or {})}
