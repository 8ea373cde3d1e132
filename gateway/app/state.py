"""The state that gateways share, as the config names it: where there is one, its one client.

The client outlives generations that name the same one. A Redis that is away when the gateway starts
is no error: it is connected to when it is there, and until then policies do without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.app.parts import Making
    from gateway.policies.limits.ask import Limiter
    from gateway.state.redis import Redis

MEMORY: Final = "memory"


def redis_of(making: Making) -> Redis | None:
    """Returns the client of the config's Redis; None where state is kept in memory.

    A URL that names no Redis is added to `making.problems`.
    """
    url, timeout = making.config.state, making.config.state_timeout
    if url == MEMORY:
        return None
    # The library takes a tenth of a second to import: only who has a Redis pays for it.
    from gateway.state.redis import AddressError, Redis  # noqa: PLC0415  see above

    try:
        return making.taken.of(("redis", url, timeout), lambda: Redis(url, timeout))
    except AddressError as wrong:
        problem = f"{making.source.locate('state')}: state: {wrong}"
        if problem not in making.problems:
            making.problems.append(problem)
        return None


def redis_limiter(making: Making, memory: Limiter) -> Limiter | None:
    """Returns what decides about limits in Redis; None where that is done in memory.

    Args:
        making: What parts are made of.
        memory: Decides where Redis is away; it never has to be awaited.
    """
    redis = redis_of(making)
    if redis is None:
        return None
    from gateway.policies.limits.redis import RedisLimiter  # noqa: PLC0415  as above

    return RedisLimiter(redis, memory)
