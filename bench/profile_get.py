"""Where the time of a GET goes: the functions of a gateway under load, by samples of its stack.

    python bench/profile_get.py [--seconds 8] [--connections 32] [--top 30] [--case 'GET one']
                                [--native] [--save FILE]

py-spy reads the gateway's stack 500 times a second from outside while wrk asks; so a function that
is called often costs no more than it does without a profiler, which cProfile can't say of itself
(its hook runs at each call and makes many small functions look dear). Prints each function's own
share of the samples, what that is in microseconds of a request, and its share with all that it
called. Only samples of threads that do something count. Time in C belongs to the Python function
that called it, that of uvloop and of the sockets to `Runner.run`; `--native` shows functions of C
beside, where their names are in the libraries. `--save` keeps the folded stacks, for a flame graph.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from cases import CASES
from machine import machine
from peers import certificate, gateway
from processes import python
from wrk import Wrk, missing

RATE = 500  # samples a second
LOOP = "Runner.run (asyncio/runners.py"  # its own time is uvloop's: the loop, sockets, timers


def waits(frames: list[str]) -> bool:
    """Tells whether a stack is that of a thread pool's thread without work, which costs nothing."""
    pool = [each for each in frames if "(concurrent/futures/thread.py" in each]
    return bool(pool) and not any(each.startswith("_WorkItem.run ") for each in pool)


def folded(text: str) -> tuple[Counter[str], Counter[str], int]:
    """Counts folded stacks (`outer;inner;innermost 12` a line): own, with all called, and all."""
    own: Counter[str] = Counter()
    cumulative: Counter[str] = Counter()
    total = 0
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        if waits(frames):
            continue
        # What starts a program is in each stack and says nothing.
        start = next((at for at, each in enumerate(frames) if each.startswith(LOOP)), 0)
        frames = frames[start:]
        own[frames[-1]] += int(count)
        for each in set(frames):  # once, however deep it calls itself
            cumulative[each] += int(count)
        total += int(count)
    return own, cumulative, total


def show(title: str, counts: Counter[str], other: Counter[str], total: int, cost: float) -> None:
    """Prints the first functions of one order."""
    print(f"\n{title}\n{'own':>7}{'µs':>7}{'all':>7}{'µs':>7}  function")
    for name in counts:
        own, all_ = (each[name] / total for each in (other, counts))
        if "own" in title:
            own, all_ = all_, own
        print(f"{own:7.1%}{own * cost:7.1f}{all_:7.1%}{all_ * cost:7.1f}  {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--top", type=int, default=30)
    parser.add_argument("--case", default=CASES[0].name, choices=[each.name for each in CASES])
    parser.add_argument("--native", action="store_true", help="functions of C too")
    parser.add_argument("--save", type=Path, help="a file for the folded stacks")
    options = parser.parse_args()
    if missing():
        raise SystemExit("wrk is not installed: .ci/apt-install wrk 'it makes the load'")
    case = next(each for each in CASES if each.name == options.case)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        certificate(folder)
        backend = stack.enter_context(python("bench/backend.py"))
        peer = gateway(stack, folder, backend.address, tls=case.tls)
        url, process = peer.at(tls=case.tls)
        wrk = Wrk(folder)
        wrk.run(url + case.path, options.connections, 1, case.body)
        before = process.cpu()
        load = wrk.run(url + case.path, options.connections, 3, case.body)
        cost = (process.cpu() - before) / load.requests * 1e6
        stacks = options.save or folder / "stacks"
        command = [
            str(Path(sys.executable).with_name("py-spy")), "record", "--pid", str(process.pid),
            "--duration", str(options.seconds), "--rate", str(RATE), "--format", "raw",
            "--output", str(stacks), "--function", *(["--native"] if options.native else []),
        ]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as spy:
            wrk.run(url + case.path, options.connections, options.seconds + 1, case.body)
            said = spy.communicate(timeout=options.seconds + 30)[0].decode()
        if spy.returncode:
            raise SystemExit(
                f"py-spy:\n{said}\nit must be allowed to trace: root, or ptrace_scope 0"
            )
        own, cumulative, total = folded(stacks.read_text())
    print(f"{machine()}\n{case.name}, {options.connections} connections, {total} samples")
    print(f"without the profiler: {cost:.1f} µs of CPU a request")
    show("by own time", Counter(dict(own.most_common(options.top))), cumulative, total, cost)
    show("by all time", Counter(dict(cumulative.most_common(options.top))), own, total, cost)


if __name__ == "__main__":
    main()
