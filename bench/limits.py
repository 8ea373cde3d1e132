"""CPU time of a decision about limits, in memory and in Redis, and the memory of a million keys.

    python bench/limits.py

Prints the microseconds of CPU of a decision, the median of 5 rounds of 100,000, that
allow each call:

    same              one key again and again
    different         100,000 keys, one after the other; after the first round all are known
    shared            the same in a table that processes share, under its mutexes

of each algorithm; of a key that is refused; and of two and three asks of a call. Then a million
keys, each of which is asked for once, in a table for as many: what the process has grown by, what
was forgotten, and the longest decision, by the clock, which counts what else the machine did, and
by CPU time; then as many again, for many of which one is forgotten. Then, where there is a
redis-server, decisions that are made by it, alone and 64 at a time: the CPU of this process and
that of Redis.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import uvloop
from machine import machine
from processes import Process, started

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gateway.policies.limits.ask import Algorithm, Ask, Numbers  # noqa: E402
from gateway.policies.limits.memory import MemoryLimiter  # noqa: E402
from gateway.policies.limits.redis import RedisLimiter  # noqa: E402
from gateway.state.redis import Redis  # noqa: E402
from gateway.state.table import Table, size  # noqa: E402

KEYS = 1_000_000
REPEAT, ROUNDS = 100_000, 5
IN_REDIS = 6_400
PLENTY = 1_000_000_000
MIB = 2**20


def ask(key: str, algorithm: Algorithm, limit: int = PLENTY, period: float = 3600.0) -> Ask:
    ends = time.time() + 86400.0 if algorithm is Algorithm.CALENDAR else 0.0
    return Ask(
        f"limits/{algorithm.value}/{key}", Numbers(algorithm, limit, period, limit), 1, 0.0, ends
    )


def cost(limiter: MemoryLimiter, calls: Sequence[Sequence[Ask]]) -> float:
    """Returns the median CPU microseconds of a decision."""
    decide, times = limiter.decide, []
    for asks in calls:
        decide(asks)
    for _ in range(ROUNDS):
        gc.collect()
        began = time.process_time()
        for asks in calls:
            decide(asks)
        times.append((time.process_time() - began) / len(calls) * 1e6)
    return statistics.median(times)


def times() -> None:
    with tempfile.TemporaryFile() as file:
        own, shared = Table.private(KEYS), Table.share(KEYS, file.fileno())
        limiters = [MemoryLimiter(own), MemoryLimiter(shared)]
        heads = ("same", "different", "shared: same", "different")
        print("{:18}{:>10}{:>11}{:>16}{:>11}".format("µs a decision", *heads))
        for algorithm in Algorithm:
            same = [(ask("one", algorithm),)] * REPEAT
            different = [(ask(f"user-{number}", algorithm),) for number in range(REPEAT)]
            row(
                algorithm.value,
                [cost(each, calls) for each in limiters for calls in (same, different)],
            )
        bucket = Algorithm.TOKEN_BUCKET
        refused = [(ask("refused", bucket, limit=1, period=1e6),)] * REPEAT
        row("refused", [cost(each, refused) for each in limiters], every=2)
        for count in (2, 3):
            names = [f"limit {number}" for number in range(count)]
            together = [tuple(ask(name, bucket) for name in names)] * REPEAT
            row(f"{count} asks", [cost(each, together) for each in limiters], every=2)
        own.close()
        shared.close()


def row(name: str, figures: Sequence[float], every: int = 1) -> None:
    """Prints figures in every column, or in every second."""
    columns = [""] * 4
    columns[::every] = [f"{figure:.2f}" for figure in figures]
    first, second, third, fourth = columns
    print(f"{name:18}{first:>10}{second:>11}{third:>16}{fourth:>11}".rstrip())


def resident() -> int:
    line = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line
    )
    return int(line.split()[1]) * 1024


def memory() -> None:
    print(f"\n{KEYS:,} keys in a table for as many: {size(KEYS) / MIB:.1f} MiB of address space")
    heads = ("MiB resident", "bytes a key", "forgotten", "longest ms", "of CPU")
    print("{:18}{:>14}{:>13}{:>11}{:>13}{:>9}".format("", *heads))
    for algorithm in (Algorithm.TOKEN_BUCKET, Algorithm.SLIDING_WINDOW):
        gc.collect()
        table, before = Table.private(KEYS), resident()
        limiter = MemoryLimiter(table)
        for name, first in ((algorithm.value, 0), ("  as many again", KEYS)):
            forgotten = table.evicted
            longest, of_cpu = longest_decision(limiter, algorithm, first)
            grown, forgotten = resident() - before, table.evicted - forgotten
            print(
                f"{name:18}{grown / MIB:14.1f}{grown / KEYS:13.1f}{forgotten / KEYS:11.2%}"
                f"{longest * 1e3:13.3f}{of_cpu * 1e3:9.3f}"
            )
        table.close()


def longest_decision(
    limiter: MemoryLimiter, algorithm: Algorithm, first: int
) -> tuple[float, float]:
    """Returns the seconds of the longest decision about a million new keys, and those of CPU."""
    template = ask("", algorithm, limit=10)
    longest, longest_cpu = 0.0, 0.0
    for number in range(first, first + KEYS):
        asks = (template._replace(key=f"limits/user-{number}"),)
        began, began_cpu = time.perf_counter(), time.thread_time()
        limiter.decide(asks)
        longest_cpu = max(longest_cpu, time.thread_time() - began_cpu)
        longest = max(longest, time.perf_counter() - began)
    return longest, longest_cpu


def in_redis() -> None:
    program = shutil.which("redis-server")
    if program is None:
        print("\ndecisions by Redis are left out: there is no redis-server here")
        return
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir",
                   folder]  # fmt: skip
        server = stack.enter_context(started(command, None))
        uvloop.run(decisions(f"redis://127.0.0.1:{port}/0", server))


async def decisions(url: str, server: Process) -> None:
    """Prints the CPU microseconds of decisions by Redis."""
    redis, own = Redis(url, 1.0), Table.private(KEYS)
    await redis.open()
    while not redis.available:  # noqa: ASYNC110  it has just been started, and tells nobody
        await asyncio.sleep(0.05)
    limiter = RedisLimiter(redis, MemoryLimiter(own))
    print("\n{:18}{:>10}{:>10}".format("µs a decision", "gateway", "Redis"))
    bucket = Algorithm.TOKEN_BUCKET
    for name, count, at_once in (
        ("alone", 1, 1),
        ("64 at once", 1, 64),
        ("3 asks, 64 at once", 3, 64),
    ):
        asks = tuple(ask(f"limit {number}", bucket) for number in range(count))
        here, there = [], []
        for _ in range(ROUNDS):
            began, before = time.process_time(), server.cpu()
            for _ in range(IN_REDIS // at_once):
                await asyncio.gather(*(limiter.decide(asks) for _ in range(at_once)))
            here.append((time.process_time() - began) / IN_REDIS * 1e6)
            there.append((server.cpu() - before) / IN_REDIS * 1e6)
        print(f"{name:18}{statistics.median(here):10.1f}{statistics.median(there):10.1f}")
    await redis.close()
    own.close()


def main() -> None:
    print(machine())
    logging.getLogger("gateway.state").setLevel(logging.ERROR)
    times()
    memory()
    in_redis()


if __name__ == "__main__":
    main()
