"""Clients of a Redis, real or played, and what waits for a thing to become so."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from gateway.state.redis import Redis

SOON = 20.0


async def until(condition, *, within: float = SOON) -> None:
    """Returns when a condition holds."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def opened(url, seconds=5.0):
    """A client that is open, and whose commands have so many seconds."""
    redis = Redis(url, seconds)
    await redis.open()
    try:
        yield redis
    finally:
        await redis.close()


@pytest.fixture
async def redis(redis_url):
    """A client of the server that tests share."""
    async with opened(redis_url) as each:
        yield each
