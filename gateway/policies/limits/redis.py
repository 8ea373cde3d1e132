"""Shares that all gateways count together, in Redis: one script call decides all asks of a call.

The clock is the server's, the rules are those of `limits.algorithms`; the script (`shares.lua`) is
the one place that reads and writes. A decision is never asked twice: if it is not known what became
of it, the call is decided as if Redis were away (`limits.fallback`), and may have been charged all
the same.

Keys stand below one hash tag, so that one script may touch them all on one node of a cluster. Those
of asks are never longer than `_LONGEST`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Awaitable, Sequence
from functools import cache, partial
from importlib.resources import files
from typing import Final

from gateway.policies.limits.ask import Algorithm, Ask, Limiter, Share, Verdict
from gateway.policies.limits.fallback import Fallback
from gateway.policies.pending import Pending
from gateway.state.redis import Redis, StateUnavailable

PREFIX: Final = b"gateway:{limits}:"
SERVER_CLOCK: Final = "local t = redis.call('TIME')\nlocal now = t[1] * 1e6 + t[2]\n"

_LONGEST: Final = 160  # bytes of an ask's key; beyond, its digest stands for it
_MICRO: Final = 1e6
_ASK: Final = struct.Struct("<8d")
_SHARE: Final = struct.Struct("<5d")
_KINDS: Final = {
    Algorithm.TOKEN_BUCKET: 1,
    Algorithm.SLIDING_WINDOW: 2,
    Algorithm.FIXED_WINDOW: 3,
    Algorithm.CALENDAR: 4,
}


class RedisLimiter:
    """Decides about shares in Redis, or, while that is away, as each ask says (a Limiter).

    Args:
        redis: Where shares are kept.
        memory: Decides asks whose `on_error` is `local` while Redis is away; never to be awaited.
        clock: Lua that sets `now` to microseconds since 1970.
    """

    __slots__ = ("_away", "_redis", "_script")

    def __init__(self, redis: Redis, memory: Limiter, clock: str = SERVER_CLOCK) -> None:
        self._redis = redis
        self._away = Fallback(memory)
        self._script = redis.script(clock + _rules())

    def decide(self, asks: Sequence[Ask]) -> Verdict | Awaitable[Verdict]:
        """See Limiter. While Redis is away, nothing is awaited.

        Raises:
            RpcError: LIMITS_UNAVAILABLE: Redis is away, and an ask says `deny`.
        """
        if not asks:
            return Verdict(True, ())
        if not self._redis.available:
            return self._away.decide(asks)
        return Pending(partial(self._ask, asks))

    async def _ask(self, asks: Sequence[Ask]) -> Verdict:
        keys = [_key(ask.key) for ask in asks]
        numbers = b"".join([_numbers(ask) for ask in asks])
        try:
            answer: bytes = await self._script(keys, (numbers,))
        except StateUnavailable:
            return self._away.decide(asks)
        return _verdict(asks, answer)


def _verdict(asks: Sequence[Ask], answer: bytes) -> Verdict:
    shares = tuple(
        Share(allowed == 1.0, int(remaining), resets, retry_after, wait)
        for allowed, remaining, resets, retry_after, wait in _SHARE.iter_unpack(answer)
    )
    allowed = all(share.allowed or ask.dark for ask, share in zip(asks, shares, strict=True))
    return Verdict(allowed, shares)


def _key(key: str) -> bytes:
    data = key.encode(errors="surrogatepass")
    if len(data) <= _LONGEST:
        return PREFIX + b"k:" + data
    return PREFIX + b"h:" + hashlib.sha256(data).hexdigest().encode()


def _numbers(ask: Ask) -> bytes:
    algorithm, limit, period, burst = ask.numbers
    return _ASK.pack(
        _KINDS[algorithm],
        limit,
        period * _MICRO,
        burst,
        ask.cost,
        ask.patience * _MICRO,
        ask.ends * _MICRO,
        ask.dark,
    )


@cache
def _rules() -> str:
    return files(__package__).joinpath("shares.lua").read_text(encoding="utf-8")
