"""The head of a request: request line and header fields, read strictly (RFC 9112 sections 2 to 7).

What this refuses is never seen by anything behind it. It is stricter than the C parser that reads
the head after it: no other version than 1.0 and 1.1, one `Host`, one way to tell the body's length,
no bare CR or LF, no folded fields. It decides nothing about routes and reads no body.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.http import Headers, Request
from gateway.listener.faults import EXPECTATION, VERSION, Refused, bad_request
from gateway.listener.forwarded import Origin

# RFC 9110 5.6.2: token.
_TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# RFC 9110 5.5: field-vchar, space, tab, obs-text.
_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_TARGET: Final = re.compile(rb"[!-~]+")
_VERSION: Final = re.compile(rb"HTTP/[0-9]\.[0-9]")
# RFC 3986 3.2.2 and 3.2.3, without telling the kinds of host apart.
_HOST: Final = re.compile(r"[A-Za-z0-9\-._~%!$&'()*+,;=:\[\]]*")
# 18 digits hold every length that a 64-bit integer does, less one digit.
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_ABSOLUTE: Final = re.compile(r"https?://([^/?#]+)(.*)", re.IGNORECASE)
_ONCE: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "expect", "content-type", "user-agent"}
)

_REQUEST_ID: Final = re.compile(rb"\r\n(?i:x-request-id):[ \t]*([!-~]*)[ \t]*(?=\r\n)")

CHUNKED: Final = -1
"""A body length: not known beforehand, the body comes in chunks."""


@dataclass(frozen=True, slots=True)
class Head:
    """A request's head, checked.

    Attributes:
        method: The verb.
        path: The raw path, up to `?`; `*` for `OPTIONS *`.
        query: The raw query without `?`, or None where there is no `?`.
        authority: The host that was asked, from an absolute target or from `Host`.
        headers: The fields, lower-case names, Latin-1.
        http10: Whether the client speaks HTTP/1.0.
        length: The body's length in bytes; 0 for none, CHUNKED when it comes in chunks.
        expects_continue: Whether the client waits for `100 Continue`.
    """

    method: str
    path: str
    query: str | None
    authority: str
    headers: Headers
    http10: bool
    length: int
    expects_continue: bool

    def request(self, client: Origin) -> Request:
        """Returns it as fronts see it, for a client that comes from there."""
        return Request(
            method=self.method,
            path=self.path,
            query=self.query,
            headers=self.headers,
            authority=self.authority,
            scheme=client.scheme,
            peer=client.peer,
        )


def parse(data: bytes) -> Head:
    """Reads a head.

    Args:
        data: The request line and fields, with the empty line that ends them.

    Raises:
        Refused: The head is not one that this gateway takes.
    """
    line, *fields = data[:-4].split(b"\r\n")
    method, target, http10 = _request_line(line)
    items = [_field(field) for field in fields]
    framing: dict[str, str] = {}
    for name, value in items:
        if name in _ONCE:
            if name in framing:
                raise bad_request(f"The {name.title()} field comes more than once.")
            framing[name] = value
    host = _host(framing.get("host"), http10=http10)
    authority, path, query = _target(method, target)
    return Head(
        method=method,
        path=path,
        query=query,
        authority=host if authority is None else authority,
        headers=Headers(items),
        http10=http10,
        length=_length(framing, http10=http10),
        expects_continue=_expects_continue(framing.get("expect"), http10=http10),
    )


def given_id(data: bytes) -> str | None:
    """Returns the `x-request-id` of a head that `parse` refuses, or None without a plain one."""
    found = _REQUEST_ID.search(data)
    return found[1].decode("ascii") if found else None


def _request_line(line: bytes) -> tuple[str, str, bool]:
    parts = line.split(b" ")
    if len(parts) != 3 or not _VERSION.fullmatch(parts[2]):
        raise bad_request("The request line is not of the form `METHOD target HTTP/1.1`.")
    method, target, version = parts
    if not _TOKEN.fullmatch(method):
        raise bad_request("The request's method is not a token.")
    if version not in {b"HTTP/1.1", b"HTTP/1.0"}:
        raise Refused(VERSION)
    if not _TARGET.fullmatch(target) or b"#" in target:
        raise bad_request(
            "The request target holds a byte that must be percent-encoded: "
            "a control character, `#`, or one beyond ASCII."
        )
    return method.decode("ascii"), target.decode("ascii"), version == b"HTTP/1.0"


def _field(line: bytes) -> tuple[str, str]:
    name, colon, value = line.partition(b":")
    if not colon or not _TOKEN.fullmatch(name):
        if line.startswith((b" ", b"\t")):
            raise bad_request("A header field is folded over two lines.")
        raise bad_request("A header field is not of the form `name: value`.")
    value = value.strip(b" \t")
    if not _VALUE.fullmatch(value):
        raise bad_request("The value of a header field holds a control character.")
    return name.decode("ascii").lower(), value.decode("latin-1")


def _host(value: str | None, *, http10: bool) -> str:
    """Returns the `Host` (RFC 9112 section 3.2)."""
    if value is None:
        if not http10:
            raise bad_request("The Host field is missing.")
        return ""
    if not _HOST.fullmatch(value):
        raise bad_request("The Host field is not a host with an optional port.")
    return value


def _target(method: str, target: str) -> tuple[str | None, str, str | None]:
    """Returns authority (None where the target has none), path and query (RFC 9112 section 3.2)."""
    authority = None
    if method == "CONNECT":
        raise bad_request("CONNECT is for proxies, and this is none.")
    if target == "*" and method == "OPTIONS":
        return None, "*", None
    if not target.startswith("/"):
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None or not _HOST.fullmatch(absolute[1]):
            raise bad_request("The request target is neither a path nor an http or https URL.")
        authority, target = absolute[1], absolute[2]
        if not target and method == "OPTIONS":
            return authority, "*", None
        if not target.startswith("/"):
            target = "/" + target
    path, mark, query = target.partition("?")
    return authority, path, query if mark else None


def _length(framing: dict[str, str], *, http10: bool) -> int:
    """Returns the body's length (RFC 9112 section 6.3), refusing all that is ambiguous."""
    coding, length = framing.get("transfer-encoding"), framing.get("content-length")
    if coding is not None:
        if http10:
            raise bad_request("Transfer-Encoding is not part of HTTP/1.0.")
        if length is not None:
            raise bad_request("Transfer-Encoding and Content-Length come together.")
        if coding.lower() != "chunked":
            raise bad_request("The only Transfer-Encoding that is supported is `chunked`.")
        return CHUNKED
    if length is None:
        return 0
    if not _LENGTH.fullmatch(length):
        raise bad_request("The Content-Length field is not a number of bytes.")
    return int(length)


def _expects_continue(value: str | None, *, http10: bool) -> bool:
    """Returns whether to send 100 (RFC 9110 section 10.1.1)."""
    if value is None or http10:
        return False
    if value.lower() != "100-continue":
        raise Refused(EXPECTATION)
    return True
