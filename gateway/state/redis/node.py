"""One server: a few links to it that are kept open in the background, and a breaker before them.

A command goes on the link that is least busy, so that it does not wait behind a long answer while
another link has nothing to do. While there is no link, or the breaker is open, commands fail at
once: it is never a call that tries. One task connects, and probes: an open connection, what is to
be prepared on it, and a PING in the time that commands have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from redis.exceptions import MovedError, ReadOnlyError, ResponseError

from gateway.state.address import Address
from gateway.state.breaker import Breaker
from gateway.state.redis.connecting import connection as unopened
from gateway.state.redis.failure import StateUnavailable, said
from gateway.state.redis.link import Again, Answer, End, Link, Sent
from gateway.state.redis.packed import command
from gateway.state.redis.refusal import Refusals, refusal
from gateway.state.redis.trouble import Trouble

_LINKS: Final = 3  # connections to each server
_MOST_WAITING: Final = 4096  # commands, on each link
_CONNECT: Final = 2.0  # seconds, also where commands have less
_PAUSE: Final = 1.0  # seconds, where one link more can't be had
_YOUNG: Final = 1.0  # seconds; a link that does not live so long was none
_PING: Final = command((b"PING",))


class Node:
    """A server. Made inside a running loop.

    Attributes:
        address: Where it is.
        moved: See Owner.

    Args:
        address: Where it is.
        timeout: Seconds that a command may take.
        prepare: Returns the commands, packed, that each new connection begins with.
        moved: Takes a command that was not done, as its key is another server's.
    """

    def __init__(
        self,
        address: Address,
        timeout: float,
        prepare: Callable[[], list[bytes]],
        moved: Callable[[MovedError, Sent], None],
    ) -> None:
        self._clock = clock = asyncio.get_running_loop().time
        self.address = address
        self._timeout = timeout
        self._prepare = prepare
        self.moved = moved
        self._breaker = Breaker(clock)
        self._trouble = Trouble(str(address), clock)
        self._refusals = Refusals(str(address), clock)
        self._links: list[Link] = []
        self._closing: set[asyncio.Task[None]] = set()
        self._needed = asyncio.Event()
        self._tried = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def available(self) -> bool:
        """Whether commands are sent at all."""
        return bool(self._links)

    def start(self) -> None:
        """Begins to connect."""
        self._needed.set()
        self._keeper = asyncio.create_task(self._keep(), name=f"redis: keep {self.address}")

    async def tried(self) -> None:
        """Returns when the first attempt to connect has succeeded or failed."""
        await self._tried.wait()

    async def close(self) -> None:
        """Ends all connections, when what waits has its answers or has waited long enough."""
        if answers := [answer for link in self._links for answer in link.awaited()]:
            await asyncio.wait(answers, timeout=self._timeout)
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._drop("closed")
        await asyncio.gather(*self._closing)

    def send(self, packed: bytes, again: Again | None = None) -> Answer:
        """Sends a command; returns its answer, which fails with StateUnavailable.

        Raises:
            StateUnavailable: The server is away, or too many commands wait for it.
        """
        return self._best().send(packed, again)

    def take(self, sent: Sent) -> None:
        """Sends a command that another server has not done; see `Link.take`.

        Raises:
            StateUnavailable: As for `send`.
        """
        self._best().take(sent)

    def _best(self) -> Link:
        if not self._links:
            raise StateUnavailable("away")
        best = self._links[0]
        for link in self._links:
            if link.gathers and link.waiting < _MOST_WAITING:
                return link  # what leaves in one turn leaves together
            if link.waiting < best.waiting:
                best = link
        if best.waiting >= _MOST_WAITING:
            raise StateUnavailable("too many commands wait")
        return best

    # What links tell.

    def answered(self) -> None:
        """See Owner."""
        self._breaker.succeeded()
        if self._trouble.lasts:
            self._trouble.succeeded()

    def refused(self, link: Link, failure: ResponseError, packed: bytes) -> None:
        """See Owner."""
        if (refused := refusal(failure)) is not None:
            self._refusals.took(refused, failure, packed)
            return
        why = said(failure)
        self._trouble.failed(why)
        if isinstance(failure, ReadOnlyError) and link in self._links:
            # It was a primary: its name may lead to another server now.
            self._open_breaker(why)
        elif self._breaker.failed():
            self._drop(why)

    def lost(self, link: Link, why: str, end: End) -> None:
        """See Owner."""
        self._links.remove(link)
        self._bury(link)
        self._needed.set()
        if end is End.IDLE and self._clock() - link.made > _YOUNG:
            return  # as servers and networks do with what is not used
        self._trouble.failed(why)
        if end is End.TIMED_OUT:
            self._open_breaker(why)
        elif self._breaker.failed():
            self._drop(why)

    def _open_breaker(self, why: str) -> None:
        self._breaker.open()
        self._drop(why)

    def _drop(self, why: str) -> None:
        """Ends all links: an open breaker is one without."""
        links, self._links = self._links, []
        self._needed.set()
        for link in links:
            link.end(why)
            self._bury(link)

    def _bury(self, link: Link) -> None:
        task = asyncio.create_task(link.ended(), name="redis: close")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    # What connects.

    async def _keep(self) -> None:
        while True:
            await self._needed.wait()
            while pause := self._breaker.wait():  # noqa: ASYNC110  it has a time, no event
                await asyncio.sleep(pause)
            self._breaker.probe()
            try:
                link = await self._connected()
            except StateUnavailable as failure:
                if self._links:  # those that there are do as long
                    await asyncio.sleep(_PAUSE)
                else:
                    self._trouble.failed(str(failure))
                    self._breaker.open()
            else:
                if self._breaker.answered():
                    self._links.append(link)
                else:
                    link.end("away")
                    self._bury(link)
                if len(self._links) == _LINKS:
                    self._needed.clear()
            self._tried.set()

    async def _connected(self) -> Link:
        """Returns a new link that has answered.

        Raises:
            StateUnavailable: There is none.
        """
        limit = max(_CONNECT, self._timeout)
        connection = unopened(self.address, limit)
        try:
            async with asyncio.timeout(limit):
                await connection.connect()  # type: ignore[no-untyped-call]  # redis-py
                for packed in self._prepare():
                    await connection.send_packed_command(packed, check_health=False)
                    await connection.read_response()
            async with asyncio.timeout(self._timeout):
                await connection.send_packed_command(_PING, check_health=False)
                await connection.read_response()
        except BaseException as failure:
            await connection.disconnect(nowait=True)
            if isinstance(failure, TimeoutError):
                raise StateUnavailable("it does not answer in time") from None
            if isinstance(failure, Exception):  # also of names that are none, of what is no Redis
                raise StateUnavailable(said(failure)) from None
            raise
        return Link(connection, self._timeout, self)
