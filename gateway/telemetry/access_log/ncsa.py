"""Lines in NCSA's combined form, which every log analyser reads.

`peer - user [time] "request" status bytes "referer" "user agent"`. Such a log knows requests alone:
what came over a socket has no line in it but the socket's own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

from gateway.record import RequestRecord
from gateway.telemetry.access_log.moments import Moments, ncsa
from gateway.telemetry.access_log.redaction import Redaction, cut

KINDS: Final = frozenset({"request", "socket"})
"""What has a line."""

_BRIEF: Final = 64  # characters of a path in a brief line

# As Apache writes what could end a field or a line, or is not ASCII.
_UNSAFE: Final = re.compile(r'[^\x20-\x7e]|["\\]')


class NcsaLines:
    """Writes lines.

    Args:
        redaction: What is left out of queries.
        now: The wall clock, in seconds since 1970.
    """

    def __init__(self, redaction: Redaction, now: Callable[[], float] = time.time) -> None:
        self._redaction = redaction
        self._now = now
        self._moments = Moments(ncsa)

    def line(self, record: RequestRecord, *, brief: bool = False) -> str | None:
        """Returns the line of a record that is complete; None for what has none.

        A brief one is below 4 KiB: without query, referer and user agent.
        """
        if record.kind not in KINDS:
            return None
        head = record.head
        target = head.path[:_BRIEF] if brief else cut(head.path)
        if head.query is not None and not brief:
            target = f"{target}?{self._redaction.query(head.query)}"
        # The listener refuses some requests before they have a method.
        line = (
            f"{_quoted(head.method)} {_quoted(target)} HTTP/{head.version}" if head.method else "-"
        )
        began = self._now() - (record.clock() - record.began)
        principal = record.principal
        user = "-" if principal is None else _field(principal.subject) or "-"
        referer = agent = "-"
        if not brief:
            referer = self._redaction.url(head.headers.get("referer") or "-")
            agent = cut(head.headers.get("user-agent") or "-")
        return (
            f"{head.peer or '-'} - {user} [{self._moments.of(str(int(began)))}]"
            f' "{line}" {record.status} {record.sent or "-"}'
            f' "{_quoted(referer)}" "{_quoted(agent)}"\n'
        )


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    if char in '"\\':
        return f"\\{char}"
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))


def _quoted(text: str) -> str:
    return _UNSAFE.sub(_escaped, text)


def _field(text: str) -> str:
    """Returns a text as a field that ends at a space."""
    return _quoted(text[:128]).replace(" ", "\\x20")
