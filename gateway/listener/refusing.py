"""What is noted of what the listener refuses itself, and how its client is told.

Of what no front has seen as much is known as its first line says, if that came; of a connection
nothing.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.errors import REASONS
from gateway.http import Headers, Request
from gateway.http.request_id import REQUEST_ID, request_id
from gateway.listener.faults import Fault
from gateway.record import RequestRecord

FRONT: Final = "listener"
"""The front of what is refused here (`RequestRecord.front`)."""

_LINE: Final = 8 * 1024  # bytes of a request line that are looked at
_METHOD: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}")  # a token (section 9.1), not long
_PARTS: Final = 3  # method, target, version (RFC 9112 section 3)


def begun(data: bytes | bytearray, peer: str, scheme: str) -> Request:
    """Returns what is known of a request that is refused.

    Args:
        data: Its head, as far as it came; empty for nothing.
        peer: The address that it came from.
        scheme: `http` or `https`.
    """
    line = bytes(data[:_LINE]).partition(b"\r\n")[0].decode("latin-1").split(" ")
    method, target = (line[0], line[1]) if len(line) == _PARTS else ("", "")
    if not _METHOD.fullmatch(method):
        method = ""
    path, mark, query = target.partition("?")
    return Request(method, path, query if mark else None, Headers(), peer=peer, scheme=scheme)


def note(record: RequestRecord, fault: Fault, given: str | None, *, head_only: bool) -> str:
    """Takes down why it is refused, and that it is.

    Args:
        record: What is noted of it.
        fault: What it is refused with.
        given: How its client names it; None where that is not known.
        head_only: Whether the reply has no body.

    Returns:
        What names it.
    """
    named = request_id(given)
    record.front, record.request_id = FRONT, named
    record.refused(REASONS[fault.reason].code, fault.reason, fault.message)
    record.answered(fault.status, 0 if head_only else len(fault.body(named)))
    return named


def told(
    record: RequestRecord | None, fault: Fault, given: Headers
) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Returns status, header fields and body of the reply to a request that a front has seen.

    Args:
        record: What is noted of it, where something is: it names the request.
        fault: What it is refused with.
        given: Its header fields.
    """
    if record is None:
        return fault.parts(given)
    named = record.request_id = record.request_id or request_id(given.get(REQUEST_ID))
    record.refused(REASONS[fault.reason].code, fault.reason, fault.message)
    return fault.status, fault.headers(named), fault.body(named)
