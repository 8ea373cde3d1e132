"""Entity tags of what a front answers, and conditional requests (RFC 9110, section 13.1.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b

TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"')
_DIGEST_BYTES = 16


def entity_tag(body: bytes) -> str:
    """Returns a strong entity tag of a representation (RFC 9110, section 8.8.3)."""
    return f'"{blake2b(body, digest_size=_DIGEST_BYTES).hexdigest()}"'


def not_modified(etag: str, if_none_match: Iterable[str]) -> bool:
    """Whether the client has the representation with this tag (weak comparison).

    Args:
        etag: The representation's.
        if_none_match: The values of the header `If-None-Match`.
    """
    values = [*if_none_match]
    if any(value.strip() == "*" for value in values):
        return True
    known = {tag.removeprefix("W/") for value in values for tag in TAG.findall(value)}
    return etag.removeprefix("W/") in known
