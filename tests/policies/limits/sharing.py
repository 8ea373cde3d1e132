"""A process that takes from a limit as fast as it can, and prints how often it was let through."""

from __future__ import annotations

import asyncio
import sys

from gateway.policies.limits.ask import Algorithm, Ask, Numbers
from gateway.policies.limits.redis import RedisLimiter
from gateway.state.redis import Redis


async def main(url: str, algorithm: str, calls: int) -> int:
    redis = Redis(url, 20.0)
    await redis.open()
    limiter = RedisLimiter(redis, memory=None)
    day, far = 86_400.0, 4_000_000_000.0
    ask = Ask("all", Numbers(Algorithm(algorithm), 300, day, 300), ends=far)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    allowed = 0
    for _ in range(calls // 50):
        verdicts = await asyncio.gather(*(limiter.decide([ask]) for _ in range(50)))
        allowed += sum(verdict.allowed for verdict in verdicts)
    await redis.close()
    return allowed


if __name__ == "__main__":
    sys.stdout.write(str(asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
