"""For how long a reply holds, by what its backend and the policy say.

A backend says it in initial metadata, as HTTP's origins do: `cache-control` (RFC 9111 section
5.2.2), with `stale-while-revalidate` and `stale-if-error` (RFC 5861), and `age`. That counts more
than the policy's times, which hold for replies that say nothing. The gateway is a cache before a
backend that many clients share, so `s-maxage` is meant for it; clients are told `max-age`.

A gateway can't ask a backend whether a reply still holds: what needs that (`no-cache`) is not kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from gateway.call import Metadata
from gateway.directives import directives

LONGEST: Final = 31_536_000.0
"""Seconds for which anything is kept, a year."""

CACHE_CONTROL: Final = "cache-control"

_SECONDS: Final = re.compile(r"[0-9]{1,18}")

_NOT_KEPT: Final = frozenset({"set-cookie", "set-cookie2"})
"""Metadata that is meant for one client, once."""


class Policy(NamedTuple):
    """What a policy says, in seconds.

    Attributes:
        ttl: How long a reply holds that says nothing; None keeps no such reply.
        revalidate: How long a stale one may be used while a new one is fetched.
        on_error: How long a stale one may be used where the backend fails.
        negative: How long NOT_FOUND holds; 0 keeps none.
        shared: Whether all callers share entries.
    """

    ttl: float | None
    revalidate: float = 0.0
    on_error: float = 0.0
    negative: float = 0.0
    shared: bool = False


class Lifetime(NamedTuple):
    """How long a reply holds, in seconds.

    Attributes:
        fresh: From when its backend made it.
        revalidate: How long after that it may be used while a new one is fetched.
        on_error: How long after that it may be used where the backend fails.
        age: How old it was when it came.
        told: What clients are told in `Cache-Control`, less `private`.
    """

    fresh: float
    revalidate: float
    on_error: float
    age: float
    told: str

    @property
    def all(self) -> float:
        """How long it is of any use, from when its backend made it."""
        return self.fresh + max(self.revalidate, self.on_error)


def lifetime(initial: Metadata, policy: Policy) -> Lifetime | None:
    """Returns how long a reply holds; None where it is not to be kept.

    Args:
        initial: Its initial metadata.
        policy: What the policy says.
    """
    if not initial:
        return _unsaid(policy, policy.ttl)
    if initial.get("x-http-code") not in (None, "200"):
        return None
    return _said(initial, policy, policy.ttl)


def negative_lifetime(metadata: Metadata, policy: Policy) -> Lifetime | None:
    """Returns how long NOT_FOUND holds; None where it is not to be kept.

    No longer than the policy says, and shorter where the backend says so. It is never used stale,
    whatever the backend says: that would be longer.
    """
    if not policy.negative:
        return None
    said = _said(metadata, policy, policy.negative, policy.negative)
    if said is None or said.fresh <= said.age:
        return None
    return said._replace(revalidate=0.0, on_error=0.0)


def forbidden(initial: Metadata) -> str | None:
    """Returns what clients are told of a reply that is not kept: what its backend said of it.

    None where it said nothing that holds for clients.
    """
    given = _directives(initial)
    said = ("private", "no-store", "no-cache", "must-revalidate")
    names = [name for name in said if name in given]
    if seconds := given.get("max-age"):
        names.append(f"max-age={int(_seconds(seconds))}")
    return ", ".join(names) or None


def age_of(initial: Metadata) -> float:
    """Returns how old a reply was when it came, in seconds; 0 where its backend does not say."""
    return _seconds(str(initial.get("age") or "0"))


def _unsaid(policy: Policy, ttl: float | None) -> Lifetime | None:
    if not ttl:
        return None
    fresh = min(ttl, LONGEST)
    return Lifetime(fresh, policy.revalidate, policy.on_error, 0.0, f"max-age={int(fresh)}")


def _said(
    initial: Metadata, policy: Policy, ttl: float | None, longest: float = LONGEST
) -> Lifetime | None:
    given = _directives(initial)
    if "no-store" in given or "no-cache" in given or (policy.shared and "private" in given):
        return None
    if any(key in _NOT_KEPT or (key == "vary" and "*" in str(value)) for key, value in initial):
        return None
    age = age_of(initial)
    clients, own = given.get("max-age"), given.get("s-maxage")
    if clients is None and own is None:
        unsaid = _unsaid(policy, ttl)
        if unsaid is None:
            return None
        fresh, told = unsaid.fresh, unsaid.told
    else:
        fresh = min(_seconds(own or clients or ""), longest)
        told = f"max-age={int(min(_seconds(clients or own or ''), longest))}"
    revalidate = _time(given, "stale-while-revalidate", policy.revalidate)
    on_error = _time(given, "stale-if-error", policy.on_error)
    if not fresh or "must-revalidate" in given or "proxy-revalidate" in given:
        revalidate = on_error = 0.0
    if "must-revalidate" in given:
        told += ", must-revalidate"
    found = Lifetime(fresh, revalidate, on_error, age, told)
    return found if found.all > age else None


def _directives(initial: Metadata) -> Mapping[str, str]:
    said = (value for key, value in initial if key == CACHE_CONTROL)
    return directives(value for value in said if isinstance(value, str))


def _time(given: Mapping[str, str], name: str, unsaid: float) -> float:
    return _seconds(given[name]) if name in given else unsaid


def _seconds(text: str) -> float:
    """Returns a time in whole seconds; 0 for what is none, as RFC 9111 section 4.2.1 asks."""
    return min(float(text), LONGEST) if _SECONDS.fullmatch(text) else 0.0
