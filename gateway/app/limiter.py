"""What counts limits: in memory, which the workers of a machine share, or in Redis.

It outlives generations: shares are not given anew by a reload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.app.state import redis_limiter
from gateway.policies.limits.ask import Limiter
from gateway.policies.limits.memory import MemoryLimiter
from gateway.state.table import Table

if TYPE_CHECKING:
    from gateway.app.parts import Making


def limiter_of(making: Making) -> Limiter:
    """Returns what counts the limits of a config.

    In Redis, where the config names one; the memory is then what counts while that is away.
    """
    memory = in_memory(making)
    return redis_limiter(making, memory) or memory


def in_memory(making: Making) -> MemoryLimiter:
    """Returns what counts in memory: for all workers, where there are several."""
    shared, keys = making.taken.memory, making.config.limits.keys
    # No table is closed: streams of a generation before may count in it. It goes with its limiter.
    if shared is not None:
        # What it has room for was decided when the supervisor started.
        return making.taken.still(("limits",), lambda: MemoryLimiter(Table.attach(shared)))
    return making.taken.still(("limits", keys), lambda: MemoryLimiter(Table.private(keys)))
