"""Processes under test: started, watched and ended; nothing is ended that was not started here."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class Process:
    """A running process, and what it printed until it was ready."""

    pid: int
    lines: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """The `host:port` that its last line ends with."""
        return self.lines[-1].split()[-1].rpartition("/")[2]

    def family(self) -> list[int]:
        """Lists the process and all that it started."""
        found = [self.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        return found

    def cpu(self) -> float:
        """Returns the seconds of CPU, user and system, of all threads and children, ever."""
        return sum(_cpu(pid) for pid in self.family())

    def rss(self) -> int:
        """Returns the bytes of resident memory, those of children too."""
        return sum(
            int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE for pid in self.family()
        )


def _cpu(pid: int) -> float:
    # proc(5): utime, stime, and those of children that have ended and were waited for.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICK


@contextmanager
def python(*arguments: str, ready: str = "listening") -> Iterator[Process]:
    """Runs a Python program of this repository until the block ends."""
    with started([sys.executable, *arguments], ready) as process:
        yield process


@contextmanager
def started(command: Sequence[str], ready: str | None, **environ: str) -> Iterator[Process]:
    """Runs a program until the block ends, and waits until it prints a line that starts so.

    Where the block fails, what the program wrote to standard error is shown.

    Raises:
        SystemExit: It ended before it was ready.
    """
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environ}
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, text=True, env=environ, cwd=ROOT
        ) as popen,
    ):
        process = Process(popen.pid)
        try:
            if ready is not None:
                _await(popen, process, ready)
            yield process
        except BaseException:
            said.seek(0)
            sys.stderr.write(said.read()[-4000:])
            raise
        finally:
            popen.terminate()
            try:
                popen.wait(5)
            except subprocess.TimeoutExpired:
                popen.kill()


def _await(popen: subprocess.Popen, process: Process, ready: str) -> None:
    for line in popen.stdout:
        process.lines.append(line.strip())
        if line.startswith(ready):
            return
    raise SystemExit(f"{popen.args} did not start")


def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Waits until something holds.

    Raises:
        SystemExit: It does not within so many seconds.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)
