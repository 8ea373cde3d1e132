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
from gateway.app.operations import Operations
from gateway.chain import Policy
from gateway.config import Config, Settings, Source
from gateway.schema.method import MethodDescriptor
from gateway.schema.registry import Registry
from gateway.state.usage.counts import Row


class Part(Protocol):
    """What makes the policies of one concern."""

    def policies(
        self, descriptor: MethodDescriptor, settings: Settings, upstream: str
    ) -> Sequence[Policy]:
        """Returns what the calls of a method pass of it, in order."""


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


@dataclass(frozen=True, slots=True)
class Making:
    """What parts are made of.

    Attributes:
        config: The config.
        source: Where each of its values was set.
        registry: Every descriptor.
        descriptors: Of the methods that are served, by full name.
        settings: What holds for each, by full name.
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
        limits: How much callers may ask.
        usage: What callers use is counted.
        concurrency: How many calls of one caller there may be at a time.
        validation: What requests must be like.
        cache: Replies that are kept, and equal calls that are made once.
        backends: How many calls there may be at a time of a method, and of an upstream.
    """

    limits: Part
    usage: Part
    concurrency: Part
    validation: Part
    cache: Part
    backends: Part


def parts(making: Making) -> Parts:
    """Returns the parts of a generation; adds to its `problems`, `warnings` and `notes`.

    Each module is imported only where the config asks for it.
    """
    nothing = Nothing()
    idle_settings(making)
    return Parts(
        limits=_limits(making) if _limited(making) else nothing,
        usage=_usage(making) if making.config.usage.enabled else nothing,
        concurrency=_concurrency(making) if _alone(making) else nothing,
        validation=_validation(making) if _validated(making) else nothing,
        cache=_cache(making) if _cached(making) else nothing,
        backends=_backends(making) if _bounded(making) else nothing,
    )


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


def _backends(making: Making) -> Part:
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
