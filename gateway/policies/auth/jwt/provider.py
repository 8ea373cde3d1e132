"""Callers that are known by signed tokens (RFC 7519) of one issuer, for some audiences.

A token is judged once: whose it is, whether it is well made, by which key it is signed, what its
claims say, in that order. From then on it is looked up, and only whether who shows it is its holder
(`binding`) is asked each time. A token of another issuer, or for other audiences, is left to other
providers: whose it is must not depend on who has judged it already. One whose key is unknown waits
until the issuer's keys were fetched again; while there are no keys at all nothing can be judged,
and nobody is let in.

What the caller may do is not decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from gateway.call import Call, Deadline, Principal, RpcError
from gateway.errors import error
from gateway.head import Head
from gateway.policies.auth.bearer import SCHEME, BearerTokens
from gateway.policies.auth.binding import CONFIRMATION, held, is_holder
from gateway.policies.auth.ends import Ends
from gateway.policies.auth.in_time import in_time
from gateway.policies.auth.jwt.claims import EarlyError, Expected
from gateway.policies.auth.jwt.compact import MalformedError, Token, claims_of, parse
from gateway.policies.auth.jwt.keys import Key
from gateway.policies.auth.jwt.source import Source
from gateway.policies.auth.provider import BadCredentials
from gateway.policies.auth.token_cache import TokenCache
from gateway.policies.pending import Pending

_REFUSED_FOR: Final = 5.0  # seconds for which a bad token is not judged again
_RETRY: Final = 1.0  # seconds


class Jwt:
    """Knows callers by their tokens (`provider.Provider`).

    Args:
        name: What the config calls it.
        expected: What is asked of claims.
        source: The issuer's keys.
        tokens: Finds the token of a request.
        cache: What was judged; `source` has it forget what is bad when there are other keys.
        now: Seconds since 1970.
    """

    scheme: Final = SCHEME

    def __init__(
        self,
        name: str,
        expected: Expected,
        source: Source,
        *,
        tokens: BearerTokens,
        cache: TokenCache,
        now: Callable[[], float],
    ) -> None:
        self.name = name
        self.carried = tokens.carried
        self._expected = expected
        self._source = source
        self._tokens = tokens
        self._cache = cache
        self._now = now
        self._ends = Ends()
        # Bound once: every call asks them.
        self._shown = tokens.at_once
        self._judged = cache.get

    def known(self, call: Call) -> Principal | None:
        """Returns whom the token shows, if it was judged before."""
        head = call.head
        if head is None or (text := self._shown(head)) is None:
            return None
        principal = self._judged(text)
        if (
            principal is not None
            and CONFIRMATION in principal.claims
            and not is_holder(principal.claims, head)
        ):
            return None
        return principal

    def identify(self, call: Call) -> Principal | Awaitable[Principal] | None:
        """Returns whom the token shows, or what to await for that; None for one of others.

        Raises:
            BadCredentials: The token is not accepted.
            RpcError: AUTHENTICATION_UNAVAILABLE: there are no keys yet. CROSS_SITE_REQUEST: only a
                cookie shows it, and another site may have asked.
        """
        head = call.head
        if head is None or (text := self._tokens.of(head)) is None:
            return None
        if (principal := self._judged(text)) is not None:
            return held(principal, head)
        if (refusal := self._cache.refusal(text)) is not None:
            raise refusal
        if not self._expected.is_own(claims_of(text)):
            return None
        try:
            return held(self._judge(text), head)
        except _UnknownKeyError as failure:
            pending = self._source.again()
            if pending is None:
                raise self._unknown(text, failure) from None
            return Pending(partial(self._judge_soon, text, pending, head, call.deadline))

    async def open(self) -> None:
        """Begins to look for keys; waits a little for the first ones."""
        await self._source.open()

    async def close(self) -> None:
        """Ends it."""
        await self._source.close()

    async def _judge_soon(
        self, text: str, pending: asyncio.Future[None], head: Head, deadline: Deadline | None
    ) -> Principal:
        async with in_time(deadline):
            return held(await self._judge_after(text, pending), head)

    async def _judge_after(self, text: str, pending: asyncio.Future[None]) -> Principal:
        await self._ends.of(pending)  # others wait for it too: it is not cancelled
        try:
            return self._judge(text)
        except _UnknownKeyError as failure:
            # That fetch may have begun before the key was there: then the next one has it.
            again = self._source.again()
            if again is None:
                raise self._unknown(text, failure) from None
        await self._ends.of(again)
        try:
            return self._judge(text)
        except _UnknownKeyError as failure:
            raise self._unknown(text, failure) from None

    def _unknown(self, text: str, failure: _UnknownKeyError) -> BadCredentials | RpcError:
        """Returns the refusal of a token whose key is unknown, and can't be looked for now."""
        if not len(self._source.keys):
            return error(
                "AUTHENTICATION_UNAVAILABLE",
                "The keys of the token's issuer are not known yet.",
                retry_after=_RETRY,
            )
        refusal = BadCredentials(failure.text, failure.why)
        # As soon as its key is looked for again, it may be good.
        self._cache.refuse(text, refusal, min(_REFUSED_FOR, self._source.cooling()))
        return refusal

    def _judge(self, text: str) -> Principal:
        """Returns whom a token shows.

        Raises:
            BadCredentials: It is bad, and stays so for as long as it is remembered.
            _UnknownKeyError: The key by which it may be signed is not there.
        """
        try:
            token = _parsed(text)
            key = self._signer(token)
            principal = self._expected.principal(self.name, token.claims, self._now())
        except EarlyError as failure:
            self._cache.refuse(text, failure, min(_REFUSED_FOR, failure.wait))
            raise
        except BadCredentials as failure:
            self._cache.refuse(text, failure, _REFUSED_FOR)
            raise
        self._cache.put(text, principal, voucher=key)
        return principal

    def _signer(self, token: Token) -> Key:
        """Returns the key by which a token is signed."""
        keys = self._source.keys
        if not keys.allows(token.algorithm):
            why = "an algorithm that the config does not name"
            raise BadCredentials("The token's algorithm is not accepted.", why)
        fitting = keys.fitting(token.algorithm, token.kid)
        for key in fitting:
            if key.verifies(token.algorithm, token.signed, token.signature):
                return key
        unknown = "The token is signed by an unknown key."
        if token.kid is None:
            raise _UnknownKeyError(unknown, "it names no key, and none that is known has signed it")
        if not fitting:
            raise _UnknownKeyError(unknown, "no key of that name for that algorithm")
        # The name may have been given to another key since: no issuer should, some do.
        raise _UnknownKeyError("The token's signature is wrong.", "the signature does not verify")


class _UnknownKeyError(Exception):
    """No key that is known has signed the token, but another may have.

    Attributes:
        text: As of BadCredentials.
        why: As of BadCredentials.
    """

    def __init__(self, text: str, why: str) -> None:
        super().__init__(why)
        self.text = text
        self.why = why


def _parsed(text: str) -> Token:
    try:
        return parse(text)
    except MalformedError as wrong:
        raise BadCredentials("The token is malformed.", f"malformed: {wrong}") from None
