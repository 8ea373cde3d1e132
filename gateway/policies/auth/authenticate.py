"""The gate that finds out who calls, by whatever the request shows.

It stands behind the deadline, so that a call whose time is gone costs nothing, and before all that
wants to know the caller: limits, authorization, what backends are told. Providers are asked in
their order, the first that finds something of its own decides; what is shown and is bad is refused
even where nobody need be shown. Whom a caller's address may annoy, and how often, `Guard` says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, TypeAlias

from gateway.call import Call, Code, Principal, RpcError
from gateway.head import Head
from gateway.policies.auth import challenge
from gateway.policies.auth.provider import BadCredentials, Provider
from gateway.policies.auth.refusals import Refusals
from gateway.policies.pending import Pending

_Carried: TypeAlias = "Callable[[Head], bool]"


class Guard(Protocol):
    """What an address may ask before anybody knows who asks."""

    def spend(self, address: str) -> None:
        """Takes one of what the address has left.

        Raises:
            RpcError: RESOURCE_EXHAUSTED: it has none left.
        """

    def give_back(self, address: str) -> None:
        """Returns one that was taken: it turned out who asks."""


class _Free:
    """Lets an address ask whatever it likes (a Guard)."""

    def spend(self, address: str) -> None:
        """See Guard."""

    def give_back(self, address: str) -> None:
        """See Guard."""


class Authenticate:
    """Sets `call.principal`, or refuses the call (a Gate).

    Args:
        providers: Any of these will do, in the order in which they are asked.
        optional: Whether a call that shows nobody is let in.
        guard: What addresses may do.
        refusals: Writes refusals into the log; None for one of its own.
    """

    __slots__ = ("_guard", "_knows", "_optional", "_providers", "_refusals", "_schemes")

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        optional: bool,
        guard: Guard,
        refusals: Refusals | None = None,
    ) -> None:
        self._providers = tuple(providers)
        self._knows = tuple(
            (provider.known, _before(provider, self._providers)) for provider in self._providers
        )
        self._schemes = tuple(provider.scheme for provider in self._providers)
        self._optional = optional
        self._guard = guard
        self._refusals = refusals or Refusals()

    @property
    def providers(self) -> tuple[str, ...]:
        """The names of the providers, in order."""
        return tuple(provider.name for provider in self._providers)

    @property
    def schemes(self) -> tuple[str, ...]:
        """Those of the challenges by which a caller can show itself."""
        return self._schemes

    @property
    def optional(self) -> bool:
        """Whether a call that shows nobody is let in."""
        return self._optional

    def unguarded(self) -> Authenticate:
        """Returns this gate for calls that were let in before, and are looked at again.

        What else comes from their address, in whatever number, must not decide about them.
        """
        return Authenticate(
            self._providers, optional=self._optional, guard=_Free(), refusals=self._refusals
        )

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        others = "and who shows nobody" if self._optional else "and nobody else"
        return f"Lets in whom {' or '.join(self.providers)} knows, {others}."

    def admit(self, call: Call) -> Awaitable[None] | None:
        """Sets the principal; returns what to await where a provider must ask somebody.

        Raises:
            RpcError: UNAUTHENTICATED: nobody is shown, or what is shown is bad.
                RESOURCE_EXHAUSTED: the address has asked too often. UNAVAILABLE: it can't be known
                now.
        """
        for known, before in self._knows:
            principal = known(call)
            if principal is not None:
                if before and _is_for(before, call):
                    break
                call.principal = principal
                return None
        return self._look(call)

    def _look(self, call: Call) -> Awaitable[None] | None:
        call.principal = None
        self._spend(call)
        for provider in self._providers:
            try:
                found = provider.identify(call)
            except (BadCredentials, RpcError) as failure:
                raise self._refusal(call, provider.name, failure) from None
            if found is None:
                continue
            if isinstance(found, Principal):
                self._take(call, found)
                return None
            return Pending(partial(self._wait, call, provider.name, found))
        self._nobody(call)
        return None

    async def _wait(self, call: Call, provider: str, found: Awaitable[Principal]) -> None:
        try:
            self._take(call, await found)
        except (BadCredentials, RpcError) as failure:
            raise self._refusal(call, provider, failure) from None

    def _spend(self, call: Call) -> None:
        try:
            self._guard.spend(call.peer)
        except RpcError as failure:
            self._refusals.tell(call, failure)
            raise

    def _take(self, call: Call, principal: Principal) -> None:
        call.principal = principal
        self._guard.give_back(call.peer)

    def _nobody(self, call: Call) -> None:
        head = call.head
        if head is not None:
            for provider in self._providers:
                if provider.carried(head):
                    text = "The credentials are none that this method accepts."
                    unknown = BadCredentials(text, "no provider takes its issuer and audience")
                    raise self._refusal(call, "", unknown)
        if not self._optional:
            raise self._refusals.tell(call, challenge.missing(self._schemes, call.method))

    def _refusal(self, call: Call, provider: str, failure: BadCredentials | RpcError) -> RpcError:
        """Returns what the call is refused with, and takes note of it."""
        if isinstance(failure, BadCredentials):
            refusal = challenge.bad(failure, self._schemes)
            return self._refusals.tell(call, refusal, provider=provider, why=failure.why)
        if failure.status.code is Code.UNAVAILABLE:
            self._guard.give_back(call.peer)  # nobody could look at what was shown
        return self._refusals.tell(call, failure, provider=provider)


def _before(provider: Provider, providers: Sequence[Provider]) -> tuple[_Carried, ...]:
    """Returns what those ahead of a provider look at, where that is something else than it does.

    A token of one scheme is one provider's, and who knows it need not let others look at it. But a
    request may show a token beside a certificate: then the order decides, whoever is known already.
    """
    ahead = providers[: providers.index(provider)]
    return tuple(
        each.carried for each in ahead if not provider.scheme or each.scheme != provider.scheme
    )


def _is_for(before: Sequence[_Carried], call: Call) -> bool:
    head = call.head
    return head is not None and any(carried(head) for carried in before)
