"""Percent-decoding of paths and queries (RFC 3986 section 2.1), strict.

A raw path is split at its slashes first and each part decoded then, once: a `%2F` is never a
separator. What does not decode to UTF-8 text without NUL is an error, and so are `.` and `..` as
segments: nobody behind the gateway may read a path differently than it does. Which part of a path
means what is the router's business.
"""

from __future__ import annotations

import binascii
import re

from gateway.errors import error

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DOTS = frozenset({".", ".."})


class EscapeError(ValueError):
    """A text that can't be decoded; its message says why, in words fit for clients."""


def decode(raw: str, *, keep_slash: bool = False) -> str:
    """Decodes a percent-encoded text whose bytes beyond ASCII are held as Latin-1 characters.

    Args:
        raw: A segment, or several joined by `/`.
        keep_slash: Leave `%2F` and `%2f` as they are (google/api/http.proto, multi-segment
            variables).

    Raises:
        EscapeError: An escape is not `%` and two hexadecimal digits, the result is not UTF-8, or
            it holds NUL.
    """
    if "%" in raw:
        if _BAD_ESCAPE.search(raw):
            raise EscapeError('a "%" is not followed by two hexadecimal digits')
        if keep_slash:
            # An escaped percent sign decodes to "%", so escaping the escape keeps it, as written.
            raw = raw.replace("%2F", "%252F").replace("%2f", "%252f")
    elif raw.isascii() and "\0" not in raw:
        return raw
    try:
        # Quoted-printable is percent-encoding with "=" for "%", and its decoder is written in C:
        # 70 times faster than urllib.parse's, which takes 0.7 s for a form of 4 MiB.
        data = raw.encode("latin-1").replace(b"=", b"=3D").replace(b"%", b"=")
        text = binascii.a2b_qp(data).decode()
    except UnicodeError:
        raise EscapeError("it does not decode to UTF-8") from None
    if "\0" in text:
        raise EscapeError("it holds a NUL character")
    return text


def split_path(raw: str) -> tuple[list[str], list[str]]:
    """Splits a raw path into segments.

    Returns:
        The raw segments and the decoded ones, both without the leading slash: `/` has none, and
        `/a/` has `a` and an empty one.

    Raises:
        RpcError: INVALID_PATH: it does not begin with `/`, does not decode, or has the segment
            `.` or `..`.
    """
    if not raw.startswith("/"):
        raise error("INVALID_PATH", 'The path does not begin with "/".')
    if raw == "/":
        return [], []
    parts = raw[1:].split("/")
    if raw.isascii() and "%" not in raw and "\0" not in raw:
        # The common case: nothing to decode, and a dot segment shows as "/." in the text.
        if "/." in raw:
            refuse_dots(parts)
        return parts, parts
    try:
        decoded = [decode(part) for part in parts]
    except EscapeError as problem:
        raise error("INVALID_PATH", f"The path can't be decoded: {problem}.") from None
    refuse_dots(decoded)
    return parts, decoded


def refuse_dots(decoded: list[str]) -> None:
    """Raises RpcError INVALID_PATH where a decoded segment is `.` or `..`."""
    if not _DOTS.isdisjoint(decoded):
        raise error("INVALID_PATH", 'The path has the segment "." or "..".')


def decode_query(raw: str) -> str:
    """Decodes a name or a value of a query, where `+` is a space (WHATWG URL, form-urlencoded).

    Raises:
        EscapeError: As of `decode`.
    """
    return decode(raw.replace("+", " "))
