"""Media types: what a request's body is, and which form of a stream its client wants.

RFC 9110, sections 8.3 (Content-Type) and 12.5.1 (Accept).
"""

from __future__ import annotations

import re
from enum import Enum

from gateway.errors import error

NDJSON = "application/x-ndjson"
SSE = "text/event-stream"
JSON = "application/json"

_NDJSON_TYPES = frozenset({NDJSON, "application/ndjson", "application/jsonl"})
_FORM = "application/x-www-form-urlencoded"
_QVALUE = re.compile(r"\s*(?:0(?:\.[0-9]*)?|1(?:\.0*)?|\.[0-9]+)\s*")  # RFC 9110 12.4.2, and `.5`
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s;"]+)', re.IGNORECASE)


class BodyForm(Enum):
    """What a request body is, by its Content-Type."""

    JSON = JSON
    NDJSON = NDJSON
    FORM = _FORM


def body_form(content_type: str | None) -> BodyForm:
    """Returns the form of a body where JSON is expected; a missing type counts as JSON.

    Raises:
        RpcError: 415, the type is another one, or its charset is not UTF-8.
    """
    if content_type is None:
        return BodyForm.JSON
    essence = content_type.partition(";")[0].strip().lower()
    if (charset := _CHARSET.search(content_type)) and charset[1].lower() not in {"utf-8", "utf8"}:
        raise error("UNSUPPORTED_CONTENT_TYPE", "The body's charset is not UTF-8.")
    if essence == JSON or (essence.startswith("application/") and essence.endswith("+json")):
        return BodyForm.JSON
    if essence in _NDJSON_TYPES:
        return BodyForm.NDJSON
    if essence == _FORM:
        return BodyForm.FORM
    raise error(
        "UNSUPPORTED_CONTENT_TYPE",
        f"The body is {essence[:100] or 'of no type'}; expected {JSON}.",
    )


def stream_form(accept: list[str]) -> str:
    """Returns the media type in which a server stream is sent: NDJSON, SSE or JSON.

    Each has the quality of the most specific range that it is in. The best quality wins, then the
    more specific range, then NDJSON. A client that accepts none of the three gets NDJSON: a reply
    that it may understand beats a refusal (RFC 9110, 12.5.1).
    """
    best, chosen = (0.0, 0), NDJSON
    ranges = [weighted(item) for value in accept for item in value.split(",")]
    for media in (NDJSON, SSE, JSON):
        found = [(_specificity(name, media), quality) for name, quality in ranges]
        weight, quality = max(found, default=(0, 0.0))
        rank = (quality, weight)
        if weight and quality > 0 and rank > best:
            best, chosen = rank, media
    return chosen


def weighted(item: str) -> tuple[str, float]:
    """Returns a media range of `Accept`, in lower case, and its quality: 1 where it has none."""
    name, *parameters = item.split(";")
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            # What is not a qvalue has the range count as absent.
            quality = float(value) if _QVALUE.fullmatch(value) else 0.0
    return name.strip().lower(), quality


def _specificity(name: str, media: str) -> int:
    if name == media or (media == NDJSON and name in _NDJSON_TYPES):
        return 3
    if name == f"{media.partition('/')[0]}/*":
        return 2
    return 1 if name == "*/*" else 0
