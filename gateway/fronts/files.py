"""Files of the package that are served to browsers: whole, or that the browser has it already.

They are kept packed. All go with headers that hold browsers to what the files are for: no guesses
at types, no frames, no windows and no loading from pages of other origins, no camera. What a page
may load and run is its own to say (`content-security-policy`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from gzip import compress, decompress
from hashlib import sha256
from typing import Final

from gateway.errors import error
from gateway.http import Exchange
from gateway.http.request_id import REQUEST_ID, request_id

# referrer-policy: the address of a page may hold a query; an own page's requests keep their Origin.
_HELD: Final = (
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)

_NO_GZIP: Final = re.compile(r"gzip\s*;\s*q=0(?:\.0{0,3})?\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class File:
    """One file.

    Attributes:
        packed: What is in it, as gzip.
        content_type: Its media type.
        digest: What it is known by, for ETags.
        headers: Further headers of a reply with it.
    """

    packed: bytes
    content_type: str
    digest: str
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, body: bytes, content_type: str, headers: Iterable[tuple[str, str]] = ()) -> File:
        """Returns a file of this content."""
        return cls.of_packed(compress(body, mtime=0), content_type, headers)

    @classmethod
    def of_packed(
        cls, packed: bytes, content_type: str, headers: Iterable[tuple[str, str]] = ()
    ) -> File:
        """Returns a file of this content, which is gzip."""
        return cls(packed, content_type, sha256(packed).hexdigest()[:16], tuple(headers))


def answer(exchange: Exchange, file: File) -> None:
    """Answers a request for a file.

    Raises:
        RpcError: METHOD_NOT_ALLOWED.
    """
    request = exchange.request
    if request.method not in {"GET", "HEAD"}:
        allow = {"allow": "GET, HEAD"}
        raise error("METHOD_NOT_ALLOWED", "A file is read with GET.", headers=allow)
    packed = takes_gzip(request.headers.all("accept-encoding"))
    etag = f'"{file.digest}-gzip"' if packed else f'"{file.digest}"'
    headers = [
        *always(exchange),
        ("content-type", file.content_type),
        ("vary", "accept-encoding"),
        ("etag", etag),
        *file.headers,
    ]
    if packed:
        headers.append(("content-encoding", "gzip"))
    respond(exchange, headers, etag, file.packed if packed else _plain(file.packed))


# A client without gzip is rare, but each of its requests for a large file would cost 10 ms.
_plain = lru_cache(8)(decompress)


def always(exchange: Exchange) -> list[tuple[str, str]]:
    """Returns the headers of every reply with a file."""
    named = request_id(exchange.request.headers.get(REQUEST_ID))
    return [(REQUEST_ID, named), *_HELD]


def respond(exchange: Exchange, headers: list[tuple[str, str]], etag: str, body: bytes) -> None:
    """Answers with a body, or that the client has it already (RFC 9110 section 13.1.2)."""
    known = ",".join(exchange.request.headers.all("if-none-match")).split(",")
    if any(each.strip().removeprefix("W/") in {etag, "*"} for each in known):
        exchange.respond(304, headers, b"")
    else:
        exchange.respond(200, headers, body)


def takes_gzip(accepted: list[str]) -> bool:
    """Whether a client names gzip among the encodings it takes (RFC 9110 section 12.5.3)."""
    text = ",".join(accepted).lower()
    return "gzip" in text and _NO_GZIP.search(text) is None
