"""The states that gateways share, as the config names them: one client for each.

There are two, `state` and, for cached replies, `cache.state`, which is the same one if nothing is
said. A client outlives generations that name the same Redis. One that is away when the gateway
starts is no error: it is connected to when it is there, and until then policies do without.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.app.settings import SettingError, check_ca_file
from gateway.config import Config
from gateway.state.address import Address, AddressError

if TYPE_CHECKING:
    from gateway.app.parts import Making
    from gateway.policies.limits.ask import Limiter
    from gateway.state.redis import Redis

MEMORY: Final = "memory"


def cache_state(config: Config) -> str:
    """Returns where cached replies are kept: `memory`, or a URL."""
    return config.state if config.cache.state is None else config.cache.state


def wrong_states(config: Config) -> list[SettingError]:
    """Returns what is wrong with the states that a config names, also where nothing uses them."""
    wrong = []
    for key, url in (("state", config.state), ("cache.state", config.cache.state)):
        try:
            address = Address.of(url) if url not in {None, MEMORY} else None
            if address is not None and address.ca is not None:
                check_ca_file(key, Path(address.ca))
        except AddressError as mistake:
            wrong.append(SettingError(key, str(mistake)))
        except SettingError as mistake:
            wrong.append(mistake)
    return wrong


def redis_of(making: Making) -> Redis | None:
    """Returns the client of the config's `state`; None where that is memory."""
    return _client(making, making.config.state)


def redis_of_cache(making: Making) -> Redis | None:
    """Returns the client of the Redis for cached replies; None where they are kept in memory."""
    return _client(making, cache_state(making.config))


def _client(making: Making, url: str) -> Redis | None:
    if url == MEMORY:
        return None
    # The library takes a tenth of a second to import: only who has a Redis pays for it.
    from gateway.state.redis import Redis  # noqa: PLC0415  see above

    timeout = making.config.state_timeout
    return making.taken.of(("redis", url, timeout), lambda: Redis(url, timeout))


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
