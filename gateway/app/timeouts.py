"""How long a call of a method may take, by what its upstream and its policies say."""

from __future__ import annotations

from typing import Final, NamedTuple

from gateway.config import Config, Settings
from gateway.schema.method import Kind, MethodDescriptor

POLICY: Final = "policies.timeout"
"""The setting of policies; all others are keys of an upstream."""


class Timeout(NamedTuple):
    """How long a call may take, and what says so.

    Attributes:
        seconds: 0 for any time.
        setting: POLICY, or the key of the upstream: `timeout`, `stream_timeout`.
    """

    seconds: float
    setting: str


def timeout_of(
    config: Config, settings: Settings, descriptor: MethodDescriptor, upstream: str
) -> float:
    """Returns the seconds that a call of a method may take wherever it goes, 0 for any time.

    Args:
        config: The config.
        settings: What holds for the method.
        descriptor: What the proto says of it.
        upstream: Its service's own.
    """
    ways = (upstream, *settings.upstreams)
    timeouts = [timeout_to(config, settings, descriptor, each) for each in ways]
    return max(timeouts) if all(timeouts) else 0.0


def timeout_to(
    config: Config, settings: Settings, descriptor: MethodDescriptor, upstream: str
) -> float:
    """Returns the seconds that a call of a method may take that goes to one upstream."""
    return said_of(config, settings, descriptor, upstream).seconds


def said_of(
    config: Config, settings: Settings, descriptor: MethodDescriptor, upstream: str
) -> Timeout:
    """Returns how long a call of a method may take that goes to one upstream, by what is shorter.

    A policy that says the same as the upstream is what is named.
    """
    given = config.upstreams[upstream]
    if descriptor.kind is not Kind.UNARY:
        return Timeout(given.stream_timeout, "stream_timeout")
    if settings.timeout is None or given.timeout < settings.timeout:
        return Timeout(given.timeout, "timeout")
    return Timeout(settings.timeout, POLICY)
