"""A gateway before the example backends, each a process of its own, as users run them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import aiohttp
import grpc.aio
import yaml

from services_mock.calls import Counts
from services_mock.testing import calls, calls_reach

ROOT = Path(__file__).parents[2]
FAULTS = [
    f"x-fault-{name}" for name in ("delay", "code", "after", "hang", "crash", "refuse", "percent")
]


@dataclass(frozen=True)
class Gateway:
    """A running gateway: where clients and operators find it, and its process."""

    url: str
    process: subprocess.Popen[str]
    admin: str = ""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid


def shop_config(addresses: list[str], **sections) -> dict:
    """A config that serves the whole shop, and lets clients order faults."""
    return {
        "listener": {"address": "127.0.0.1:0"},
        "admin": {"address": "127.0.0.1:0"},
        "schema": {"protos": [str(ROOT / "protos")]},
        "upstreams": {"shop": {"services": ["shop.*"], "endpoints": addresses}},
        "headers": {
            "request": {"allow": ["x-request-id", "accept-language", *FAULTS]},
            "response": {"allow": []},
        },
        **sections,
    }


@contextmanager
def gateway(
    folder: Path, config: dict, *, module: str = "gateway", errors: IO[str] | None = None
) -> Iterator[Gateway]:
    """A gateway with a config, until the block ends.

    Args:
        folder: Where its config is written.
        config: The config.
        module: What is run.
        errors: Where its standard error goes, if not to the test's.
    """
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", module, "serve", "--config", str(path)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": errors}
    with subprocess.Popen(command, text=True, env=environ, **pipes) as process:
        try:
            admin = ""
            for line in process.stdout:
                if found := re.match(r"admin on (.+)", line):
                    admin = found[1]
                if found := re.match(r"listening on (.+)", line):
                    yield Gateway(found[1], process, admin)
                    break
            else:
                raise AssertionError("the gateway ended before it listened")
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


async def error_of(response: aiohttp.ClientResponse) -> dict:
    """The error in a reply, having checked its form (AIP-193)."""
    assert response.content_type == "application/json"
    body = json.loads(await response.read())
    assert set(body) == {"error"}
    assert body["error"]["code"] == response.status
    assert set(body["error"]) <= {"code", "status", "message", "details"}
    return body["error"]


def reason_of(error: dict) -> str | None:
    """The stable reason of an error of the gateway's own."""
    for detail in error.get("details", ()):
        if detail["@type"].endswith("google.rpc.ErrorInfo") and detail["domain"] == "gateway":
            return detail["reason"]
    return None


class Backend:
    """What the example backend says became of the calls of its methods."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def counts(self, method: str) -> Counts:
        """The counts of a method now."""
        return (await calls(self._channel)).get(method, Counts())

    async def until_started(self, method: str, before: Counts) -> None:
        """Waits until one call more than before has started."""
        await calls_reach(self._channel, method, lambda now: now.started > before.started)

    async def until_gone(self, method: str, before: Counts) -> None:
        """Waits until one call more than before has ended."""
        await calls_reach(self._channel, method, lambda now: now.ended > before.ended)


def resident(pid: int) -> int:
    """Bytes of memory that a process has resident."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) * 1024
