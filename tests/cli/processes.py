"""The command as its users run it: in a process of its own, or in the test's, which is quicker."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from gateway.cli import application

COMMAND = [sys.executable, "-m", "gateway"]
ANY_PORT = ["--set", "listener.address=127.0.0.1:0", "--set", "admin.address=127.0.0.1:0"]
LISTENING = "listening on "


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return self.err.splitlines()


def invoke(*arguments: str | Path, cwd: Path) -> Ran:
    """Runs the command to its end in this process."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(cwd),
        redirect_stdout(out),
        redirect_stderr(err),
        mock.patch.object(sys, "argv", ["gateway", *map(str, arguments)]),
        mock.patch.dict(os.environ),
    ):
        try:
            application.run()
        except SystemExit as ended:
            code = ended.code
    assert isinstance(code, int)
    return Ran(code, out.getvalue(), err.getvalue())


def run(*arguments: str | Path, cwd: Path, stdin: str | None = None) -> Ran:
    """Runs the command to its end in a process of its own."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def curl(line: str, *, seconds: float = 20) -> tuple[int, str]:
    """Runs a printed line in a shell, as a person does; returns curl's status and the body.

    A reply of 400 or more makes the status 22.
    """
    done = subprocess.run(
        ["bash", "-c", line.replace("curl ", "curl -sS --fail ", 1)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    return done.returncode, done.stdout or done.stderr


@dataclass
class Serving:
    """A gateway that runs."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def read_line(self) -> str:
        """Waits for a line of standard output."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the gateway ended: {self.errors()}"
        self.lines.append(line.rstrip("\n"))
        return self.lines[-1]

    def read_until(self, beginning: str) -> str:
        """Waits for a line that begins so; returns the rest of it."""
        while not (line := self.read_line()).startswith(beginning):
            pass
        return line.removeprefix(beginning)

    def read_error(self, containing: str) -> str:
        """Waits for a line of standard error."""
        assert self.process.stderr is not None
        while containing not in (line := self.process.stderr.readline()):
            assert line, "the gateway ended"
        return line.rstrip("\n")

    def errors(self) -> str:
        """Waits for the end, and returns the rest of standard error."""
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        return self.process.wait(20)

    def end(self) -> None:
        """Ends it as an operator does, if it has not ended."""
        if self.process.poll() is None:
            self.process.terminate()
            self.wait()


@contextmanager
def gateway(*arguments: str | Path, cwd: Path) -> Iterator[Serving]:
    """Runs a command that serves, until the block ends."""
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    ) as process:
        try:
            yield Serving(process)
        finally:
            if process.poll() is None:
                process.kill()


def printed_calls(serving: Serving, count: int = 3) -> list[str]:
    """Waits for the curl lines that are printed after the addresses."""
    calls: list[str] = []
    while len(calls) < count:
        if (line := serving.read_line().strip()).startswith("curl "):
            calls.append(line)
    return calls
