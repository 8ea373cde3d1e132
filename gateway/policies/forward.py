"""What backends are told of the caller: metadata that no client can set.

A gate behind authorization. Texts go as they are, but what is no printable ASCII, `%`, and space at
either end, which go percent-encoded (RFC 3986 section 2.1, of UTF-8): two texts never look alike,
and who decodes gets what the provider said. Other values go as compact JSON, encoded likewise; null
and a claim that is not there are left out. Of a caller without a subject nothing is told, be it
anonymous or let in without a name.

That the clients' own copies never pass is the business of `routing.metadata`; what got there some
other way is replaced here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from gateway.call import Call, Metadata, Principal, RpcError
from gateway.errors import error

MAX_FORWARDED: Final = 8 * 1024
"""Bytes of all values together that a backend is told of a caller."""

_AS_IS: Final = re.compile(r"[!-$&-~](?:[ -$&-~]*[!-$&-~])?", re.ASCII)
_ENCODED: Final = re.compile(rb"[^ -$&-~]|^ +| +$")

_json: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Signs(Protocol):
    """Makes the signed token of a caller (`internal_token`)."""

    def token(self, principal: Principal, claims: Mapping[str, object]) -> str:
        """Returns one with these claims."""


class Forward:
    """Tells the backend who calls.

    Args:
        subject: The metadata key of the subject; None for none.
        claims: Metadata keys, by claim.
        token: The metadata key of a signed token, and what makes it; None for none.
    """

    __slots__ = ("_claims", "_keys", "_subject", "_token")

    def __init__(
        self,
        *,
        subject: str | None = None,
        claims: Mapping[str, str] | None = None,
        token: tuple[str, Signs] | None = None,
    ) -> None:
        self._subject = subject
        self._claims = tuple((claims or {}).items())
        self._token = token
        keys = (subject, *(claims or {}).values(), None if token is None else token[0])
        self._keys = frozenset(key for key in keys if key is not None)

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        return f"Tells the backend who calls: {', '.join(sorted(self._keys))}."

    def admit(self, call: Call) -> None:
        """Adds what the backend is told to the call's metadata.

        Raises:
            RpcError: HEADERS_TOO_LARGE: it is more than MAX_FORWARDED bytes.
        """
        kept = [item for item in call.metadata if item[0] not in self._keys]
        if call.principal is not None and call.principal.subject:
            left = MAX_FORWARDED
            for item in self._told(call.principal):  # what is too much is not signed
                left -= len(item[1])
                if left < 0:
                    raise _too_large()
                kept.append(item)
        call.metadata = Metadata(kept)

    def _told(self, principal: Principal) -> Iterator[tuple[str, str]]:
        if self._subject is not None:
            yield self._subject, encoded(principal.subject)
        claims = {}
        for claim, key in self._claims:
            value = principal.claims.get(claim)
            if value is None or value == "":
                continue
            claims[claim] = value
            yield key, encoded(value)
        if self._token is not None:
            key, signs = self._token
            yield key, signs.token(principal, claims)


def encoded(value: object) -> str:
    """Returns a value as metadata has it, printable ASCII.

    Args:
        value: A text, or another JSON value.

    Raises:
        RpcError: HEADERS_TOO_LARGE: it is nested too deep to be told.
    """
    if isinstance(value, str):
        text = value
    else:
        try:
            text = _json(value)
        except RecursionError:
            raise _too_large() from None
    if _AS_IS.fullmatch(text):
        return text
    raw = text.encode("utf-8", "surrogatepass")
    return _ENCODED.sub(lambda found: _percent(found[0]), raw).decode("ascii")


def _percent(raw: bytes) -> bytes:
    return "".join(f"%{byte:02X}" for byte in raw).encode()


def _too_large() -> RpcError:
    text = f"What backends are told of the caller is larger than {MAX_FORWARDED} bytes."
    return error("HEADERS_TOO_LARGE", text)
