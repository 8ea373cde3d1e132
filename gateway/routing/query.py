"""A raw query, or a form of type `application/x-www-form-urlencoded`, as names and values.

Both have one syntax (WHATWG URL, section 5.1), read strictly here: what does not decode is refused.
What names mean is for `parameters`.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.errors import error
from gateway.routing.escape import EscapeError, decode_query

MAX_PARAMETERS = 1000
"""How many parameters a form may have, where nothing else is said."""


class Pair(NamedTuple):
    """A decoded name and value; `a` alone has the empty value."""

    name: str
    value: str


def parse(raw: str, most: int | None = None) -> list[Pair]:
    """Parses a query or form, without its `?`. Empty pieces are left out.

    Args:
        raw: What was sent.
        most: How many parameters there may be; None for a query, which the listener has counted.

    Raises:
        RpcError: INVALID_QUERY: too many parameters, or one that does not decode to UTF-8 text
            without NUL.
    """
    if not raw:
        return []
    if most is not None and raw.count("&") >= most:
        raise error("INVALID_QUERY", f"There are more than {most} parameters.")
    pairs = []
    for piece in raw.split("&"):
        if not piece:
            continue
        name, _, value = piece.partition("=")
        try:
            pairs.append(Pair(decode_query(name), decode_query(value)))
        except EscapeError as problem:
            raise error(
                "INVALID_QUERY", f"Parameter {len(pairs) + 1} can't be decoded: {problem}."
            ) from None
    return pairs
