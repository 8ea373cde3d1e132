"""A gateway and the example backends, each a process of its own, as users run them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import grpc.aio
import yaml
from google.protobuf import empty_pb2, struct_pb2

ROOT = Path(__file__).parents[2]
FAULTS = [
    f"x-fault-{name}" for name in ("delay", "code", "after", "hang", "crash", "refuse", "percent")
]


@dataclass(frozen=True)
class Process:
    """A running process and what it printed while it started."""

    popen: subprocess.Popen
    lines: list[str]

    @property
    def pid(self) -> int:
        return self.popen.pid


@contextmanager
def running(arguments: list[str], ready: str, cwd: Path = ROOT) -> Iterator[Process]:
    """Runs a command until the block ends; waits for a line that matches `ready`."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", *arguments], stdout=subprocess.PIPE, text=True, cwd=cwd, env=environ
    ) as popen:
        try:
            lines = []
            for line in popen.stdout:
                lines.append(line.rstrip())
                if re.search(ready, line):
                    break
            else:
                raise AssertionError(f"{arguments} ended before it was ready: {lines}")
            yield Process(popen, lines)
        finally:
            if popen.poll() is None:
                popen.send_signal(signal.SIGTERM)
            popen.stdout.read()
            popen.wait(timeout=30)


@contextmanager
def backends(*flags: str) -> Iterator[list[str]]:
    """The example backends; gives their addresses."""
    with running(["services_mock", "--port", "0", *flags], r"^ready$") as process:
        yield [line.split()[-1] for line in process.lines if line.startswith("serving on")]


@dataclass(frozen=True)
class Gateway:
    """A running gateway."""

    url: str
    admin: str
    pid: int
    config: Path

    def rewrite(self, change: Callable[[dict], None]) -> None:
        """Changes the config file."""
        data = yaml.safe_load(self.config.read_text())
        change(data)
        self.config.write_text(yaml.safe_dump(data))


def shop_config(addresses: list[str], **sections) -> dict:
    """A config that serves the whole shop."""
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
def gateway(folder: Path, config: dict) -> Iterator[Gateway]:
    """A gateway with a config."""
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(config))
    with running(["gateway", "serve", "--config", str(path)], r"^listening on") as process:
        urls = dict(line.split(" on ") for line in process.lines if " on http" in line)
        yield Gateway(urls["listening"], urls["admin"], process.pid, path)


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


class Counts:
    """What the example backend says became of the calls of its methods."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address)

    async def until_gone(self, method: str, before: dict) -> None:
        """Waits until one call more than before was cancelled.

        One that was cancelled while it wrote counts as failed: grpcio tells it so.
        """
        await self.until(
            method, ("cancelled", "failed"), before["cancelled"] + before["failed"] + 1
        )

    async def until(self, method: str, kinds: tuple[str, ...], number: int) -> None:
        """Waits until the sum of some counts has reached a number."""
        watch = self._channel.unary_stream(
            "/services_mock.Calls/Watch",
            request_serializer=empty_pb2.Empty.SerializeToString,
            response_deserializer=struct_pb2.Struct.FromString,
        )
        async for counts in watch(empty_pb2.Empty()):
            if method in counts and sum(counts[method][kind] for kind in kinds) >= number:
                return

    async def of(self, method: str) -> dict:
        """The counts of a method now."""
        get = self._channel.unary_unary(
            "/services_mock.Calls/Get",
            request_serializer=empty_pb2.Empty.SerializeToString,
            response_deserializer=struct_pb2.Struct.FromString,
        )
        counts = await get(empty_pb2.Empty())
        if method not in counts:
            return dict.fromkeys(["started", "completed", "failed", "cancelled"], 0)
        return {name: int(number) for name, number in counts[method].items()}

    async def close(self) -> None:
        await self._channel.close()


def resident(pid: int) -> int:
    """Bytes of memory that a process has resident."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) * 1024
