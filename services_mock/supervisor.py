"""Runs replicas as child processes, so that one can crash and the others live.

The parent compiles the protos and forks; it never touches grpc itself, which does not survive a
fork. Children die with their parent, even when it is killed: they watch a pipe that only it holds.
"""

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

from services_mock.contract import contract
from services_mock.replica import ListenError, Options, serving

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_KILL_AFTER = 3  # seconds from the first SIGTERM until children that still run are killed
_ORPHANED = 75  # a child's exit status when its parent is gone


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the command's output


def _end_with(lifeline: int) -> None:
    """Ends the process if nobody holds the lifeline any more; what comes along it says nothing."""
    if not os.read(lifeline, 4096):
        os._exit(_ORPHANED)


async def _serve(
    options: Options, port: int, index: int, report: int, lifelines: list[int]
) -> None:
    """Serves until SIGTERM or SIGINT; exits at once when a lifeline ends."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    for lifeline in lifelines:
        loop.add_reader(lifeline, _end_with, lifeline)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    async with serving(options, port, index) as served:
        os.write(report, f"{served}\n".encode())
        os.close(report)
        await stop.wait()


def _child(options: Options, port: int, index: int, report: int, lifelines: list[int]) -> NoReturn:
    """Is a replica, in a process that was just forked."""
    status = 1
    try:
        asyncio.run(_serve(options, port, index, report, lifelines))
        status = 0
    except ListenError as error:
        sys.stderr.write(f"services_mock: {error}\n")
    except BaseException:  # noqa: BLE001 - the process ends here, and nobody else would tell
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)  # what the parent registered to happen at exit is the parent's


@dataclass(slots=True)
class Supervisor:
    """The parent of the replicas.

    `options` has one entry a replica. `ports` are the ports to serve on, 0 for a free one; they
    become the ports that were given. With `restart`, a replica that ends is started again on its
    port. With `end_with_stdin`, everything ends when stdin does.
    """

    options: Sequence[Options]
    ports: list[int]
    restart: bool = False
    end_with_stdin: bool = False
    _running: dict[int, int] = field(default_factory=dict)  # index by pid
    _stopping: bool = False
    _lifeline: tuple[int, int] = field(default_factory=os.pipe)

    def _start(self, index: int) -> int:
        """Forks a replica; gives the pipe on which it reports its port."""
        report, to_report = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if pid == 0:
            os.close(report)
            os.close(self._lifeline[1])
            lifelines = [self._lifeline[0], *([0] if self.end_with_stdin else [])]
            _child(self.options[index], self.ports[index], index, to_report, lifelines)
        self._running[pid] = index
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(to_report)
        if self._stopping:
            self._stop()  # the signal came too early for this replica
        return report

    def _await_port(self, index: int, report: int) -> bool:
        """Waits until a replica serves; says whether it does."""
        with os.fdopen(report) as pipe:
            text = pipe.readline().strip()
        if not text:
            return False
        self.ports[index] = int(text)
        refuses = self.options[index].faults.refuse
        _say(f"{'refusing' if refuses else 'serving'} on {self.options[index].host}:{text}")
        return True

    def _stop(self, number: int = signal.SIGTERM, _frame: object = None) -> None:
        self._stopping = True
        for pid in self._running:
            with suppress(ProcessLookupError):  # ended, and this signal came before it was noted
                os.kill(pid, signal.SIGTERM if number in _SIGNALS else signal.SIGKILL)
        signal.alarm(_KILL_AFTER)

    def run(self) -> int:
        """Serves until told to stop, or until no replica is left; gives the exit status."""
        contract()  # compiled once, here: the children inherit it
        for number in (*_SIGNALS, signal.SIGALRM):
            signal.signal(number, self._stop)
        reports = [self._start(index) for index in range(len(self.options))]
        served = [self._await_port(index, report) for index, report in enumerate(reports)]
        if all(served):
            _say("pids " + " ".join(map(str, self._running)))
            _say("ready")
        else:
            self._stop()
        status = 0 if all(served) else 1
        while self._running:
            pid, code = os.wait()
            index = self._running.pop(pid)
            ended = os.waitstatus_to_exitcode(code)
            if self._stopping:
                continue
            if ended == _ORPHANED:
                self._stop()
            elif self.restart:
                if not self._await_port(index, self._start(index)):
                    status = 1
            else:
                status = 1
        return status
