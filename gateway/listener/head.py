"""The head of a request: request line and header fields, read strictly (RFC 9112 sections 2 to 7).

What this refuses is never seen by anything behind it. Every head passes llhttp, and the checks that
llhttp does not make: no other version than 1.0 and 1.1, one `Host`, one way to tell the body's
length, no bare CR or LF, no folded fields. It decides nothing about routes and reads no body.

Clients repeat their fields, so what follows the target is remembered by its bytes, as far as that
was found right; the request line, and llhttp's word, are asked for every time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NoReturn

from httptools import (
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from gateway.http import Headers, Request
from gateway.listener.faults import (
    EXPECTATION,
    MALFORMED,
    UNKNOWN_METHOD,
    VERSION,
    Refused,
    bad_request,
)
from gateway.wire.recent import Recent

# RFC 9110 5.6.2: token. RFC 9110 5.5: field-vchar, space, tab, obs-text.
_TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_TARGET: Final = re.compile(rb"[!-~]+")
_ORIGIN_FORM: Final = re.compile(rb"/[!\"$-~]*")  # visible ASCII but `#`
_VERSION: Final = re.compile(rb"HTTP/[0-9]\.[0-9]")
# All that follows the target. Possessive: nothing is ever tried twice.
_REST: Final = re.compile(
    rb"HTTP/1\.[01]\r\n(?>[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t\x20-\x7e\x80-\xff]*+\r\n)*+\r\n"
)
_FIELD: Final = re.compile(r"([^:\r\n]+):[ \t]*([^\r]*)\r\n")
_REST_LINE: Final = len(b"HTTP/1.1\r\n")
# A name or an address, then perhaps a port (RFC 3986 3.2.2 and 3.2.3). One colon too many could be
# read in two ways, by a proxy and here; so could brackets around what is no IPv6 address.
_HOST: Final = re.compile(
    r"(?:[A-Za-z0-9\-._~%!$&'()*+,;=]*|\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9\-._~%]+)?\])"
    r"(?::[0-9]*)?"
)
# 18 digits hold every length that a 64-bit integer does, less one digit.
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_ABSOLUTE: Final = re.compile(r"https?://([^/?#]+)(.*)", re.IGNORECASE)
_ONCE: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "expect", "content-type", "user-agent"}
)
_REQUEST_ID: Final = re.compile(rb"\r\n(?i:x-request-id):[ \t]*+([!-~]*+)[ \t]*+(?=\r\n)")

# Fields that are remembered by their bytes: so many at least, twice as many at most, each with what
# is read of it some 8 KiB.
_ENTRIES: Final = 256
KEY_SIZE: Final = 2048
"""Bytes of the longest fields that are remembered."""

CHUNKED: Final = -1
"""A body length: not known beforehand, the body comes in chunks."""


@dataclass(slots=True, eq=False)
class Fields:
    """What a request says after its target, checked.

    Attributes:
        headers: The fields, lower-case names, Latin-1.
        host: The `Host` field's value; empty without one.
        http10: Whether the client speaks HTTP/1.0.
        length: The body's length in bytes; 0 for none, CHUNKED when it comes in chunks.
        expects_continue: Whether the client waits for `100 Continue`.
        closes: Whether the connection ends with this request.
        plain: Whether llhttp is ready for another request after it.
    """

    headers: Headers
    host: str
    http10: bool
    length: int
    expects_continue: bool
    closes: bool
    plain: bool


class HeadReader:
    """Reads heads, each whole and by itself; for any number of connections."""

    __slots__ = ("_methods", "_parser", "_remembered")

    def __init__(self) -> None:
        self._parser = _parser()
        self._methods: dict[bytes, str] = {}  # those that llhttp knows, and so not many
        self._remembered: Recent[bytes, Fields] = Recent(_ENTRIES)

    def read(self, data: bytes, scheme: str, peer: str) -> tuple[Request, Fields]:
        """Reads a head.

        Args:
            data: The request line and fields, with the empty line that ends them, and no more.
            scheme: How the client is connected.
            peer: Where it is connected from.

        Raises:
            Refused: The head is not one that this gateway takes.
        """
        parts = data.split(b" ", 2)
        if len(parts) != 3:
            _explain(data)
        name, target, rest = parts
        fields = self._remembered.get(rest)
        if fields is None:
            if not _REST.fullmatch(rest):
                _explain(data)
            fields = _fields(rest)
            known = False
        else:
            known = True
        method = self._methods.get(name)
        if method is None or not _ORIGIN_FORM.fullmatch(target):
            request = _unusual(name, target, fields)
            request.scheme, request.peer = scheme, peer
        else:
            path, mark, query = target.decode("ascii").partition("?")
            request = Request(
                method, path, query if mark else None, fields.headers, fields.host, scheme, peer
            )
        self._feed(data, fields)
        if method is None:
            self._methods[name] = request.method
        if not known and len(rest) <= KEY_SIZE:
            self._remembered.put(rest, fields)
        return request, fields

    def _feed(self, data: bytes, fields: Fields) -> None:
        """Has llhttp read the head, and nothing after it."""
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:  # not an error: it has read the head, and is done
            self._parser = _parser()
        except HttpParserError as wrong:
            self._parser = _parser()
            unknown = isinstance(wrong, HttpParserInvalidMethodError)
            raise Refused(UNKNOWN_METHOD if unknown else MALFORMED) from None
        else:
            if not fields.plain:
                # It waits for a body, which `body` reads, or takes the connection for closed.
                self._parser = _parser()


def _parser() -> HttpRequestParser:
    return HttpRequestParser(None)  # no callbacks: its word is yes or no


def given_id(data: bytes) -> str | None:
    """Returns the `x-request-id` of a head that is refused, or None without a plain one."""
    found = _REQUEST_ID.search(data)
    return found[1].decode("ascii") if found else None


def _fields(rest: bytes) -> Fields:
    """Reads what follows the target, which `_REST` has found right as far as bytes go."""
    http10 = rest.startswith(b"HTTP/1.0")
    found = _FIELD.findall(rest.decode("latin-1"), _REST_LINE)
    if b" \r\n" in rest or b"\t\r\n" in rest:
        found = [(name, value.rstrip(" \t")) for name, value in found]
    headers = Headers([(name.lower(), value) for name, value in found])
    if not headers.distinct:
        for name in _ONCE:
            if len(headers.all(name)) > 1:
                raise bad_request(f"The {name.title()} field comes more than once.")
    get = headers.first.get
    length = _length(get("transfer-encoding"), get("content-length"), http10=http10)
    connection = get("connection")
    alive = connection is None or connection.lower() == "keep-alive"
    return Fields(
        headers,
        _host(get("host"), http10=http10),
        http10,
        length,
        _expects_continue(get("expect"), http10=http10),
        http10 if connection is None else _closes(headers, http10=http10),
        alive and not length and not http10 and "proxy-connection" not in headers.first,
    )


def _closes(headers: Headers, *, http10: bool) -> bool:
    """Returns whether the connection ends with this request (RFC 9112 section 9.3)."""
    options = {option.strip().lower() for option in ",".join(headers.all("connection")).split(",")}
    return "close" in options or (http10 and "keep-alive" not in options)


def _host(value: str | None, *, http10: bool) -> str:
    """Returns the `Host` (RFC 9112 section 3.2)."""
    if value is None:
        if not http10:
            raise bad_request("The Host field is missing.")
        return ""
    if not _HOST.fullmatch(value):
        raise bad_request("The Host field is not a host with an optional port.")
    return value


def _length(coding: str | None, length: str | None, *, http10: bool) -> int:
    """Returns the body's length (RFC 9112 section 6.3), refusing all that is ambiguous."""
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


