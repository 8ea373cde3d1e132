"""API keys: who shows a random text in a header, whose hash is in a file, is the key's owner.

A key is found by its SHA-256, so neither the time that a look takes nor the file tells anything of
a key that is not known already. Nothing is cached: the look is a hash and a table, and so a key
that is removed from the file, disabled or expired is refused from then on (`stored_file` says when
a change of the file counts). Keys of 256 random bits can't be guessed, and nobody is locked out for
trying; how often an address may try is `Guard`'s to say.

How keys are made is told by `key_form`, how their file is written by the command `gateway keys`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from types import MappingProxyType
from typing import Final, TypeAlias

from gateway.call import Call, Principal
from gateway.head import Head
from gateway.policies.auth import key_form
from gateway.policies.auth.provider import BadCredentials
from gateway.policies.auth.stored_file import StoredFile

_BAD: Final = "The API key is not accepted."
_EXPIRED: Final = "The API key has expired."


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key, without the key.

    Attributes:
        id: What it is called where it must be named. No secret.
        digest: The key's SHA-256.
        principal: Who shows it; its `expires` is the key's.
        disabled: Whether it is refused.
    """

    id: str
    digest: bytes = field(repr=False)
    principal: Principal
    disabled: bool = False


KeyTable: TypeAlias = "Mapping[bytes, ApiKey]"
"""Keys by their SHA-256."""


def table_of(keys: Iterable[ApiKey]) -> KeyTable:
    """Returns the table of keys, each of another digest."""
    return MappingProxyType({key.digest: key for key in keys})


class ApiKeys:
    """A provider (`gateway.policies.auth.provider.Provider`).

    Args:
        name: What the config calls it.
        header: The header that holds the key, in lower case.
        keys: Those that are good.
        now: Seconds since 1970.
    """

    __slots__ = ("_header", "_keys", "_now", "name", "scheme")

    def __init__(
        self, name: str, header: str, keys: StoredFile[KeyTable], now: Callable[[], float]
    ) -> None:
        self.name = name
        # None is registered for keys in a header; a 401 must have a challenge all the same
        # (RFC 9110 section 15.5.2), and this one is what others send.
        self.scheme = "ApiKey"
        self._header = header
        self._keys = keys
        self._now = now

    def __repr__(self) -> str:
        return f"ApiKeys({self.name!r})"

    def carried(self, head: Head) -> bool:
        """Whether the header is there."""
        return head.headers.get(self._header) is not None

    def known(self, call: Call) -> Principal | None:
        """Returns whose key the call shows, if it is good."""
        head = call.head
        if head is None:
            return None
        shown = head.headers.all(self._header)
        if len(shown) != 1 or (key := self._find(shown[0])) is None or key.disabled:
            return None
        principal = key.principal
        expires = principal.expires
        return principal if expires is None or self._now() < expires else None

    def identify(self, call: Call) -> Principal | None:
        """Returns whose key the call shows; None if it shows none.

        Raises:
            BadCredentials: It is not good.
        """
        if call.head is None or not (shown := call.head.headers.all(self._header)):
            return None
        if (principal := self.known(call)) is None:
            raise self._refusal(shown)
        return principal

    def plans(self) -> Mapping[str, str]:
        """Returns the plans of keys that have one, by what the keys are called."""
        keys = self._keys.value.values()
        return {key.id: plan for key in keys if (plan := key.principal.plan) is not None}

    async def open(self) -> None:
        """Begins to look for changes of the file."""
        await self._keys.open()

    async def close(self) -> None:
        """Looks no more."""
        await self._keys.close()

    def _find(self, shown: str) -> ApiKey | None:
        if len(shown) > key_form.LONGEST or not shown.isascii():
            return None
        digest = key_form.digest_of(shown)
        key = self._keys.value.get(digest)
        # The table has found it by a part of the digest and `==`; the answer is not left to these.
        return key if key is not None and compare_digest(key.digest, digest) else None

    def _refusal(self, shown: list[str]) -> BadCredentials:
        """Returns why: only who holds the whole key is told more than that it is bad."""
        if len(shown) > 1:
            return BadCredentials(_BAD, f"{len(shown)} API keys in one request")
        key = self._find(shown[0])
        if key is None:
            whole = key_form.is_whole(shown[0])
            kind = "an unknown or revoked API key" if whole else "no key, or not a whole one"
            return BadCredentials(_BAD, kind)
        if key.disabled:
            return BadCredentials(_BAD, f"the API key {key.id} is disabled")
        return BadCredentials(_EXPIRED, f"the API key {key.id} has expired", reason="TOKEN_EXPIRED")
