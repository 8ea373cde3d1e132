"""From `policies[].deprecated` and `faults` to what tells of ends, and what fails on purpose."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.app.policy_of import listed
from gateway.call import Code
from gateway.chain import Policy
from gateway.config import Settings
from gateway.config.effective import FAULTS
from gateway.config.instants import format_instant
from gateway.config.models.shaping import Faults
from gateway.policies.deprecated import Deprecated
from gateway.policies.faults import InjectFaults
from gateway.schema.method import MethodDescriptor

if TYPE_CHECKING:
    from gateway.app.parts import Making, Part

_DAY = 86400  # seconds


def deprecated(making: Making) -> Part:
    """Returns what tells clients that methods go away."""
    return _Deprecating(making)


def announced(descriptor: MethodDescriptor, settings: Settings) -> MethodDescriptor:
    """Returns a method as its clients are to see it: with the end that a policy says it has."""
    given = settings.deprecated
    if given is None:
        return descriptor
    said = ["Deprecated" if given.since is None else f"Deprecated since {_day(given.since)}"]
    if given.sunset is not None:
        said.append(f"may be gone from {_day(given.sunset)}")
    if given.link is not None:
        said.append(f"see {given.link}")
    return replace(descriptor, deprecated=True, deprecation="; ".join(said))


def _day(seconds: float) -> str:
    return format_instant(seconds).partition("T")[0]


def faults(making: Making) -> Part:
    """Returns what has calls fail on purpose; adds to `making.warnings`."""
    on: dict[str, list[str]] = {}
    for name in sorted(making.descriptors):
        settings = making.settings[name]
        if settings.faults is not None:
            said = _made(settings.faults, making).describe().rstrip(".")
            on.setdefault(settings.mistake(FAULTS, said[0].lower() + said[1:]), []).append(name)
    making.warnings.extend(f"{line}: {listed(names)}" for line, names in on.items())
    return _Failing(making)


class _Deprecating:
    """Makes the policies of methods (`gateway.app.parts.Part`)."""

    def __init__(self, making: Making) -> None:
        self._taken = making.taken

    def policies(
        self,
        descriptor: MethodDescriptor,
        settings: Settings,
        upstream: str,  # noqa: ARG002  wherever its calls go
    ) -> Sequence[Policy]:
        """See Part."""
        given = settings.deprecated
        if given is None:
            return ()
        since = given.since
        if since is None:  # a date is needed: of the day on which it was first said here
            key = ("deprecated", descriptor.name)
            since = self._taken.for_good(key, lambda: time.time() // _DAY * _DAY)
            if given.sunset is not None:
                since = min(since, given.sunset)
        return (Deprecated(since, given.sunset, given.link),)


class _Failing:
    """Makes the policies of methods (`gateway.app.parts.Part`)."""

    def __init__(self, making: Making) -> None:
        self._making = making

    def policies(
        self,
        descriptor: MethodDescriptor,  # noqa: ARG002  the interface's
        settings: Settings,
        upstream: str,  # noqa: ARG002  wherever its calls would go
    ) -> Sequence[Policy]:
        """See Part."""
        return () if settings.faults is None else (_made(settings.faults, self._making),)


def _made(given: Faults, making: Making) -> InjectFaults:
    code = None if given.code is None else Code[given.code]
    return InjectFaults(given.percent, given.delay, code, random=random.random, clock=making.clock)
