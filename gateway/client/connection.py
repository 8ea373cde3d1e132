"""Keeps a client connected: which link carries which session, and when to connect again.

One task, the keeper, waits until the link has ended or the gateway says goaway, and makes the next
one; after a goaway the old link is kept until its streams have ended, or the new one has taken its
session over. What is decided by tables and counters stands elsewhere (`closing`, `backoff`); what
becomes of streams is the session's.

The first connection is tried once, and its failure is raised: who starts a program wants to hear of
a wrong address. All later ones are tried until they succeed, or the gateway refuses.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from gateway.call import Code
from gateway.client.backoff import Backoff
from gateway.client.closing import ABNORMAL, GOING_AWAY, UNAUTHENTICATED, comes_back
from gateway.client.dialing import Endpoint
from gateway.client.errors import RefusedError, Status, ended
from gateway.client.exchange import Exchange, Phase
from gateway.client.frames import Hello, Welcome
from gateway.client.framing import Framing
from gateway.client.link import Closed, Link
from gateway.client.session import CANCELLED, Session, Waiting
from gateway.client.tokens import Tokens

_LEFT: Final = "the gateway's block was left: nothing more can be asked of it"
_ANSWER_SECONDS: Final = 1.0  # between looks whether the gateway has answered a hello
_STOP_SECONDS: Final = 3.0  # for links to say goodbye

log = logging.getLogger("gateway.client")


class Connection:
    """The connection of one client, over any number of sockets.

    Args:
        endpoint: Where the gateway is.
        framing: What is spoken there.
        tokens: Who calls.
        backoff: How long to wait between attempts.
        resume: Whether sessions are to outlive their sockets, where the gateway allows it.

    Attributes:
        failure: Why there is no connection and will be none, or None.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        framing: Framing,
        tokens: Tokens,
        backoff: Backoff,
        *,
        resume: bool,
    ) -> None:
        self.failure: RefusedError | None = None
        self._endpoint = endpoint
        self._framing = framing
        self._tokens = tokens
        self._backoff = backoff
        self._resume = resume
        self._loop = asyncio.get_running_loop()
        self._waiting: Waiting = deque()
        self._session: Session | None = None  # the one of new streams
        self._link: Link | None = None  # what carries it
        self._links: dict[Link, asyncio.Task[None]] = {}  # all that work
        self._keeper: asyncio.Task[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._token_taken: list[asyncio.Future[None]] = []  # who waits for that
        self._demand = asyncio.Event()
        self._attempt = 0
        self._denied = False  # the last token was refused, and no other was taken since
        self._closed = False

    # Life.

    async def start(self) -> None:
        """Connects.

        Raises:
            RefusedError: The gateway does not want this client, or not now.
            OSError: There is no way to it.
        """
        try:
            link = await self._connect()
        except BaseException:
            await self._stop_links()
            raise
        self._keeper = asyncio.create_task(self._keep(link))
        self._keeper.add_done_callback(self._keeper_ended)

    async def close(self) -> None:
        """Cancels all calls, says goodbye, and leaves no task."""
        self._closed = True
        self._end_waiting(CANCELLED)
        for task in (self._keeper, self._renewal):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        for link in self._links:
            if link.session is not None:
                link.session.cancel_all()
        await self._stop_links()
        if self._expiry is not None:
            self._expiry.cancel()
        if self._session is not None:
            self._session.lose(CANCELLED)
        self._end_token_waits(RuntimeError(_LEFT))

    async def _stop_links(self) -> None:
        """Closes all links; those that don't answer in time are cut."""
        for link in self._links:
            link.stop()
        tasks = list(self._links.values())
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=_STOP_SECONDS)
        finally:
            for task in tasks:
                task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    # Connecting.

    async def _keep(self, link: Link) -> None:
        """Makes a new link whenever one is needed."""
        try:
            while True:
                await link.moved.wait()
                if link.reconnect_in is not None:
                    await asyncio.sleep(min(link.reconnect_in, self._backoff.most))
                link = await self._connect_again(link)
        except RefusedError as refused:
            self._fail(refused)

    async def _connect_again(self, last: Link) -> Link:
        """Returns a new link. Raises RefusedError once there can be none."""
        if self._loop.time() - last.since >= self._backoff.steady:
            self._attempt = 0
        at_once = last.reconnect_in is not None  # a goaway has said how long to wait
        was_told = False  # whether it is known how the last one ended
        while True:
            if last.closed.done():
                closed = last.closed.result()
                refused = RefusedError(closed.code, closed.reason)
                if not was_told and not self._tries_again(refused):
                    raise refused
                was_told = True
                if closed.code == GOING_AWAY:
                    await self._demanded()
            if not at_once:
                await asyncio.sleep(self._backoff.delay(self._attempt))
                self._attempt += 1
            at_once = False
            try:
                return await self._connect()
            except RefusedError as refused:
                if not self._tries_again(refused):
                    raise
                log.info("%s; it is tried again", refused)
            except Exception as failure:  # noqa: BLE001 - a user's token function may raise any
                log.warning("connecting to the gateway failed; it is tried again: %r", failure)

    def _tries_again(self, refused: RefusedError) -> bool:
        """Whether to connect again; with another token, where that was refused.

        One may expire on its way, so it is asked for once more, where there is a way.
        """
        if refused.code != UNAUTHENTICATED or not self._tokens.renews or self._denied:
            return comes_back(refused.code)
        self._denied = True
        self._end_token_waits(refused)
        return True

    async def _demanded(self) -> None:
        """Waits until there is a call: one that is idle is not to be called back for nothing."""
        while not (self._waiting or self._token_taken or self._streams_go_on()):
            self._demand.clear()
            await self._demand.wait()

    def _streams_go_on(self) -> bool:
        return self._session is not None and bool(self._session.going_on())

    async def _connect(self) -> Link:
        """Makes a link that is welcome.

        Raises:
            RefusedError: The gateway said no; the code tells whether for good.
            OSError: There is no way to it.
        """
        token = await self._tokens.ask()
        socket = await self._endpoint.dial(self._framing)
        hello, named, moving = Hello(token, self._resume), None, self._session
        if moving is not None and moving.resume and (named := moving.going_on()):
            hello = _coming_back(token, moving, named)
            moving.held = True
        link = Link(socket, self._framing, hello, named, self)
        task = asyncio.create_task(link.run())
        self._links[link] = task
        task.add_done_callback(partial(self._ended, link))
        try:
            first: list[asyncio.Future[Any]] = [link.welcome, link.closed]
            await asyncio.wait(
                first, timeout=self._endpoint.open_timeout, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            if moving is not None:
                moving.held = False
                moving.wake()
            if not link.welcome.done():
                task.cancel()
        if link.welcome.done():
            return link
        if not link.closed.done():
            raise TimeoutError("the gateway has said no welcome in time")
        closed = link.closed.result()
        if closed.code == ABNORMAL:
            raise ConnectionResetError("the connection broke before the welcome")
        raise RefusedError(closed.code, closed.reason)

    # What links tell (`link.Owner`).

    def welcomed(self, link: Link, welcome: Welcome) -> Session:
        """Returns what the link carries: the session that moves to it, or a new one."""
        if self._expiry is not None:
            self._expiry.cancel()
        old, carrier = self._session, self._link
        if old is not None and link.named is not None and welcome.session == old.id:
            session = old
            if carrier is not None:
                carrier.release()
            session.resume_with(welcome, link.named)
        else:
            session = Session(welcome, self._waiting)
            if carrier is not None:  # its streams end there
                carrier.retire()
            elif old is not None:
                old.lose()
        session.wake = link.wake
        self._session, self._link = session, link
        self._denied = False
        self.token_taken()
        return session

    def token_expiring(self, link: Link) -> None:
        """Asks for a new token, if there is a way."""
        if self._tokens.renews and (self._renewal is None or self._renewal.done()):
            self._renewal = asyncio.create_task(self._renew(link))

    async def _renew(self, link: Link) -> None:
        try:
            token = await self._tokens.ask()
        except Exception as failure:  # noqa: BLE001 - a user's function may raise any
            # The gateway closes with 4003, and the next connection asks again.
            log.warning("no new token could be had: %r", failure)
        else:
            if token is not None:
                link.auth(token)

    def token_taken(self) -> None:
        """Tells those who wait for it."""
        for waiting in self._token_taken:
            if not waiting.done():
                waiting.set_result(None)
        self._token_taken.clear()

    def _ended(self, link: Link, task: asyncio.Task[None]) -> None:
        """Takes note that a link works no more."""
        del self._links[link]
        if not link.closed.done():  # cancelled before its first step
            link.closed.set_result(Closed(ABNORMAL, ""))
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._loop.call_exception_handler({"message": "a link failed", "exception": bug})
        session = link.session
        if link is not self._link:
            if session is not None:
                session.lose()
            return
        self._link = None
        if session is not None and session.resume:
            self._expiry = self._loop.call_later(session.resume, self._expire)
        else:
            self._forget_session()

    def _expire(self) -> None:
        """Gives a session up that the gateway keeps no longer, unless its answer is on the way."""
        if self._session is not None and self._session.held:
            self._expiry = self._loop.call_later(_ANSWER_SECONDS, self._expire)
        else:
            self._forget_session()

    def _forget_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.lose()

    # The end of it.

    def _keeper_ended(self, keeper: asyncio.Task[None]) -> None:
        if not keeper.cancelled() and (bug := keeper.exception()) is not None:
            self._loop.call_exception_handler({"message": "the keeper failed", "exception": bug})
            self._fail(RefusedError(ABNORMAL, "the client failed"))

    def _fail(self, refused: RefusedError) -> None:
        """Gives up: there is no connection any more."""
        self.failure = refused
        if self._link is not None:  # after a goaway; its streams end there
            self._link.retire()
        else:
            self._forget_session()
        self._end_waiting(ended(Code.UNAVAILABLE, f"There is no connection: {refused}."))
        self._end_token_waits(refused)

    def _end_token_waits(self, failure: Exception) -> None:
        for waiting in self._token_taken:
            if not waiting.done():
                waiting.set_exception(failure)
        self._token_taken.clear()

    def _end_waiting(self, status: Status) -> None:
        while self._waiting:
            self._waiting.popleft().end(status)

    # What users do.

    def begin(self, exchange: Exchange) -> None:
        """Has a call made, as soon as there is a connection with room for it.

        Raises:
            RefusedError: There will be none.
            RuntimeError: The client is closed.
        """
        if self._closed:
            raise RuntimeError(_LEFT)
        if self.failure is not None:
            raise self.failure
        self._waiting.append(exchange)
        self._demand.set()
        if self._link is not None:
            self._link.wake()

    def leave(self, exchange: Exchange, status: Status) -> None:
        """Ends a call from this side, unless it has ended."""
        if exchange.phase is Phase.WAITING:
            self._waiting.remove(exchange)
            exchange.end(status)
        elif exchange.phase is Phase.OPEN:
            assert exchange.carrier is not None
            exchange.carrier.cancel(exchange, status)

    async def auth(self, token: str) -> None:
        """Gives the gateway a new token, and waits until it is taken.

        Raises:
            RefusedError: It was not.
            RuntimeError: The client was closed meanwhile.
            ValueError: It can't be a token.
        """
        self._tokens.replace(token)
        if self.failure is not None:
            raise self.failure
        taken: asyncio.Future[None] = self._loop.create_future()
        self._token_taken.append(taken)
        self._demand.set()
        if self._link is not None:
            self._link.auth(token)
        await taken


def _coming_back(token: str | None, session: Session, named: Mapping[int, Exchange]) -> Hello:
    return Hello(
        token,
        resume=True,
        session=session.id,
        seen={id_: each.seen for id_, each in named.items()},
        granted={id_: each.receiving.granted for id_, each in named.items()},
    )
