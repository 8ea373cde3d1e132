"""A worker process: serves on sockets that its supervisor bound, until it is told to end.

Run by the supervisor as `python -m gateway.cli.worker DESCRIPTOR`, with its end of a socket pair.
It ends by itself when the supervisor is gone. Signals are the supervisor's: those that a service
manager sends to all processes of a service are for it alone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Coroutine, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from types import FrameType

import uvloop

from gateway.app import Adopted, App
from gateway.cli import logs
from gateway.cli.building import MISTAKES, lines_of
from gateway.cli.failure import DEBUG, Exit, bug_lines
from gateway.cli.options import Level, LogForm
from gateway.cli.running import cancelled
from gateway.cli.serving import Alone, summary
from gateway.cli.terminal import progress
from gateway.config import ConfigError
from gateway.operations import NOT_ASKED_RIGHT, OperationError
from gateway.schema.progress import Progress
from gateway.state.usage.counts import Row
from gateway.supervisor.channel import Channel, TooLongError
from gateway.supervisor.messages import (
    Answered,
    Ask,
    Counted,
    Drained,
    Failed,
    Ready,
    Refused,
    Reload,
    Reloaded,
    Start,
    Suggest,
    Suggestions,
)

log = logging.getLogger("gateway")

_NOT_OURS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)


def main() -> int:
    """Runs a worker, and returns its exit code."""
    for number in _NOT_OURS:
        # A handler, as what is ignored would be ignored by the compiler of protos too.
        signal.signal(number, _leave_it)
    sock = socket.socket(fileno=int(sys.argv[1]))
    sock.set_inheritable(False)
    return uvloop.run(_run(sock))


def _leave_it(_: int, __: FrameType | None) -> None:
    """Does nothing."""


async def _run(sock: socket.socket) -> int:
    channel = await Channel.over(sock)
    try:
        start = await channel.receive()
        if not isinstance(start, Start):
            return 0  # the supervisor is gone already
        level, form = start.logs
        logs.configure(logs.Logs(Level(level), LogForm(form)), worker=start.worker)
        return await _serve(channel, start)
    finally:
        await channel.close()


async def _serve(channel: Channel, start: Start) -> int:
    try:
        serving = _Serving(channel, start)
    except ConfigError as mistake:
        channel.send(Failed(lines_of(mistake), Exit.MISTAKE))
        return Exit.MISTAKE
    return await serving.run()


class _Serving:
    """What a worker does once it knows what to serve."""

    def __init__(self, channel: Channel, start: Start) -> None:
        self._channel = channel
        self._start = start
        self._snapshot = start.config
        self._end = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._app = App(lambda: self._snapshot.load(), self._adopted())  # noqa: PLW0108  it changes

    def _adopted(self) -> Adopted:
        sockets = [socket.socket(fileno=each) for each in self._start.sockets]
        for sock in sockets:
            sock.set_inheritable(False)
        try:
            started = self._start.started.load()
        except ConfigError:  # a file is gone that only the supervisor's first config names
            started = self._start.config.load()
        meeting = Path(self._start.meeting)
        os.set_inheritable(self._start.memory, False)
        return Adopted(
            sockets,
            started.config,
            self._start.worker,
            meeting,
            self._start.memory,
            self._counted,
            self._start.generation,
        )

    async def _counted(self, rows: Sequence[Row]) -> None:
        await self._channel.send_in_turn(Counted(rows))

    async def run(self) -> int:
        """Serves until it is told to end; returns the exit code."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._app.reopen)
        listening = asyncio.ensure_future(self._listen())
        ended = asyncio.ensure_future(self._end.wait())
        starting = asyncio.ensure_future(self._begin())
        try:
            await asyncio.wait((ended, starting), return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                await cancelled(starting)
            elif failed := starting.result():
                self._channel.send(failed)
                return failed.code
            else:
                self._channel.send(Ready(self._app.current.warnings, self._app.current.jwks))
                await ended
            for task in list(self._tasks):
                await cancelled(task)
            self._channel.send(Drained(await self._app.stop()))
        finally:
            ended.cancel()
            await cancelled(listening)
        return 0

    async def _begin(self) -> Failed | None:
        try:
            with progress() if self._start.shows_progress else nullcontext(_silent) as tell:
                await self._app.start(tell)
            for each in self._start.taps:  # before anything is answered: nothing was read yet
                with suppress(OperationError):  # those of a config that kept them
                    await self._app.operate("tap", each)
        except MISTAKES as mistake:
            return Failed(lines_of(mistake), Exit.MISTAKE)
        except Exception as bug:
            if os.environ.get(DEBUG):
                log.exception("a bug at the start")
            return Failed(bug_lines(bug), Exit.FAILED)
        return None

    async def _listen(self) -> None:
        """Does what the supervisor says, until it says to end or is gone."""
        try:
            while (message := await self._channel.receive()) is not None:
                match message:
                    case Reload():
                        self._spawn(self._reload(message))
                    case Suggest(calls=calls):
                        self._spawn(self._suggest(calls=calls))
                    case Ask():
                        self._spawn(self._answer(message))
                    case _:  # Drain
                        self._end.set()
            if not self._end.is_set():
                log.error("the supervisor is gone: draining")
        finally:
            self._end.set()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reload(self, message: Reload) -> None:
        before, self._snapshot = self._snapshot, message.config
        try:
            reloaded = await self._app.reload(message.generation)
        except MISTAKES as mistake:
            self._snapshot = before
            self._channel.send(Refused(message.serial, lines_of(mistake)))
        except Exception as bug:
            self._snapshot = before
            log.exception("a bug in a reload")
            self._channel.send(Refused(message.serial, bug_lines(bug)))
        else:
            current = self._app.current
            said = Reloaded(
                message.serial,
                summary(current),
                current.warnings,
                reloaded.later,
                reloaded.opened,
                reloaded.changed,
                current.jwks,
            )
            self._channel.send(said)

    async def _suggest(self, *, calls: bool) -> None:
        lines: Sequence[str] = ()
        try:
            lines = await Alone(self._app).suggest(calls=calls)
        except Exception:
            log.exception("a bug in what is only said at the start; the gateway goes on")
        self._channel.send(Suggestions(lines))

    async def _answer(self, ask: Ask) -> None:
        try:
            answered = Answered(ask.serial, await self._app.operate(ask.name, ask.arguments))
            self._channel.send(answered)
        except OperationError as error:
            self._channel.send(Answered(ask.serial, {}, error.reason, error.message))
        except TooLongError:
            text = "There is too much of it for one answer: ask for less at a time."
            self._channel.send(Answered(ask.serial, {}, NOT_ASKED_RIGHT, text))


def _silent(_: Progress) -> None:
    """Tells nobody."""


if __name__ == "__main__":
    sys.exit(main())
