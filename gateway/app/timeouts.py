"""How long a call of a method may take, by what its upstream and its policies say."""

from __future__ import annotations

from gateway.config import Config, Settings
from gateway.schema.method import Kind, MethodDescriptor


def timeout_of(
    config: Config, settings: Settings, descriptor: MethodDescriptor, upstream: str
) -> float:
    """Returns the seconds that a call of a method may take, 0 for any time."""
    given = config.upstreams[upstream]
    if descriptor.kind is not Kind.UNARY:
        return given.stream_timeout
    timeout = settings.timeout
    return given.timeout if timeout is None else min(timeout, given.timeout)
