"""What addresses may do while nobody knows who asks: counted by all workers together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.policies.auth.authenticate import Guard

if TYPE_CHECKING:
    from gateway.app.parts import Making
    from gateway.app.providers import ProviderPool


def guard_of(making: Making, pool: ProviderPool) -> Guard:
    """Returns what addresses may do.

    Args:
        making: What parts are made of.
        pool: Has what this process counts by itself, where it is the only one.
    """
    config = making.config
    rate = config.listener.limits.unauthenticated
    if making.taken.memory is None or not config.auth.providers:
        return pool.guard(rate)
    # Only workers share a table.
    from gateway.app.limiter import in_memory  # noqa: PLC0415  see above
    from gateway.policies.auth.shared_guard import SharedGuard  # noqa: PLC0415  see above

    return SharedGuard(rate.count, float(rate.period), in_memory(making))
