"""wrk, and what it says: https://github.com/wg/wrk."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Prints what was counted as JSON, and sends a body where there is one.
_SCRIPT = """
%s
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\\n{"requests": %%d, "microseconds": %%d, "bytes": %%d, "p50": %%d, "p99": %%d, ' ..
    '"connect": %%d, "read": %%d, "write": %%d, "status": %%d, "timeout": %%d}\\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50),
    latency:percentile(99), errors.connect, errors.read, errors.write, errors.status,
    errors.timeout))
end
"""
_POST = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open(%s, "rb")
wrk.body = file:read("*a")
file:close()
"""
_NEW_BODIES = """
local number = 0
local front, back = wrk.body:match("^(.-)%s(.*)$")
function request()
  number = number + 1
  return wrk.format(nil, nil, nil, front .. string.format("%%0%dd", number) .. back)
end
"""
_NEW_IDS = """
local number = 0
local path
function init()
  path = wrk.path
end
function request()
  number = number + 1
  return wrk.format(nil, path .. "p" .. os.time() .. "-" .. number)
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk counted.

    Attributes:
        requests: How many were answered.
        seconds: In how long.
        bytes: How much was received, header fields included.
        p50: Half of the answers came within so many microseconds.
        p99: And all but a hundredth within these.
    """

    requests: int
    seconds: float
    bytes: int
    p50: float
    p99: float


def version() -> str:
    """Returns wrk's own name and version."""
    said = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout
    return said.partition(" [")[0]


def missing() -> bool:
    """Tells whether wrk is not installed."""
    return shutil.which("wrk") is None


class Wrk:
    """Runs wrk with scripts that it keeps in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(
        self,
        url: str,
        connections: int,
        seconds: int,
        body: bytes = b"",
        *,
        new_ids: bool = False,
        mark: str = "",
        known: str = "",
    ) -> Load:
        """Asks for one URL over and over on so many keep-alive connections.

        With `new_ids`, each request has one more segment in its path, which was never there before.
        With `mark`, letters and digits of the body, each has another number of as many digits in
        their place; the numbers of the next run start at 1 again. With `known`, the client says
        that it has what this entity tag is of.

        Raises:
            SystemExit: An answer was not 2xx, or a connection broke, or nothing came.
        """
        script = self._folder / ("post.lua" if body else "get.lua")
        if body:
            (self._folder / "body").write_bytes(body)
        post = _POST % json.dumps(str(self._folder / "body")) if body else ""
        post += f"wrk.headers['If-None-Match'] = {json.dumps(known)}\n" if known else ""
        post += _NEW_BODIES % (mark, len(mark)) if mark else ""
        script.write_text(_SCRIPT % (_NEW_IDS if new_ids else post))
        command = [
            "wrk", "--threads", "1", "--connections", str(connections),
            "--duration", f"{seconds}s", "--timeout", "10s", "--script", str(script), url,
        ]  # fmt: skip
        ran = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds + 60
        )
        if ran.returncode:
            raise SystemExit(f"{' '.join(command)}:\n{ran.stdout}{ran.stderr}")
        said = json.loads(ran.stdout.strip().rpartition("\n")[2])
        wrong = {
            name: said[name]
            for name in ("connect", "read", "write", "status", "timeout")
            if said[name]
        }
        if wrong or not said["bytes"]:
            raise SystemExit(f"{url}, {connections} connections: errors {wrong}\n{ran.stdout}")
        seconds_taken = said["microseconds"] / 1e6
        return Load(said["requests"], seconds_taken, said["bytes"], said["p50"], said["p99"])
