"""Work of some milliseconds, which would hold up all other requests, in threads beside the loop.

There are two threads, made when they are first needed, and as many jobs wait as two threads do in
half a second or so: who comes when more wait is told to do without.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

log = logging.getLogger("gateway.listener")

_THREADS: Final = 2
_WAITING: Final = 64


class Offload:
    """Does jobs in threads; each gives bytes."""

    __slots__ = ("_pool", "_waiting")

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._waiting = 0

    def run(self, job: Callable[[], bytes], then: Callable[[bytes | None], None]) -> bool:
        """Has a job done, and `then` called in the loop with what it gave; None where it failed.

        Returns:
            Whether it is taken; nothing is called where it is not.
        """
        if self._waiting >= _WAITING:
            return False
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_THREADS, "gateway-offload")
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, job)

        def done(future: asyncio.Future[bytes]) -> None:
            self._waiting -= 1
            if future.cancelled():
                return  # closed: nobody is there any more
            failure = future.exception()
            if failure is not None:
                log.error("a job beside the loop failed", exc_info=failure)
            then(None if failure is not None else future.result())

        future.add_done_callback(done)
        return True

    def close(self) -> None:
        """Ends the threads, when they have done what they are at; what waits is not done."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
