"""One connection, on which commands follow each other without waiting for answers.

What is sent in one turn of the event loop leaves in one write. Answers come in the order of the
commands, so whoever gives up waiting leaves a place in the queue and nothing else: its answer is
read and dropped. The queue's head is the one that has waited longest: one timer for it bounds all
waits. A wait begins when the command leaves: a turn that is long after it was given is the loop's
doing, not the server's. A link that times out, or breaks, is at its end; it says so once and is not
mended. It decides neither when to connect nor what an error means.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, replace
from enum import Enum
from math import inf
from typing import Any, Final, Protocol, TypeAlias

from redis.asyncio.connection import Connection
from redis.exceptions import MovedError, NoScriptError, RedisError, ResponseError

from gateway.state.redis.failure import StateUnavailable, said
from gateway.state.redis.refusal import error

_LATE: Final = 0.02  # seconds: the loop stood still, and commands may have left only now
_TURNS: Final = 4  # of the loop: a command leaves in one, its answer is read in the others
Answer: TypeAlias = "asyncio.Future[Any]"


class End(Enum):
    """How a link came to its end."""

    TIMED_OUT = "timed out"
    BROKE = "broke while commands waited"
    IDLE = "broke while none did"


class Again(Protocol):
    """A command in the form that works where the server has forgotten its script."""

    def whole(self) -> bytes:
        """Returns the command, packed, with the script's text."""


class Owner(Protocol):
    """Who is told what becomes of a link."""

    def answered(self) -> None:
        """A command was done."""

    def refused(self, link: Link, failure: ResponseError, packed: bytes) -> None:
        """A command was answered with an error."""

    def moved(self, to: MovedError, sent: Sent) -> None:
        """A command was not done: its key is another server's. It is the owner's now."""

    def lost(self, link: Link, why: str, end: End) -> None:
        """The link is at its end."""


@dataclass(slots=True)
class Sent:
    """A command that waits for its answer.

    Attributes:
        packed: The command.
        again: How it is sent where its script is not known; None for a command without.
        answer: Takes its answer.
        until: When waiting ends, on the loop's clock; never, before it has left.
    """

    packed: bytes
    again: Again | None
    answer: Answer
    until: float = inf


class Link:
    """A connection that is open. Made inside a running loop.

    Attributes:
        made: When, on the loop's clock.

    Args:
        connection: Open, and nobody else's.
        timeout: Seconds that a command may wait for its answer.
        owner: Told what becomes of it.
    """

    def __init__(self, connection: Connection, timeout: float, owner: Owner) -> None:
        self._connection = connection
        self._timeout = timeout
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self.made = self._loop.time()
        self._sent: deque[Sent] = deque()
        self._unwritten: list[Sent] = []
        self._some = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False
        self._tasks = (
            self._loop.create_task(self._write(), name="redis: write"),
            self._loop.create_task(self._read(), name="redis: read"),
        )

    @property
    def waiting(self) -> int:
        """How many commands wait for an answer, or for one that nobody wants any more."""
        return len(self._sent)

    @property
    def gathers(self) -> bool:
        """Whether commands of this turn are about to leave."""
        return bool(self._unwritten)

    def awaited(self) -> list[Answer]:
        """Returns the answers that are still to come, and that somebody waits for."""
        return [sent.answer for sent in self._sent if not sent.answer.done()]

    def send(self, packed: bytes, again: Again | None = None) -> Answer:
        """Sends a command with the others of this turn; returns its answer.

        The answer fails with StateUnavailable. To cancel it is to leave it.
        """
        answer: Answer = self._loop.create_future()
        self._put(Sent(packed, again, answer))
        return answer

    def take(self, sent: Sent) -> None:
        """Sends a command that was sent before and is known not to be done, if it is still wanted.

        It has what is left of its time.
        """
        if not sent.answer.done():
            # The queue's timer looks at its head, and this one is older than those before it.
            self._loop.call_at(sent.until, fail, sent.answer, "timed out")
            self._put(replace(sent, until=inf))

    def end(self, why: str) -> None:
        """Ends it: all that wait are told why. The owner is not."""
        if self._ended:
            return
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        while self._sent:
            fail(self._sent.popleft().answer, why)

    async def ended(self) -> None:
        """Waits until it is closed, having been ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connection.disconnect(nowait=True)

    def _put(self, sent: Sent) -> None:
        self._sent.append(sent)
        if not self._unwritten:
            self._some.set()
        self._unwritten.append(sent)

    async def _write(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            leaving, self._unwritten = self._unwritten, []
            until = self._loop.time() + self._timeout
            for sent in leaving:
                sent.until = until
            if self._timer is None:
                self._timer = self._loop.call_at(until, self._look, until)
            packed = b"".join([sent.packed for sent in leaving])
            try:
                await self._connection.send_packed_command(packed, check_health=False)
            except (RedisError, OSError) as failure:
                self._break(said(failure))
                return

    async def _read(self) -> None:
        while True:
            try:
                reply = await self._connection.read_response(disconnect_on_error=False)
            except ResponseError as failure:
                reply = failure
            except Exception as failure:  # noqa: BLE001  whatever the parser makes of what came
                self._break(said(failure))
                return
            if not self._sent:
                self._break("the server answered what it was not asked")
                return
            sent = self._sent.popleft()
            if isinstance(reply, ResponseError):
                self._refuse(sent, reply)
                continue
            if not sent.answer.done():
                sent.answer.set_result(reply)
            self._owner.answered()

    def _refuse(self, sent: Sent, failure: ResponseError) -> None:
        if isinstance(failure, NoScriptError) and sent.again is not None:
            self.take(replace(sent, packed=sent.again.whole(), again=None))
        elif isinstance(failure, MovedError):
            self._owner.moved(failure, sent)
        else:
            fail(sent.answer, error(failure))
            self._owner.refused(self, failure, sent.packed)

    def _look(self, due: float, turns: int = _TURNS) -> None:
        """Ends the link if its oldest command has waited too long, and not for this loop.

        Args:
            due: When this was to be called, on the loop's clock.
            turns: How many times more to look, if answers do not come before.
        """
        self._timer = None
        if not self._sent or self._sent[0].until == inf:  # as it leaves, this is set again
            return
        until, now = self._sent[0].until, self._loop.time()
        if until > now:
            self._timer = self._loop.call_at(until, self._look, until)
        elif turns:
            late = now - due
            pause = min(late, self._timeout) if late > _LATE else 0.0
            self._timer = self._loop.call_later(pause, self._look, now + pause, turns - 1)
        else:
            self._break("timed out", End.TIMED_OUT)

    def _break(self, why: str, how: End | None = None) -> None:
        if not self._ended:
            how = how or (End.BROKE if self._sent else End.IDLE)
            self.end(why)
            self._owner.lost(self, why, how)


def fail(answer: Answer, why: str | StateUnavailable) -> None:
    """Gives a failure to who still waits."""
    if not answer.done():
        answer.set_exception(StateUnavailable(why) if isinstance(why, str) else why)
        answer.exception()  # the loop need not complain where nobody awaits it
