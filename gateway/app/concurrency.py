"""From `policies[].concurrency`, `upstreams.NAME.concurrency` and the like to bounds on calls.

What is counted outlives generations: a reload that doubled every bound for as long as old calls
run would be felt by backends. With another number the count goes on. What adaptive concurrency has
learnt goes on too, unless its own settings change: then it begins anew.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gateway.chain import Policy
from gateway.config import Settings
from gateway.policies.concurrency import Bound, BoundOfEach, Running, RunningOf
from gateway.schema.method import Kind, MethodDescriptor

if TYPE_CHECKING:
    from gateway.app.parts import Bounding, Making, Part
    from gateway.policies.adaptive.turns import Turns

BOUND: Final = "concurrency"
METHOD_BOUND: Final = "method"
UPSTREAM_BOUND: Final = "upstream"
ADAPTIVE: Final = "adaptive_concurrency"
"""Kinds of what is counted, among what outlives generations; a bound's second is whose it is."""


def concurrency(making: Making) -> Part:
    """Returns what bounds the calls of one caller."""
    return _Callers(making)


def backends(making: Making) -> Bounding:
    """Returns what bounds the calls that backends get."""
    return _Backends(making)


class _Callers:
    """Makes the policies of methods (`gateway.app.parts.Part`)."""

    def __init__(self, making: Making) -> None:
        self._making = making

    def policies(
        self,
        descriptor: MethodDescriptor,
        settings: Settings,
        upstream: str,  # noqa: ARG002  a caller's calls are a caller's, wherever they go
    ) -> Sequence[Policy]:
        """See Part."""
        most = settings.concurrency_per_principal
        if most is None:
            return ()
        key = (BOUND, "callers", descriptor.name)
        return (BoundOfEach(self._making.taken.still(key, RunningOf), most),)


class _Backends:
    """Makes the policies of methods (`gateway.app.parts.Bounding`)."""

    def __init__(self, making: Making) -> None:
        self._making = making

    def policies(
        self, descriptor: MethodDescriptor, settings: Settings, upstream: str
    ) -> Sequence[Policy]:
        """See Part."""
        making, policies = self._making, list[Policy]()
        # First what waits: a call that waits holds no permit that another could use.
        if making.config.adaptive_concurrency.enabled and descriptor.kind is Kind.UNARY:
            policies.append(_adaptive(making, settings, upstream))
        if settings.concurrency is not None:
            key = (BOUND, METHOD_BOUND, descriptor.name)
            policies.append(
                Bound(making.taken.still(key, Running), settings.concurrency, "the method")
            )
        return [*policies, *self.copies(upstream)]

    def copies(self, upstream: str) -> Sequence[Policy]:
        """See Bounding."""
        most = self._making.config.upstreams[upstream].concurrency
        if most is None:
            return ()
        key = (BOUND, UPSTREAM_BOUND, upstream)
        return (Bound(self._making.taken.still(key, Running), most, "the upstream"),)


def _adaptive(making: Making, settings: Settings, upstream: str) -> Policy:
    # Its modules are imported only where it is on.
    from gateway.policies.adaptive.gate import (  # noqa: PLC0415  see above
        PRIORITIES,
        AdaptiveConcurrency,
    )

    given = making.config.adaptive_concurrency
    numbers = (given.min, given.max, given.queue, given.max_wait)
    key = (ADAPTIVE, upstream, *numbers)
    turns = making.taken.still(key, lambda: _turns(*numbers))
    priority = PRIORITIES[settings.priority]
    return AdaptiveConcurrency(turns, priority, given.priority_header, making.clock)


def _turns(least: int, most: int, places: int, max_wait: float) -> Turns:
    from gateway.policies.adaptive.gradient import Gradient  # noqa: PLC0415  as above
    from gateway.policies.adaptive.lines import Lines  # noqa: PLC0415  as above
    from gateway.policies.adaptive.turns import Turns  # noqa: PLC0415  as above

    # Workers and replicas agree on the time of day: they learn at the same times.
    phase = time.time() - time.monotonic()
    gradient = Gradient(least, most, time.monotonic, phase=phase)
    return Turns(gradient, Lines(places, max_wait), time.monotonic)
