"""A provider of an issuer's tokens, without a network: its keys are what the issuer has now."""

from __future__ import annotations

import asyncio

from gateway.call import Call
from gateway.policies.auth.authenticate import Authenticate
from gateway.policies.auth.bearer import BearerTokens
from gateway.policies.auth.jwt.claims import Expected
from gateway.policies.auth.jwt.keys import KeySet
from gateway.policies.auth.jwt.provider import Jwt
from gateway.policies.auth.token_cache import TokenCache
from tests.policies.auth.callers import FakeGuard, call
from tests.policies.auth.issuer import AUDIENCE, Issuer

ALGORITHMS = ("RS256", "ES256", "EdDSA")


class Clock:
    """Seconds that pass when told to."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class FakeSource:
    """Keys that are looked at again when a test says so.

    Attributes:
        pending: What `again` returns.
        cool: What `cooling` returns.
        asked: How often it was asked for more.
    """

    def __init__(self, keys: KeySet) -> None:
        self.keys = keys
        self.pending: asyncio.Future[None] | None = None
        self.cool = 10.0
        self.asked = 0

    def again(self):
        self.asked += 1
        return self.pending

    def cooling(self):
        return self.cool

    async def open(self):
        """Has nothing to begin."""

    async def close(self):
        """Has nothing to end."""


class Verifier:
    """A provider, and the gate before it."""

    def __init__(
        self,
        issuer: Issuer,
        now: Clock,
        *,
        algorithms=ALGORITHMS,
        tokens=None,
        audiences=(AUDIENCE,),
        **expected,
    ) -> None:
        self.cache = TokenCache(1 << 20, now, now)
        self.source = FakeSource(KeySet(algorithms, self.cache.forget_refusals))
        self.issuer = issuer
        self.take_keys()
        self.provider = Jwt(
            "customers",
            Expected(issuer.url, frozenset(audiences), **expected),
            self.source,
            tokens=tokens or BearerTokens(None, lambda _: False),
            cache=self.cache,
            now=now,
        )
        self.guard = FakeGuard()
        self.gate = Authenticate([self.provider], optional=False, guard=self.guard)

    def take_keys(self) -> None:
        """Has the issuer's keys of now."""
        self.source.keys.replace(self.issuer.jwks())

    def admit(self, token: str) -> Call:
        """The call that a token lets in; raises what refuses it."""
        made = call(("authorization", f"Bearer {token}"))
        assert self.gate.admit(made) is None
        return made
