"""The parts that make policies of what the config says of limits, caches and the like.

Each makes the policies of its concern for one method, none where the method has no such setting.
Where they stand in a chain is decided by `chains`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.app.idle_settings import idle_settings
from gateway.app.lasting import Taken
from gateway.app.onward import Onward
from gateway.app.operations import Operations
from gateway.app.shaping import deprecated, faults
from gateway.chain import Policy
from gateway.config import Config, Mocking, Settings, Source
from gateway.config.effective import DEPRECATED, FAULTS, ROUTE, SPLIT, Leaf
from gateway.schema.method import MethodDescriptor
from gateway.schema.registry import Registry
from gateway.state.usage.counts import Row
from gateway.upstream.manner import KeyOf


class Part(Protocol):
    """What makes the policies of one concern."""

    def policies(
        self, descriptor: MethodDescriptor, settings: Settings, upstream: str
    ) -> Sequence[Policy]:
        """Returns what the calls of a method pass of it, in order."""


class Keyed(Part, Protocol):
    """What keeps calls together at an upstream."""

    def key(self, descriptor: MethodDescriptor, upstream: str) -> KeyOf | None:
        """Returns what calls of a method have in common that go to one node; None for nothing."""


class Bounding(Part, Protocol):
    """What bounds the calls that backends get."""

    def copies(self, upstream: str) -> Sequence[Policy]:
        """Returns what copies pass of it on their way to an upstream: its own bounds.

        They take no permit of the method, for which its callers would wait, and adapt nothing.
        """


class Nothing:
    """A part of which the config says nothing."""

    def policies(
        self,
        descriptor: MethodDescriptor,  # noqa: ARG002  the interface's
        settings: Settings,  # noqa: ARG002  the interface's
        upstream: str,  # noqa: ARG002  the interface's
    ) -> Sequence[Policy]:
        """See Part."""
        return ()

    def key(
        self,
        descriptor: MethodDescriptor,
        upstream: str,
    ) -> None:
        """See Keyed."""

    def copies(self, upstream: str) -> Sequence[Policy]:  # noqa: ARG002  the interface's
        """See Bounding."""
        return ()


@dataclass(frozen=True, slots=True)
class Making:
    """What parts are made of.

    Attributes:
        config: The config.
        source: Where each of its values was set.
        registry: Every descriptor.
        descriptors: Of the methods that are served, by full name.
        settings: What holds for each, by full name.
        mocking: How answers are made up; None where backends are asked.
        taken: What outlives generations.
        operations: Takes what operators may ask.
        counted: Takes what was used, where another process keeps it; None where this one does.
        clock: The event loop's, in seconds.
        problems: Takes what can't hold, as lines that name the place.
        warnings: Takes what an operator should know and can live with.
        notes: Takes what is so by design; told by `gateway check` only.
    """

    config: Config
    source: Source
    registry: Registry
    descriptors: Mapping[str, MethodDescriptor]
    settings: Mapping[str, Settings]
    mocking: Mocking | None
    taken: Taken
    operations: Operations
    counted: Callable[[Sequence[Row]], Awaitable[None]] | None
    clock: Callable[[], float]
    problems: list[str]
    warnings: list[str]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Parts:
    """All of them, for one generation.

    Attributes:
        mocking: Clients are told that answers are made up.
        limits: How much callers may ask.
        usage: What callers use is counted.
        concurrency: How many calls of one caller there may be at a time.
        validation: What requests must be like.
        cache: Replies that are kept, and equal calls that are made once.
        deprecated: Clients are told that methods go away.
        faults: Calls that fail on purpose.
        choice: Which upstream takes a call.
        onward: What sends calls, and copies of them, to other upstreams.
        backends: How many calls there may be at a time of a method, and of an upstream.
        affinity: Which calls go to one endpoint.
    """

    mocking: Part
    limits: Part
    usage: Part
    concurrency: Part
    validation: Part
    cache: Part
    deprecated: Part
    faults: Part
    choice: Part
    onward: Onward
    backends: Bounding
    affinity: Keyed


def parts(making: Making) -> Parts:
    """Returns the parts of a generation; adds to its `problems`, `warnings` and `notes`.

    What shapes calls (`shaping`, `onward`) is small and imported always; all else is imported only
    where the config asks for it.
    """
    nothing = Nothing()
    idle_settings(making)
    return Parts(
        mocking=_mocking() if making.mocking is not None else nothing,
        limits=_limits(making) if _limited(making) else nothing,
        usage=_usage(making) if making.config.usage.enabled else nothing,
        concurrency=_concurrency(making) if _alone(making) else nothing,
        validation=_validation(making) if _validated(making) else nothing,
        cache=_cache(making) if _cached(making) else nothing,
        deprecated=deprecated(making) if _any(making, DEPRECATED) else nothing,
        faults=faults(making) if _any(making, FAULTS) else nothing,
        choice=_choice(making) if _any(making, ROUTE, SPLIT) else nothing,
        onward=Onward(making),
        backends=_backends(making) if _bounded(making) else nothing,
        affinity=_affinity(making) if _kept_together(making) else nothing,
    )


def _mocking() -> Part:
    from gateway.app.mocking import Marking  # noqa: PLC0415  only who makes answers up pays for it

    return Marking()


def _kept_together(making: Making) -> bool:
    return any(
        each.affinity is not None or each.balancing.hash_on is not None
        for each in making.config.upstreams.values()
    )


def _affinity(making: Making) -> Keyed:
    from gateway.app.affinity import affinity  # noqa: PLC0415  only who keeps clients pays for it

    return affinity(making)


def _any(making: Making, *leaves: Leaf) -> bool:
    return any(leaf in each.leaves for each in making.settings.values() for leaf in leaves)


def _choice(making: Making) -> Part:
    from gateway.app.choice import choice  # noqa: PLC0415  only who has a choice pays for it

    return choice(making)


def _cached(making: Making) -> bool:
    return any(each.cached or each.coalesce for each in making.settings.values())


def _cache(making: Making) -> Part:
    from gateway.app.cache import cache  # noqa: PLC0415  only who keeps replies pays for it

    return cache(making)


def _alone(making: Making) -> bool:
    return any(each.concurrency_per_principal for each in making.settings.values())


def _concurrency(making: Making) -> Part:
    from gateway.app.concurrency import concurrency  # noqa: PLC0415  only who bounds pays for it

    return concurrency(making)


def _bounded(making: Making) -> bool:
    config = making.config
    return (
        config.adaptive_concurrency.enabled
        or any(each.concurrency for each in making.settings.values())
        or any(each.concurrency for each in config.upstreams.values())
    )


def _backends(making: Making) -> Bounding:
    from gateway.app.concurrency import backends  # noqa: PLC0415  as above

    return backends(making)


def _limited(making: Making) -> bool:
    config = making.config
    return bool(config.plans) or any(policy.rate_limits for policy in config.policies)


def _limits(making: Making) -> Part:
    from gateway.app.limits import limits  # noqa: PLC0415  only who limits pays for it

    return limits(making)


def _usage(making: Making) -> Part:
    from gateway.app.usage import usage  # noqa: PLC0415  only who counts pays for it

    return usage(making)


def _validated(making: Making) -> bool:
    return any(policy.validate for policy in making.config.policies)


def _validation(making: Making) -> Part:
    from gateway.app.validation import validation  # noqa: PLC0415  its library is an extra

    return validation(making)
