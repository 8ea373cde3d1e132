"""Load while a backend is killed and started again every few seconds: nothing may crash or hang.

    python bench/restarts.py [--seconds 60] [--every 4] [--connections 32] [--transport native]

Two replicas of the example backends stand behind a gateway. While wrk asks for products, one of
them is ended with SIGKILL every few seconds, in turns, and started again on its port. A call that
the dead replica had fails with 503, no other may; every request is answered within wrk's five
seconds; the gateway's memory stays where it is. Prints what was answered and the memory, and ends
with 1 if one of these does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from machine import machine
from processes import ROOT, Process, python
from wrk import missing

_SCRIPT = """
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() counts = "" ; seen = {} end
function response(status) seen[status] = (seen[status] or 0) + 1; said = seen end
function done(summary)
  local all = {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("seen")) do all[status] = (all[status] or 0) + count end
  end
  local parts = {}
  for status, count in pairs(all) do
    table.insert(parts, string.format('"%d": %d', status, count))
  end
  local errors = summary.errors
  io.write(string.format('\\n{"statuses": {%s}, "timeout": %d, "broken": %d}\\n',
    table.concat(parts, ", "), errors.timeout, errors.connect + errors.read + errors.write))
end
"""
_GROWTH = 1.15  # of resident memory, from after the warm-up to the end


@contextmanager
def loaded(url: str, folder: Path, seconds: int, connections: int) -> Iterator[subprocess.Popen]:
    """Runs wrk; it ends by itself."""
    script = folder / "statuses.lua"
    script.write_text(_SCRIPT)
    command = [
        "wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s",
        "--timeout", "5s", "--script", str(script), url,
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process


def replicas(backends: Process) -> list[int]:
    """Lists the processes that serve: the children of the one that keeps them."""
    return [pid for pid in backends.family() if pid != backends.pid and _serves(pid)]


def _serves(pid: int) -> bool:
    try:
        return b"services_mock" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


def kill_in_turns(backends: Process, gateway: Process, load: subprocess.Popen, every: float) -> int:
    """Kills a replica again and again while the load lasts; returns how often."""
    killed: list[int] = []
    while load.poll() is None:
        time.sleep(every)
        running = sorted(replicas(backends))
        victims = [pid for pid in running if pid not in killed] or running
        if load.poll() is not None or not victims:
            break
        victim = victims[0]
        os.kill(victim, signal.SIGKILL)
        killed.append(victim)
        print(f"  replica {victim} killed; the gateway holds {gateway.rss() / 2**20:.1f} MiB")
    return len(killed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two kills")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--transport", default="native", choices=("native", "grpcio"))
    options = parser.parse_args()
    if missing():
        raise SystemExit("wrk is not installed")
    print(machine())
    serve = ("-m", "services_mock", "--port", "0", "--replicas", "2", "--restart")
    with tempfile.TemporaryDirectory() as name, python(*serve, ready="ready") as backends:
        folder = Path(name)
        addresses = [line.split()[-1] for line in backends.lines if line.startswith("serving")]
        config = folder / "gateway.yaml"
        config.write_text(
            "listener: {address: 127.0.0.1:0}\nadmin: false\n"
            f"schema: {{protos: [{ROOT / 'protos'}]}}\n"
            f"upstreams: {{shop: {{services: ['shop.*'], endpoints: {json.dumps(addresses)}, "
            f"transport: {options.transport}}}}}\n"
        )
        with python("-m", "gateway", "serve", "--config", str(config)) as gateway:
            url = f"http://{gateway.address}/v1/products/p1"
            with loaded(url, folder, 3, options.connections):
                pass
            before = gateway.rss()
            with loaded(url, folder, options.seconds, options.connections) as load:
                kills = kill_in_turns(backends, gateway, load, options.every)
                said = json.loads(load.communicate()[0].strip().rpartition("\n")[2])
            after = gateway.rss()
    print(f"{kills} kills; answered {said['statuses']}; no answer within 5 s: {said['timeout']}")
    print(f"connections broken: {said['broken']}", end="; ")
    print(f"memory {before / 2**20:.1f} to {after / 2**20:.1f} MiB")
    good = (
        set(said["statuses"]) <= {"200", "503"}
        and not said["timeout"]
        and not said["broken"]
        and after < before * _GROWTH
        and kills
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
