"""Content codings: which one a reply may be sent in (RFC 9110 sections 8.4.1 and 12.5.3).

Only the choice is made here, of the codings that there are. Whether a reply is worth packing, and
how it is packed, is known to the listener.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

_QVALUE: Final = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")  # RFC 9110 12.4.2
_ALIASES: Final = {"x-gzip": "gzip"}  # RFC 9110 8.4.1.3: the same
_MOST: Final = 64  # items that are read; no client has so many codings
_ANY: Final = "*"
_IDENTITY: Final = "identity"


class Choice(NamedTuple):
    """What a client would have.

    Attributes:
        coding: The coding that it likes best of those offered; None for none of them.
        identity: Whether it takes a reply without any, too.
    """

    coding: str | None
    identity: bool


NO_CHOICE: Final = Choice(None, True)
"""Of a client that says nothing: it would take any, but seldom can it unpack any."""


def choose(accepted: Sequence[str], offered: Sequence[str]) -> Choice:
    """Returns what a client would have of the codings that are offered.

    The highest weight wins, and of several the one that is offered first. An item whose weight is
    none counts for nothing; of items that name the same coding the first counts. More than 64
    items are not read.

    Args:
        accepted: The values of `Accept-Encoding`; none at all for a client that has no such field.
        offered: Codings, the best first.
    """
    weights: dict[str, float] = {}
    for item in ",".join(accepted).lower().split(",", _MOST)[:_MOST]:
        name, _, parameter = item.partition(";")
        weight = _weight(parameter)
        if (name := name.strip()) and weight is not None:
            weights.setdefault(_ALIASES.get(name, name), weight)
    others = weights.get(_ANY)
    best, chosen = weights.get(_IDENTITY, 0.0), None
    for coding in offered:
        weight = weights.get(coding, others) or 0.0
        if weight > best or (chosen is None and weight == best > 0):
            best, chosen = weight, coding
    identity = weights.get(_IDENTITY, others)
    return Choice(chosen, identity is None or identity > 0)


def _weight(parameter: str) -> float | None:
    """Returns the weight that follows a coding, 1 where nothing does; None for what is none."""
    if not parameter:
        return 1.0
    name, _, value = parameter.partition("=")
    value = value.strip()
    return float(value) if name.strip() == "q" and _QVALUE.fullmatch(value) else None
