"""Which media type answers a request: what `Accept` says, for each kind of answer there is.

RFC 9110, section 12.5.1, and GraphQL over HTTP, "Accept" and "Body". Each type has the quality of
the most specific range that it is in; the best quality wins, then the more specific range, then our
order. Who names both JSON types gets the newer; to who says "anything" it is `application/json`,
and never parts or a page, which not every client can read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

GRAPHQL: Final = "application/graphql-response+json"
JSON: Final = "application/json"
EVENTS: Final = "text/event-stream"
PARTS: Final = "multipart/mixed"
HTML: Final = "text/html"

# Between types that a client likes as much: those that it names, and those that a wildcard means.
_NAMED: Final = (PARTS, GRAPHQL, JSON, EVENTS, HTML)
_MEANT: Final = (JSON, GRAPHQL, EVENTS)

# What clients call the format of incremental delivery in which `hasNext`, `pending` and `completed`
# tell of parts. A range of multipart/mixed that asks for another format is one of another type.
_FORMATS: Final = frozenset({("incrementalspec", "v0.2"), ("incrementaldeliveryspec", "3283f8a")})
_NAMES_OF_FORMATS: Final = frozenset(
    {"deferspec", "subscriptionspec"} | {name for name, _ in _FORMATS}
)

_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?", re.ASCII)
_KEPT: Final = 256
"""How many headers are remembered, and how long one of them may be."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What answers a client, by what there is to answer; None is nothing that it accepts.

    Attributes:
        whole: For one response: GRAPHQL, JSON or EVENTS.
        incremental: For one that comes in parts: those, or PARTS.
        stream: For a subscription: EVENTS.
        page: Whether a page is what it wants most.
    """

    whole: str | None
    incremental: str | None
    stream: str | None
    page: bool

    @property
    def refusal(self) -> str:
        """The type of an answer to a request that is none: it is told, whatever it accepts."""
        return GRAPHQL if self.whole == GRAPHQL else JSON


class _Range(NamedTuple):
    name: str
    quality: float


def wanted(accept: Sequence[str]) -> Wanted:
    """Returns what a client wants.

    Args:
        accept: The values of its `Accept` header fields; none is as good as `*/*`.
    """
    text = ",".join(accept)
    return _remembered(text) if len(text) <= _KEPT else _read(text)


def _read(text: str) -> Wanted:
    items = text.split(",") if text.strip() else ["*/*"]
    ranges = [each for item in items if (each := _range(item)) is not None]
    rank = {media: _rank(media, ranges) for media in _NAMED}
    return Wanted(
        whole=_best(rank, (GRAPHQL, JSON, EVENTS)),
        incremental=_best(rank, (PARTS, GRAPHQL, JSON, EVENTS)),
        stream=_best(rank, (EVENTS,)),
        page=_best(rank, (GRAPHQL, JSON, EVENTS, HTML)) == HTML,
    )


_remembered = lru_cache(_KEPT)(_read)


def _best(rank: Mapping[str, tuple[float, int, int] | None], offered: Sequence[str]) -> str | None:
    found = [(worth, media) for media in offered if (worth := rank[media]) is not None]
    return max(found)[1] if found else None


def _rank(media: str, ranges: Sequence[_Range]) -> tuple[float, int, int] | None:
    """Returns how much a client likes a type: quality, specificity, our order; None: not at all."""
    specificity, quality = max(
        ((_specificity(each.name, media), each.quality) for each in ranges), default=(0, 0.0)
    )
    if not specificity or not quality:
        return None
    order = _NAMED if specificity == 3 else _MEANT
    return quality, specificity, -order.index(media)


def _specificity(name: str, media: str) -> int:
    if name == media:
        return 3
    if media not in _MEANT:
        return 0
    if name == f"{media.partition('/')[0]}/*":
        return 2
    return 1 if name == "*/*" else 0


def _range(item: str) -> _Range | None:
    """Returns a media range; None for one that asks for a format of parts that there is not."""
    name, *parameters = item.split(";")
    name = name.strip().lower()
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        key, value = key.strip().lower(), value.strip().strip('"')
        if key == "q":
            quality = float(value) if _QUALITY.fullmatch(value) else 0.0
        elif name == PARTS and key in _NAMES_OF_FORMATS and (key, value) not in _FORMATS:
            return None
    return _Range(name, quality)
