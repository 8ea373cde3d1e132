"""`Bytes`: base64, standard with padding in answers; base64url and no padding too in arguments."""

from __future__ import annotations

import base64
import re
from typing import Any

from graphql import GraphQLError

from gateway.fronts.graphql.graph.scalars.literals import scalar

_BASE64 = re.compile(r"([A-Za-z0-9+/]*|[A-Za-z0-9_-]*)(={0,2})", re.ASCII)


def write_bytes(value: bytes) -> str:
    """Returns base64 with padding (RFC 4648, section 4)."""
    return base64.b64encode(value).decode("ascii")


def read_bytes(value: Any) -> bytes:
    """Reads base64 or base64url, padded or not.

    Raises:
        GraphQLError: It is another value.
    """
    match = _BASE64.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        text, padding = match.groups()
        if len(value) % 4 == 0 if padding else len(text) % 4 != 1:
            return base64.b64decode(text + "=" * (-len(text) % 4), altchars=_alphabet(text))
    raise GraphQLError("expected a string in base64")


def _alphabet(text: str) -> bytes:
    return b"-_" if "-" in text or "_" in text else b"+/"


BYTES = scalar(
    "Bytes",
    write=write_bytes,
    read=read_bytes,
    about="Bytes in base64. Arguments may be in base64url too, with padding or without.",
    specification="https://www.rfc-editor.org/rfc/rfc4648",
)
