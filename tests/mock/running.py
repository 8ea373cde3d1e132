"""A gateway with `serve --mock`, as a process: what it says on standard error is kept in a file."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PATIENCE = 20


@dataclass(frozen=True)
class Mock:
    """A running one."""

    url: str
    admin: str
    process: subprocess.Popen[str]
    errors: Path

    def said(self) -> list[str]:
        """What it has said on standard error."""
        return self.errors.read_text().splitlines()

    async def until(self, text: str) -> None:
        """Waits until it has said something."""
        async with asyncio.timeout(PATIENCE):
            while not any(text in line for line in self.said()):
                await asyncio.sleep(0.01)


def _command(folder: Path, config: dict | None, *options: str) -> list[str]:
    command = [sys.executable, "-m", "gateway", "serve", *options]
    if config is None:
        return [
            *command,
            "--set",
            "listener.address=127.0.0.1:0",
            "--set",
            "admin.address=127.0.0.1:0",
        ]
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(config))
    return [*command, "--config", str(path)]


@contextmanager
def mocked(folder: Path, config: dict | None, *options: str) -> Iterator[Mock]:
    """A gateway whose answers are made up, until the block ends."""
    errors = folder / "errors"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = _command(folder, config, "--mock", *options)
    with (
        errors.open("w") as file,
        subprocess.Popen(
            command, text=True, env=environ, stdout=subprocess.PIPE, stderr=file
        ) as process,
    ):
        try:
            admin = ""
            for line in process.stdout:
                if found := re.match(r"admin on (.+)", line):
                    admin = found[1]
                if found := re.match(r"listening on (.+)", line):
                    yield Mock(found[1], admin, process, errors)
                    break
            else:
                raise AssertionError(errors.read_text())
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def refused(folder: Path, config: dict, *options: str) -> str:
    """What a gateway says that does not start."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "300"}
    command = _command(folder, config, *options)
    done = subprocess.run(
        command, check=False, text=True, env=environ, capture_output=True, timeout=60
    )
    assert done.returncode == 2, done.stderr
    return done.stderr
