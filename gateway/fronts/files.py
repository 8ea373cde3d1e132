"""Files of the package that are served to browsers: whole, or that the browser has it already.

They are kept packed, with gzip; what the listener packs otherwise is kept too. All go with headers
that hold browsers to what the files are for: no guesses at types, no frames, no windows and no
loading from pages of other origins, no camera. What a page may load and run is its own to say
(`content-security-policy`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from gzip import compress, decompress
from hashlib import sha256
from typing import Final

from gateway.errors import error
from gateway.fronts.entity_tags import not_modified
from gateway.http import Exchange
from gateway.http.coding import choose
from gateway.http.request_id import REQUEST_ID, request_id
from gateway.kept import KeptBody

# referrer-policy: the address of a page may hold a query; an own page's requests keep their Origin.
_HELD: Final = (
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)

_PACKED: Final = ("gzip",)
_PLAIN: Final = "plain"


class _Forms(dict[object, bytes]):
    """A file as the listener has packed it: once for each coding that it knows (`kept.Forms`)."""

    def keep(self, form: object, made: bytes) -> None:
        """Takes the file in a form."""
        self[form] = made


@dataclass(frozen=True, slots=True)
class File:
    """One file.

    Attributes:
        packed: What is in it, as gzip.
        content_type: Its media type.
        digest: What it is known by, for ETags.
        headers: Further headers of a reply with it.
        forms: What the listener made of it.
    """

    packed: bytes
    content_type: str
    digest: str
    headers: tuple[tuple[str, str], ...] = ()
    forms: _Forms = field(default_factory=_Forms, compare=False, repr=False)

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
    check_method(exchange)
    packed = takes_gzip(exchange.request.headers.all("accept-encoding"))
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
        respond(exchange, headers, etag, file.packed)
    else:
        respond(exchange, headers, etag, _plain(file.packed), KeptBody(file.forms, _PLAIN))


# A client without gzip is rare, but each of its requests for a large file would cost 10 ms.
_plain = lru_cache(8)(decompress)


def check_method(exchange: Exchange) -> None:
    """Returns where a request is one to read.

    Raises:
        RpcError: METHOD_NOT_ALLOWED.
    """
    if exchange.request.method not in {"GET", "HEAD"}:
        allow = {"allow": "GET, HEAD"}
        raise error("METHOD_NOT_ALLOWED", "A file is read with GET.", headers=allow)


def always(exchange: Exchange) -> list[tuple[str, str]]:
    """Returns the headers of every reply with a file."""
    named = request_id(exchange.request.headers.get(REQUEST_ID))
    return [(REQUEST_ID, named), *_HELD]


def respond(
    exchange: Exchange,
    headers: list[tuple[str, str]],
    etag: str,
    body: bytes,
    kept: KeptBody | None = None,
) -> None:
    """Answers with a body, or that the client has it already (RFC 9110 section 13.1.2).

    Args:
        exchange: The request.
        headers: The reply's.
        etag: The body's.
        body: It.
        kept: Where it is kept as it is sent.
    """
    if not_modified(etag, exchange.request.headers.all("if-none-match")):
        exchange.respond(304, headers, b"")
    else:
        exchange.respond(200, headers, body, kept)


def takes_gzip(accepted: list[str]) -> bool:
    """Whether a client would have gzip (RFC 9110 section 12.5.3)."""
    return choose(accepted, _PACKED).coding is not None
