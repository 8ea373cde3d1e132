"""`Cache-Control` of an answer that is made of several replies: what all of them allow.

RFC 9111 section 5.2.2 says what each directive of a reply means. What restricts holds if one reply
says it; what allows, if all do; of times the shortest is all that is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from gateway.directives import directives

_RESTRICTING: Final = ("no-cache", "private", "must-revalidate", "proxy-revalidate", "no-transform")
_ALLOWING: Final = ("public", "immutable")
_TIMES: Final = ("max-age", "stale-while-revalidate", "stale-if-error")
_SHARED: Final = frozenset({"public", "s-maxage", "proxy-revalidate"})
_SECONDS: Final = re.compile(r"[0-9]{1,10}")


def strictest(values: Sequence[str]) -> str:
    """Returns the directives that hold for what is made of replies with these; empty for none.

    `["max-age=60, public", "max-age=10, private"]` gives `private, max-age=10`. An empty value is a
    reply that says nothing: it allows no time. Directives that RFC 9111 does not know are dropped.
    """
    replies = [directives([value]) for value in values]
    if any("no-store" in each for each in replies):
        return "no-store"
    told = [name for name in _RESTRICTING if any(name in each for each in replies)]
    told += [name for name in _ALLOWING if replies and all(name in each for each in replies)]
    for name in _TIMES:
        told += _shortest(name, [_seconds(each, name) for each in replies])
    if any("s-maxage" in each for each in replies):
        told += _shortest("s-maxage", [_shared_seconds(each) for each in replies])
    if "private" in told:
        told = [each for each in told if each.partition("=")[0] not in _SHARED]
    return ", ".join(told)


def _shortest(name: str, seconds: Sequence[int | None]) -> list[str]:
    """Returns the directive of the shortest time; none where a reply has none."""
    known = [each for each in seconds if each is not None]
    return [f"{name}={min(known)}"] if known and len(known) == len(seconds) else []


def _shared_seconds(reply: Mapping[str, str]) -> int | None:
    """Returns how long a shared cache may keep a reply (RFC 9111 section 4.2.1)."""
    own = _seconds(reply, "s-maxage")
    return _seconds(reply, "max-age") if own is None else own


def _seconds(reply: Mapping[str, str], name: str) -> int | None:
    """Returns the time of a directive, 0 where it is none that can be read; None without it."""
    given = reply.get(name)
    if given is None:
        return None
    found = _SECONDS.fullmatch(given)
    return int(found[0]) if found else 0
