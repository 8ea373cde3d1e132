"""One worker as its supervisor sees it: a process, what it was told, what it answered.

It does not decide when to start or end it: `supervisor` does.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Final

from gateway.operations import Content
from gateway.state.usage.counts import Row
from gateway.supervisor.backoff import Backoff
from gateway.supervisor.channel import Channel
from gateway.supervisor.messages import (
    Answered,
    Counted,
    Drain,
    Drained,
    Failed,
    Message,
    Ready,
    Refused,
    Reload,
    Reloaded,
    Start,
    Suggest,
    Suggestions,
)
from gateway.supervisor.questions import Questions
from gateway.supervisor.snapshot import Snapshot

log = logging.getLogger("gateway")

_LAST_WORDS: Final = 5.0  # seconds from a worker's closed channel to the end of its process
_ANSWER: Final = 300.0  # seconds for a reload: protos are compiled, backends are asked


class State(Enum):
    """What a worker does."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    WAITING = "waiting"
    """It died, and is started again later."""


class Worker:
    """A worker, over all of its processes.

    Attributes:
        number: From 1.
        state: What it does.
        pid: Its process, or None.
        starts: How often it was started.
        failed: Why its latest process could not start, if it said so.
        cut: How many requests its drain cut.
        snapshot: The config that it serves, or is starting with.
        generation: The number of that.
        warnings: What it said when it was ready.
        jwks: The public keys that it signs with, as JSON, or None.
        settled: Set while it is not starting.
        late: Called when it has answered to a reload that nobody waits for any more.
    """

    def __init__(
        self,
        number: int,
        command: Sequence[str],
        clock: Callable[[], float],
        counted: Callable[[Sequence[Row]], None],
    ) -> None:
        """Makes a worker that does not run.

        Args:
            number: From 1.
            command: What runs it; the descriptor of its end of the channel is appended.
            clock: Seconds that only grow.
            counted: Takes what its callers used.
        """
        self.number = number
        self.state = State.STARTING
        self.pid: int | None = None
        self.starts = 0
        self.failed: Failed | None = None
        self.cut = 0
        self.snapshot: Snapshot | None = None
        self.generation = 1
        self.warnings: Sequence[str] = ()
        self.jwks: str | None = None
        self.settled = asyncio.Event()
        self.wake = asyncio.Event()
        self.late: Callable[[], None] = _nothing
        self.backoff = Backoff(clock)
        self._command = command
        self._counted = counted
        self._process: asyncio.subprocess.Process | None = None
        self._channel: Channel | None = None
        self._serial = 0
        self._told_to_end = False
        self._told: tuple[Snapshot, int] | None = None
        self._answer: asyncio.Future[Message | None] | None = None
        self._suggestions: asyncio.Future[Sequence[str]] | None = None
        self._questions = Questions()

    async def run(self, start: Start) -> int:
        """Runs one process to its end; returns its exit status, negative for a signal's number."""
        self._become(State.STARTING)
        self.failed, self.snapshot, self.generation = None, start.config, start.generation
        self.starts += 1
        self.backoff.began()
        try:
            ours, theirs = socket.socketpair()
            with theirs:
                channel = self._channel = await Channel.over(ours)
                process = self._process = await self._spawn(theirs, start)
            self.pid = process.pid
            channel.send(start)
            if self._told_to_end:
                channel.send(Drain())
            while (message := await channel.receive()) is not None:
                self._hear(message)
            return await self._end(process)
        finally:
            self.kill()
            await self._gone()

    async def _spawn(self, channel: socket.socket, start: Start) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self._command,
            str(channel.fileno()),
            pass_fds=[channel.fileno(), *start.sockets, start.memory],
            stdin=asyncio.subprocess.DEVNULL,
            # Ctrl-C is for the supervisor, which lets the workers drain.
            start_new_session=True,
        )

    def _hear(self, message: Message) -> None:
        match message:
            case Ready(warnings=warnings, jwks=jwks):
                self.warnings, self.jwks = warnings, jwks
                if self.state is State.STARTING:
                    self._become(State.READY)
                if self.starts > 1:
                    log.info("worker %d serves again", self.number)
            case Failed():
                self.failed = message
            case Reloaded() | Refused():
                self._take(message)
            case Suggestions(lines=lines):
                if self._suggestions and not self._suggestions.done():
                    self._suggestions.set_result(lines)
            case Answered():
                self._questions.hear(message)
            case Counted(rows=rows):
                self._counted(rows)
            case Drained(cut=cut):
                self.cut = cut
            case _:
                raise AssertionError(message)

    def _take(self, answer: Reloaded | Refused) -> None:
        """Takes the answer to the only reload that it has not answered yet."""
        told, self._told = self._told, None
        assert told is not None
        assert answer.serial == self._serial
        if isinstance(answer, Reloaded):
            (self.snapshot, self.generation), self.jwks = told, answer.jwks
        if self._answer and not self._answer.done():
            self._answer.set_result(answer)
        else:
            self.late()

    async def _end(self, process: asyncio.subprocess.Process) -> int:
        """Waits for the end of a process that has nothing more to say."""
        ended = asyncio.ensure_future(process.wait())
        await asyncio.wait((ended,), timeout=_LAST_WORDS)
        if not ended.done():
            log.error("worker %d does not end: killed", self.number)
            process.kill()
        return await ended

    async def _gone(self) -> None:
        channel, self._channel, self._process, self.pid = self._channel, None, None, None
        self._told = None
        if not self._told_to_end:
            self._become(State.WAITING)
        if self._answer and not self._answer.done():
            self._answer.set_result(None)
        if self._suggestions and not self._suggestions.done():
            self._suggestions.set_result(())
        self._questions.end()
        if channel is not None:
            await channel.close()

    def _become(self, state: State) -> None:
        self.state = state
        if state is State.STARTING:
            self.settled.clear()
        else:
            self.settled.set()

    @property
    def owes(self) -> bool:
        """Whether it has yet to answer to a reload."""
        return self._told is not None

    async def reload(self, config: Snapshot, generation: int) -> Reloaded | Refused:
        """Has a ready worker replace what it serves; one at a time, and not while it `owes`.

        Args:
            config: What it is to serve.
            generation: The number of that.
        """
        assert self._channel is not None
        assert self._told is None
        self._serial += 1
        self._told = config, generation
        self._answer = asyncio.get_running_loop().create_future()
        self._channel.send(Reload(self._serial, config, generation))
        try:
            answer = await asyncio.wait_for(self._answer, _ANSWER)
        except TimeoutError:
            return Refused(self._serial, [f"it did not answer within {_ANSWER:g} seconds"])
        finally:
            self._answer = None
        if isinstance(answer, Reloaded | Refused):
            return answer
        return Refused(self._serial, ["it ended"])

    async def suggest(self, *, calls: bool) -> Sequence[str]:
        """Has a worker find calls to try; none if it ends meanwhile."""
        if self._channel is None:
            return ()
        self._suggestions = asyncio.get_running_loop().create_future()
        self._channel.send(Suggest(calls))
        return await self._suggestions

    async def ask(self, name: str, arguments: Mapping[str, str], seconds: float) -> Content | None:
        """Has a worker do an operation; None if it ends meanwhile.

        Args:
            name: The operation's.
            arguments: Its arguments.
            seconds: For the answer.

        Raises:
            OperationError: It refused, or did not answer in time.
        """
        if self._channel is None:
            return None
        return await self._questions.ask(self._channel, name, arguments, seconds)

    def drain(self) -> None:
        """Tells it to end in order; it is not started again."""
        self._told_to_end = True
        self._become(State.DRAINING)
        self.wake.set()
        if self._channel is not None:
            self._channel.send(Drain())

    def kill(self) -> None:
        """Ends its process at once."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    def reopen(self) -> None:
        """Has its logs go on in new files: the old ones were moved away."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGUSR1)


def _nothing() -> None:
    """Has nothing to do."""


def ending(status: int) -> str:
    """Returns an exit status in words: `exit code 1`, `SIGKILL`."""
    if status >= 0:
        return f"exit code {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
