"""A token's text taken apart, strictly: one text, one meaning.

What this refuses, a lax reader takes for something: padding and bits that say nothing (RFC 7515
section 2), members that come twice, extensions that nobody here understands (`crit`, section
4.1.11; `b64`, RFC 7797), tokens in tokens, encrypted ones, and tokens made for something else
(`typ`, RFC 8725 section 3.11). Keys that a header brings along or points to (`jwk`, `jku`, `x5c`,
`x5u`) are not looked at: an issuer may name them, nobody here follows.

Nothing is verified here.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Final, NamedTuple

from gateway.policies.auth import strict_json

LONGEST: Final = 16 * 1024
"""Characters that a token may have."""

_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})  # RFC 9068 section 2.1
_UNKNOWN: Final = {
    "crit": "an extension that must be understood",
    "b64": "an unencoded payload",
    "cty": "a token in a token",
    "enc": "encrypted",
}


class MalformedError(Exception):
    """A text is no token that can be verified. It says why, and quotes nothing of it."""


class Token(NamedTuple):
    """A token's parts.

    Attributes:
        algorithm: By which it says it is signed.
        kid: The name of the key; None where it has none.
        claims: What it says. Nobody has verified it.
        signed: The bytes that are signed.
        signature: The signature.
    """

    algorithm: str
    kid: str | None
    claims: dict[str, object]
    signed: bytes
    signature: bytes


def claims_of(text: str) -> Mapping[str, object]:
    """Returns the claims of what may be a token, however badly made; none where it has none.

    Nobody has verified them. They tell whose it is to judge, no more.
    """
    parts = text.split(".", 2)
    if len(parts) != 3 or len(text) > LONGEST:
        return {}
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def parse(text: str) -> Token:
    """Returns the parts of a token in compact form (RFC 7515 section 7.1).

    Raises:
        MalformedError: See above.
    """
    if len(text) > LONGEST:
        raise MalformedError("too long")
    if not text.isascii():
        raise MalformedError("a character that is none of base64url")
    parts = text.encode().split(b".")
    if len(parts) != 3:
        raise MalformedError(f"{len(parts)} parts, not 3")
    header, claims = _object(parts[0], "header"), _object(parts[1], "payload")
    signature = _decode(parts[2], "signature")
    algorithm, kid = header.get("alg"), header.get("kid", "")
    if not isinstance(algorithm, str):
        raise MalformedError("no algorithm")
    if not isinstance(kid, str):
        raise MalformedError("a kid that is no text")
    for member, what in _UNKNOWN.items():
        if member in header:
            raise MalformedError(what)
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise MalformedError("a token of another type")
    named = kid if "kid" in header else None
    return Token(algorithm, named, claims, parts[0] + b"." + parts[1], signature)


def _object(part: bytes, name: str) -> dict[str, object]:
    try:
        value = strict_json.read(_decode(part, name))
    except strict_json.NotStrictError as wrong:
        raise MalformedError(f"the {name}: {wrong}") from None
    if not isinstance(value, dict):
        raise MalformedError(f"the {name} is no object")
    return value


def _decode(part: bytes, name: str) -> bytes:
    try:
        data = urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except ValueError:
        data = b""
    # There is one right way to write bytes; Python's reader takes many.
    if not data or urlsafe_b64encode(data).rstrip(b"=") != part:
        raise MalformedError(f"the {name} is not base64url")
    return data
