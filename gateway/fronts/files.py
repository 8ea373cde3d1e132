"""Files of the package that are served to browsers: whole, or that the browser has it already.

What a file is sent packed in is the listener's to decide, and kept with it. Only those that the
package holds as gzip go out so to whoever takes it. All go with headers that hold browsers to what
the files are for: no guesses at types, no frames, no windows and no loading from pages of other
origins, no camera. What a page may load and run is its own to say (`content-security-policy`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from gzip import decompress
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
        body: What is in it.
        content_type: Its media type.
        digest: What it is known by, for ETags.
        headers: Further headers of a reply with it.
        packed: Whether `body` is gzip, made beforehand.
        forms: What the listener made of it.
    """

    body: bytes
    content_type: str
    digest: str
    headers: tuple[tuple[str, str], ...] = ()
    packed: bool = False
    forms: _Forms = field(default_factory=_Forms, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        body: bytes,
        content_type: str,
        headers: Iterable[tuple[str, str]] = (),
        *,
        packed: bool = False,
    ) -> File:
        """Returns a file of this content, which may be gzip."""
        return cls(body, content_type, sha256(body).hexdigest()[:16], tuple(headers), packed)


def answer(exchange: Exchange, file: File) -> None:
    """Answers a request for a file.

    Raises:
        RpcError: METHOD_NOT_ALLOWED.
    """
    check_method(exchange)
    tag = f'"{file.digest}"'
    headers = [*always(exchange), ("content-type", file.content_type), *file.headers]
    if not file.packed:
        body, kept = file.body, KeptBody(file.forms, _PLAIN)
        respond(exchange, [*headers, ("etag", tag)], [tag], body, kept)
        return
    headers.append(("vary", "accept-encoding"))
    if takes_gzip(exchange.request.headers.all("accept-encoding")):
        own = f'"{file.digest};gzip"'  # as the listener has it, who takes it off where it packs
        headers += [("etag", own), ("content-encoding", "gzip")]
        respond(exchange, headers, [tag, own], file.body)
    else:
        kept = KeptBody(file.forms, _PLAIN)
        respond(exchange, [*headers, ("etag", tag)], [tag], _plain(file.body), kept)


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
    record = exchange.record
    named = "" if record is None else record.request_id
    if not named:
        named = request_id(exchange.request.headers.get(REQUEST_ID))
        if record is not None:
            record.request_id = named
    return [(REQUEST_ID, named), *_HELD]


def respond(
    exchange: Exchange,
    headers: list[tuple[str, str]],
    etags: Iterable[str],
    body: bytes,
    kept: KeptBody | None = None,
) -> None:
    """Answers with a body, or that the client has it already (RFC 9110 section 13.1.2).

    Args:
        exchange: The request.
        headers: The reply's.
        etags: Those that a client may know the body by.
        body: It.
        kept: Where it is kept as it is sent.
    """
    sent = exchange.request.headers.all("if-none-match")
    if any(not_modified(each, sent) for each in etags):
        exchange.respond(304, headers, b"")
    else:
        exchange.respond(200, headers, body, kept)


def takes_gzip(accepted: list[str]) -> bool:
    """Whether a client would have gzip (RFC 9110 section 12.5.3)."""
    return choose(accepted, _PACKED).coding is not None
