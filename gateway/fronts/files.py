"""Files of the package that are served to browsers: whole, or that the browser has it already."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from gzip import compress
from hashlib import sha256
from typing import Final

from gateway.errors import error
from gateway.http import Exchange
from gateway.http.request_id import REQUEST_ID, request_id

_NO_GZIP: Final = re.compile(r"gzip\s*;\s*q=0(?:\.0{0,3})?\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class File:
    """One file.

    Attributes:
        body: What is in it.
        content_type: Its media type.
        digest: What it is known by, for ETags.
        headers: Further headers of a reply with it.
    """

    body: bytes
    content_type: str
    digest: str
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, body: bytes, content_type: str, headers: Iterable[tuple[str, str]] = ()) -> File:
        """Returns a file of this content."""
        return cls(body, content_type, sha256(body).hexdigest()[:16], tuple(headers))


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
    respond(exchange, headers, etag, _packed(file.body) if packed else file.body)


@lru_cache(8)
def _packed(body: bytes) -> bytes:
    return compress(body, mtime=0)


def always(exchange: Exchange) -> list[tuple[str, str]]:
    """Returns the headers of every reply with a file."""
    named = request_id(exchange.request.headers.get(REQUEST_ID))
    return [(REQUEST_ID, named), ("x-content-type-options", "nosniff")]


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
