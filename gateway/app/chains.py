"""What the calls of each method pass, in order: the one place where the order is decided.

Outermost first:

1. deadline: a call whose time is gone costs nothing, and what follows can rely on it; where a call
   may go to several upstreams, with the time of the one that gives it most;
2. deprecated: whatever the answer is, it tells that the method goes away; and so it is told that
   answers are made up, where they are;
3. authenticate: all that follows wants to know who calls. It asks what the address may still do
   before it looks at anything that takes work;
4. watch: a stream ends when its caller is not known any more, or may not call any more;
5. limits: whoever asks too often costs no more than this, whether or not it may call. Charging,
   which takes messages and bytes from quotas when they have passed, stands with them: what a call
   that is refused further on has sent is charged, too;
6. authorize: before all that costs a backend something; conditions on what streams are asked look
   at each message;
7. usage: what callers used is what they were allowed, answered from a cache or not;
8. faults: a call that fails on purpose was allowed and counts, and takes nothing that others need;
9. concurrency, of one caller: a permit is taken only by calls that may be made, and is given back
   at their end;
10. validation: after the permit, for it takes work; before the cache, which need not be asked;
11. choice of the upstream: of calls that will be made, by what the client sent; its keys tell the
    cache whose reply it has;
12. cache: what it answers goes no further; equal calls are made once;
13. mirror: copies are of what backends get, before they are told of callers. Of what follows they
    pass the bound of their upstream, and what they are told; what bounds the method is not theirs:
    clients do not wait for them;
14. elsewhere: what follows is of one upstream, and each that a call may go to has its own of it:
    its deadline, and
15. backends: how many calls there may be at a time of an upstream (they may wait for it) and of a
    method. What the cache answers must not wait for a busy backend, nor tell how fast it is; what
    the cache fetches for itself is counted, and where there is no place for it something older may
    do;
16. forward: backends are told of callers that may call, and of nobody else. Behind the cache: what
    a backend is told of a caller must not make another entry where callers share one;
17. metadata size: what has been added to the client's own on the way, all of it;
18. affinity: only calls that a backend answers give the client an id to keep. Behind the cache: a
    reply that several are given must not make them one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.app.build_error import BuildError
from gateway.app.forwarding import Forwarding
from gateway.app.guarding import guard_of
from gateway.app.id_cookies import id_cookies
from gateway.app.identity import Identities
from gateway.app.onward import Ways
from gateway.app.parts import Making, Parts, parts
from gateway.app.places import at_key
from gateway.app.providers import ProviderPool
from gateway.app.repeatable import repeats_of
from gateway.app.settings import SettingError, SettingErrors
from gateway.app.shaping import announced
from gateway.app.state import wrong_states
from gateway.app.telemetry import is_recorded
from gateway.app.timeouts import timeout_of, timeout_to
from gateway.call import Stream, Unary
from gateway.chain import Method, Policy
from gateway.config import Config, Settings
from gateway.policies.auth.authenticate import Authenticate
from gateway.policies.auth.watch import Watch
from gateway.policies.authorize import Authorize
from gateway.policies.authorize_messages import AuthorizeMessages
from gateway.policies.deadline import DeadlineGate
from gateway.policies.metadata_size import MetadataSize
from gateway.schema.method import Kind, MethodDescriptor
from gateway.upstream.manner import Manner
from gateway.upstream.upstream import Upstream

if TYPE_CHECKING:
    from gateway.policies.cel import Condition


class Takes(Protocol):
    """What takes calls in the name of an upstream."""

    def taking(self, manner: Manner) -> tuple[Unary, Stream]:
        """Returns what starts unary calls of a method, and what runs its streams."""


@dataclass(frozen=True, slots=True)
class Chains:
    """Makes methods.

    Attributes:
        config: The config.
        settings: What holds for each method, by its full name.
        identities: The gates that know callers.
        conditions: Those of methods that have one, by full name.
        forwarding: What backends are told of callers.
        parts: What makes the policies of limits, caches and the like.
        clock: The event loop's, in seconds.
    """

    config: Config
    settings: Mapping[str, Settings]
    identities: Identities
    conditions: Mapping[str, Condition]
    forwarding: Forwarding
    parts: Parts
    clock: Callable[[], float]

    def method(
        self, descriptor: MethodDescriptor, upstreams: Mapping[str, Takes], own: str
    ) -> Method:
        """Returns a method behind its policies.

        Args:
            descriptor: What the proto says of it.
            upstreams: All of them, by name.
            own: The name of its service's own.
        """
        settings = self.settings[descriptor.name]

        def way(name: str) -> Method:
            taking = upstreams[name].taking(self._manner(descriptor, name))
            return Method(descriptor, self._behind(descriptor, name), *taking)

        def way_of_copies(name: str) -> Method:
            # Made once, and to the node to which a call of the same client would go.
            taking = upstreams[name].taking(Manner(key=self.parts.affinity.key(descriptor, name)))
            policies = self._behind_copies(descriptor, name)
            return Method(descriptor, policies, *taking)

        ways = Ways(calls=way, copies=way_of_copies)
        policies = (
            *self._before(descriptor, own),
            *self.parts.onward.policies(descriptor, settings, own, ways),
            *self._behind(descriptor, own),
        )
        gate = next((each for each in policies if isinstance(each, Authenticate)), None)
        taking = upstreams[own].taking(self._manner(descriptor, own))
        return Method(
            announced(descriptor, settings),
            policies,
            *taking,
            authenticate=gate,
            keeps_keys=any(hasattr(each, "keeps_keys") for each in policies),
            cookies=id_cookies(self.config, (own, *settings.upstreams)),
            recorded=is_recorded(self.config),
        )

    def _manner(self, descriptor: MethodDescriptor, upstream: str) -> Manner:
        """Returns how an upstream makes the calls of a method."""
        repeats = repeats_of(descriptor, self.settings[descriptor.name])
        return Manner(repeats, self.parts.affinity.key(descriptor, upstream))

    def _before(self, descriptor: MethodDescriptor, upstream: str) -> list[Policy]:
        """Returns what the calls of a method pass wherever they go."""
        settings, parts = self.settings[descriptor.name], self.parts
        timeout = timeout_of(self.config, settings, descriptor, upstream)
        chain: list[Policy] = [DeadlineGate(timeout, self.clock)]
        chain += parts.mocking.policies(descriptor, settings, upstream)
        chain += parts.deprecated.policies(descriptor, settings, upstream)
        refusals = self.identities.refusals
        gate = self.identities.gate(settings.authenticate)
        schemes = gate.schemes if gate is not None else ()
        when = self.conditions.get(descriptor.name)
        # There is nothing to look at yet when a stream begins.
        on_messages = when is not None and when.reads_request and descriptor.kind is not Kind.UNARY
        at_once = None if on_messages else when
        authorize: Authorize | None = None
        if settings.scopes or settings.roles or at_once is not None:
            authorize = Authorize(
                scopes=settings.scopes,
                roles=settings.roles,
                when=at_once,
                schemes=schemes,
                refusals=refusals,
            )
        if gate is not None:
            lasting = self.identities.lasting(gate, settings.authenticate)
            chain += [gate, Watch(lasting, time.time, may=authorize, refusals=refusals)]
        chain += parts.limits.policies(descriptor, settings, upstream)
        if authorize is not None:
            chain.append(authorize)
        if when is not None and on_messages:
            chain.append(AuthorizeMessages(when, schemes, refusals))
        behind = (
            *(parts.usage, parts.faults, parts.concurrency, parts.validation),
            *(parts.choice, parts.cache),
        )
        for part in behind:
            chain += part.policies(descriptor, settings, upstream)
        return chain

    def _behind(self, descriptor: MethodDescriptor, upstream: str) -> list[Policy]:
        """Returns what those pass that go to one upstream."""
        settings = self.settings[descriptor.name]
        chain: list[Policy] = []
        if settings.upstreams:  # each has a deadline of its own
            timeout = timeout_to(self.config, settings, descriptor, upstream)
            chain.append(DeadlineGate(timeout, self.clock))
        chain += self.parts.backends.policies(descriptor, settings, upstream)
        return chain + self._told(descriptor, upstream)

    def _behind_copies(self, descriptor: MethodDescriptor, upstream: str) -> list[Policy]:
        """Returns what copies of calls pass; their deadline they have from where they are made."""
        return [*self.parts.backends.copies(upstream), *self._told(descriptor, upstream)]

    def _told(self, descriptor: MethodDescriptor, upstream: str) -> list[Policy]:
        """Returns what decides what backends of an upstream are told, and which of them is."""
        settings = self.settings[descriptor.name]
        chain: list[Policy] = []
        forward = self.forwarding.gate(upstream)
        if forward is not None:
            chain.append(forward)
        given = self.config.auth.providers.values()
        if forward is not None or any(each.ext_authz is not None for each in given):
            chain.append(MetadataSize(self.config.listener.limits.metadata_size))
        chain += self.parts.affinity.policies(descriptor, settings, upstream)
        return chain


async def chains_of(
    making: Making,
    conditions: Mapping[str, Condition],
    handler: Callable[[str], Unary],
    pool: ProviderPool,
    newest: Callable[[], Identities | None],
) -> Chains:
    """Returns what makes the methods of a generation.

    Args:
        making: What it is made of.
        conditions: Those of methods that have one, by full name.
        handler: Returns what starts unary calls to an upstream of this name.
        pool: Whose providers of identity it borrows.
        newest: Returns the gates of the generation that serves; None before there is one.

    Raises:
        BuildError: What `auth` or a state says, or a file that they name, can't be used; beside all
            problems that were found before.
    """
    config = making.config
    wrong = wrong_states(config)
    try:
        providers = await pool.providers(config, handler)
    except SettingErrors as failures:
        wrong += failures.errors
    try:
        forwarding = Forwarding(config)
    except SettingError as failure:
        wrong.append(failure)
    if wrong:
        raise BuildError([*(at_key(each, making.source) for each in wrong), *making.problems])
    judges = [name for name, given in config.auth.providers.items() if given.ext_authz]
    identities = Identities(providers, guard_of(making, pool), judges, newest)
    return Chains(
        config, making.settings, identities, conditions, forwarding, parts(making), making.clock
    )


def for_operators(method: Method, upstream: Upstream) -> Method:
    """Returns a method as a command of the gateway calls it: behind its deadline alone.

    Who runs the command has the config and may reach the backends; there is no request by which
    somebody could be known, and so nobody who could be refused.
    """
    policies = [each for each in method.policies if isinstance(each, DeadlineGate)]
    return Method(method.descriptor, policies, upstream.start, upstream.stream)