def _unusual(name: bytes, target: bytes, fields: Fields) -> Request:
    """Returns the request with a target that is no path, or of a method not seen before."""
    if not _TOKEN.fullmatch(name):
        raise bad_request("The request's method is not a token.")
    if not _TARGET.fullmatch(target) or b"#" in target:
        raise bad_request(
            "The request target holds a byte that must be percent-encoded: "
            "a control character, `#`, or one beyond ASCII."
        )
    method = name.decode("ascii")
    authority, path, query = _target(method, target.decode("ascii"))
    host = fields.host if authority is None else authority
    return Request(method, path, query, fields.headers, host)


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


def _explain(data: bytes) -> NoReturn:
    """Refuses a head whose bytes are wrong, and says which."""
    line, *fields = data[:-4].split(b"\r\n")
    parts = line.split(b" ")
    if len(parts) != 3 or not _VERSION.fullmatch(parts[2]):
        raise bad_request("The request line is not of the form `METHOD target HTTP/1.1`.")
    if not _TOKEN.fullmatch(parts[0]):
        raise bad_request("The request's method is not a token.")
    if parts[2] not in {b"HTTP/1.1", b"HTTP/1.0"}:
        raise Refused(VERSION)
    for field in fields:
        name, colon, value = field.partition(b":")
        if field.startswith((b" ", b"\t")):
            raise bad_request("A header field is folded over two lines.")
        if not colon or not _TOKEN.fullmatch(name):
            raise bad_request("A header field is not of the form `name: value`.")
        if not _VALUE.fullmatch(value):
            raise bad_request("The value of a header field holds a control character.")
    raise Refused(MALFORMED)
