"""Tokens that were judged already, by their SHA-256, in so many bytes at most.

What verified or was asked for once costs a look into a table from then on. A good one is taken for
five minutes at most, never longer than its principal holds, and only while what vouches for it (the
key that signed it) does. A bad one is refused again for some seconds without another look, in a
table of its own: a flood of bad ones drives out no good one. Only when a principal ends is asked of
the wall's clock: who puts that right must neither revive nor shut out anybody.

No token is kept, only its hash. What makes a token good is not decided here, and what is bad only
until something changes must not be put here for longer, or is to be forgotten by the one who knows
(`forget_refusals`).

An entry is charged with its memory: 450 bytes, and all that its principal holds. A token with a
dozen claims is charged with 3.6 KiB and takes 3.0 (the allocator's steps, the table's spare places,
and what is held twice account for the rest): 32 MiB hold 9,000 of them. `bench/identity.py`
measures it.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256
from math import inf
from typing import Final, NamedTuple, Protocol

from gateway.call import Principal
from gateway.policies.auth.provider import BadCredentials

LONGEST: Final = 300.0
"""Seconds for which a good token is taken without another look."""

_ENTRY: Final = 450
"""Bytes of an entry beside its principal's contents: hash, tuple, principal, place in the order."""

_REFUSALS: Final = 1024  # bad tokens that are remembered; 500 bytes each


class Voucher(Protocol):
    """What vouches for a token: a signing key, say."""

    @property
    def alive(self) -> bool:
        """Whether it still does. Once it does not, it never does again."""


class _Always:
    """Vouches for a token that nothing but time makes bad."""

    alive: Final = True


class _Refusal(NamedTuple):
    until: float
    text: str
    why: str
    reason: str


_ALWAYS: Final = _Always()


class TokenCache:
    """What was found out about tokens. Every operation takes the same time, however many there are.

    Args:
        size: Bytes that the good ones may take together; 0 keeps none. The one that has not been
            seen for longest goes first.
        now: Seconds since 1970, as `Principal.expires`.
        clock: Seconds, on a clock that never goes back.
        refusals: Bad ones that are remembered.
    """

    __slots__ = ("_clock", "_entries", "_now", "_refusals", "_refused", "_size", "_taken")

    def __init__(
        self,
        size: int,
        now: Callable[[], float],
        clock: Callable[[], float],
        *,
        refusals: int = _REFUSALS,
    ) -> None:
        self._size = size
        self._now = now
        self._clock = clock
        self._refusals = refusals
        self._taken = 0
        # The hash of a token: until when it is taken, by either clock, the one that never goes back
        # first; who it is, what vouches for it, its charge.
        self._entries: OrderedDict[bytes, tuple[float, float, Principal, Voucher, int]] = (
            OrderedDict()
        )
        self._refused: OrderedDict[bytes, _Refusal] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def taken(self) -> int:
        """The bytes that the good ones are charged with."""
        return self._taken

    def get(self, token: str) -> Principal | None:
        """Returns whom a token shows; None where that is to be found out (again)."""
        digest = _digest(token)
        entry = self._entries.get(digest)
        if entry is None:
            return None
        until, expires, principal, voucher, _ = entry
        if voucher.alive and self._clock() < until and self._now() < expires:
            self._entries.move_to_end(digest)
            return principal
        self._drop(digest)
        return None

    def put(
        self,
        token: str,
        principal: Principal,
        *,
        voucher: Voucher = _ALWAYS,
        seconds: float = LONGEST,
    ) -> None:
        """Keeps a good token.

        Args:
            token: As `get` will be given it.
            principal: Whom it shows.
            voucher: While this is alive.
            seconds: For so long, and no longer than the principal holds.
        """
        expires = inf if principal.expires is None else principal.expires
        digest = _digest(token)
        self._drop(digest)
        self._refused.pop(digest, None)
        charge = _ENTRY + _contents(principal)
        if charge > self._size:
            return
        self._entries[digest] = (self._clock() + seconds, expires, principal, voucher, charge)
        self._taken += charge
        while self._taken > self._size:
            _, (_, _, _, _, freed) = self._entries.popitem(last=False)
            self._taken -= freed

    def refusal(self, token: str) -> BadCredentials | None:
        """Returns why a token was refused a while ago; None where that is to be found out."""
        digest = _digest(token)
        entry = self._refused.get(digest)
        if entry is None:
            return None
        if self._clock() < entry.until:
            return BadCredentials(entry.text, entry.why, reason=entry.reason)
        del self._refused[digest]
        return None

    def refuse(self, token: str, failure: BadCredentials, seconds: float) -> None:
        """Keeps a bad token for some seconds."""
        digest = _digest(token)
        self._drop(digest)
        self._refused[digest] = _Refusal(
            self._clock() + seconds, failure.text, failure.why, failure.reason
        )
        self._refused.move_to_end(digest)
        if len(self._refused) > self._refusals:
            self._refused.popitem(last=False)

    def forget_refusals(self) -> None:
        """Forgets all bad ones: what they were judged by has changed."""
        self._refused.clear()

    def _drop(self, digest: bytes) -> None:
        entry = self._entries.pop(digest, None)
        if entry is not None:
            self._taken -= entry[4]


def _digest(token: str) -> bytes:
    # A token out of JSON may hold what is no Unicode character: bad, but no bug.
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def _contents(principal: Principal) -> int:
    """Returns the bytes of what a principal holds; what is held twice counts twice."""
    parts = [principal.subject, principal.plan, principal.expires]
    size = sum(map(_sizeof, parts)) + _sizeof(principal.scopes) + _sizeof(principal.roles)
    left: list[object] = [*principal.scopes, *principal.roles, principal.claims]
    while left:
        value = left.pop()
        size += _sizeof(value)
        if isinstance(value, Mapping):
            left += value.keys()
            left += value.values()
        elif isinstance(value, list | tuple):
            left += value
    return size


def _sizeof(value: object) -> int:
    # Memory is given out in steps of 16 bytes.
    return sys.getsizeof(value) + 15 & ~15
