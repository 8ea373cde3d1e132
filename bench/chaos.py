"""Random faults under load, for two minutes: what clients saw of them, and what is left afterwards.

    python bench/chaos.py [--seconds 120] [--seed 1] [--transport native] [--clients 2]

Five replicas of the example backends stand behind a gateway. Clients of all three fronts read,
write, follow streams, and leave in the midst of them, while backends are killed, frozen, stopped,
made slow, made to fail, unlisted, and brought back, at most two at a time; then all are killed at
once, and come back. A seed gives the same faults again.

It prints the calls, the failures by their cause, the attempts, and what there is more of than
before: tasks, timers, objects, calls in flight, memory. It ends with 1 if a call that changes
nothing failed while three backends were well, a call had no answer in its time, one failed with a
status that says something else, or something was left.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import yaml
from machine import machine
from processes import ROOT

sys.path.insert(0, str(ROOT))

from services_mock.fleet import Replica, fleet
from tests.end_to_end.load import (
    LEFT,
    OK,
    READS,
    STREAMS,
    WRITES,
    Outcomes,
    load,
)
from tests.end_to_end.system import resident, shop_config

REPLICAS: Final = 5
ILL: Final = 2  # at a time
TIMEOUT: Final = 3.0  # seconds of a call
UPSTREAM: Final = {
    "timeout": f"{TIMEOUT:g}s",
    "retries": {},
    "health_check": {"interval": "500ms", "timeout": "250ms"},
    "outlier_detection": {"interval": "1s", "base_ejection": "1s"},
    "circuit_breaker": {},
}
RIGHT: Final = {
    OK,
    "UNAVAILABLE",
    "UNAVAILABLE UPSTREAM_RESET",
    "UNAVAILABLE UPSTREAM_UNAVAILABLE",
    "DEADLINE_EXCEEDED DEADLINE_EXCEEDED",
}
"""How calls may end. Each says what happened."""

_KEPT: Final = (
    *("gateway.wire.", "gateway.listener.head.", "gateway.http.request."),
    "gateway.upstream.spec.",
    # What counts, by its labels, and the last requests, for `gateway why`: both are bounded.
    *("gateway.telemetry.metrics.", "gateway.telemetry.recorder."),
)
"""Of what these modules make there may be more: bounded caches keep heads, and endpoints that join
after a reload what the newest config says, which is equal."""

_GROWTH: Final = 1.2  # of resident memory, from after the warm-up to the end
_WARM: Final = 5.0  # seconds in which caches fill
_LOOKS: Final = 5
_PATIENCE: Final = 60.0  # seconds until the gateway counts as stuck
_SETTLED: Final = 8.0  # seconds until what is closed after a grace is closed


@dataclass(slots=True)
class Running:
    """The gateway under test."""

    process: asyncio.subprocess.Process
    config: Path
    admin: str = ""
    url: str = ""

    async def line(self, start: str) -> str:
        """Waits for a line that begins so; returns the rest of it."""
        assert self.process.stdout is not None
        async with asyncio.timeout(_PATIENCE):
            async for line in self.process.stdout:
                if (text := line.decode().strip()).startswith(start):
                    return text.removeprefix(start)
        raise RuntimeError("the gateway ended")

    async def there(self) -> dict[str, Any]:
        """What of it is there."""
        self.process.send_signal(signal.SIGUSR1)
        return json.loads("{" + await self.line("{"))

    async def listed(self, replicas: list[Replica]) -> None:
        """Has it serve these replicas only."""
        write(self.config, replicas)
        self.process.send_signal(signal.SIGHUP)
        await self.line("reloaded")

    def upstream(self) -> dict[str, Any]:
        """What it tells of its upstream."""
        with urlopen(f"{self.admin}/upstreams", timeout=10) as reply:
            (found,) = json.load(reply)["upstreams"]
        return found


def write(file: Path, replicas: list[Replica], transport: str = "") -> None:
    """Writes the config."""
    config = yaml.safe_load(file.read_text()) if file.exists() else shop_config([])
    shop = config["upstreams"]["shop"]
    shop |= {**UPSTREAM, "endpoints": [each.address for each in replicas]}
    if transport:
        shop["transport"] = transport
    file.write_text(yaml.safe_dump(config))


@contextmanager
def ended(process: asyncio.subprocess.Process) -> Iterator[None]:
    """Ends a process with the block."""
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()


async def pause(luck: random.Random, least: float, most: float) -> None:
    """Lets things go on for a while."""
    await asyncio.sleep(luck.uniform(least, most))


Fault = Callable[["Chaos", Replica], Awaitable[None]]


async def killed(chaos: Chaos, replica: Replica) -> None:
    """Dies, and is started again."""
    await asyncio.to_thread(replica.kill)
    await pause(chaos.luck, 0.1, 3)
    await asyncio.to_thread(replica.start)


async def deployed(_: Chaos, replica: Replica) -> None:
    """Is stopped as a deployment does, and started again."""
    await asyncio.to_thread(replica.stop)
    await asyncio.to_thread(replica.start)


async def frozen(chaos: Chaos, replica: Replica) -> None:
    """Hangs, and goes on."""
    replica.freeze()
    await pause(chaos.luck, 0.2, 4)
    replica.thaw()


def started_with(*flags: str) -> Fault:
    """Returns the fault of being started with flags for a while."""

    async def fault(chaos: Chaos, replica: Replica) -> None:
        await asyncio.to_thread(replica.restart, *flags)
        await pause(chaos.luck, 1, 4)
        await asyncio.to_thread(replica.restart)

    return fault


async def unlisted(chaos: Chaos, replica: Replica) -> None:
    """Is not listed in the config for a while."""
    await chaos.unlist(replica)
    await pause(chaos.luck, 0.5, 2)
    await chaos.list(replica)


FAULTS: Final[Mapping[str, Fault]] = {
    "killed": killed,
    "deployed": deployed,
    "frozen": frozen,
    "slow": started_with("--delay", "300ms"),
    "errs": started_with("--error", "UNAVAILABLE"),
    "errs now and then": started_with("--error", "UNAVAILABLE", "--error-percent", "30"),
    "refuses": started_with("--refuse"),
    "crashes": started_with("--crash-after", "50"),
    "unlisted": unlisted,
}


class Chaos:
    """Faults that befall replicas, at most two at a time.

    Attributes:
        luck: What decides.
        counts: How often each fault befell one.
    """

    def __init__(self, running: Running, replicas: list[Replica], luck: random.Random) -> None:
        self.luck = luck
        self.counts: Counter[str] = Counter()
        self._running = running
        self._replicas = replicas
        self._unlisted: set[Replica] = set()
        self._ill: set[Replica] = set()
        self._changing = asyncio.Lock()

    async def unlist(self, replica: Replica) -> None:
        """Takes a replica from the config."""
        self._unlisted.add(replica)
        await self._reload()

    async def list(self, replica: Replica) -> None:
        """Puts a replica into the config."""
        self._unlisted.discard(replica)
        await self._reload()

    async def _reload(self) -> None:
        async with self._changing:
            listed = [each for each in self._replicas if each not in self._unlisted]
            await self._running.listed(listed)

    async def go_on(self, until: float) -> None:
        """Has one fault after another befall a replica that is well."""
        while time.monotonic() < until:
            replica = self.luck.choice([each for each in self._replicas if each not in self._ill])
            name = self.luck.choice(list(FAULTS))
            self._ill.add(replica)
            self.counts[name] += 1
            await FAULTS[name](self, replica)
            # It is well when the gateway says so, and not before.
            await taking(self._running, replica)
            self._ill.discard(replica)

    async def run(self, seconds: float) -> None:
        """Does so for a while."""
        until = time.monotonic() + seconds
        await asyncio.gather(*(self.go_on(until) for _ in range(ILL)))


async def taking(running: Running, replica: Replica) -> None:
    """Waits until a replica takes calls."""
    over = time.monotonic() + _PATIENCE
    while time.monotonic() < over:
        told = (await asyncio.to_thread(running.upstream))["endpoints"]
        if any(
            each["address"] == replica.address
            and each["takes_calls"]
            and each["state"] in {"ready", "idle"}
            for each in told
        ):
            return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"{replica.address} takes no calls")


async def measured(running: Running, of: Callable[[int, int], int]) -> tuple[dict[str, int], int]:
    """What there is when nobody calls, and the memory.

    Args:
        running: The gateway.
        of: Which of several looks counts: checks of health come and go, and have timers.
    """
    await asyncio.sleep(_SETTLED)
    found: dict[str, int] = {}
    for _ in range(_LOOKS):
        there = await running.there()
        now = Counter(there["objects"], tasks=there["tasks"], timers=there["timers"])
        names = dict.fromkeys((*found, *now))
        found = {name: of(found.get(name, now[name]), now[name]) for name in names}
        await asyncio.sleep(0.1)
    return found, resident(running.process.pid)


def left(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """Returns what there is more of."""
    return {
        name: count - before.get(name, 0)
        for name, count in after.items()
        if count > before.get(name, 0) and not name.startswith(_KEPT)
    }


async def chaos(arguments: argparse.Namespace, folder: Path) -> bool:
    """Runs it, prints the report, and returns whether all went well."""
    with fleet(REPLICAS) as replicas:
        config = folder / "gateway.yaml"
        write(config, replicas, arguments.transport)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "bench" / "chaos_gateway.py"),
            "--config",
            str(config),
            stdout=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        with ended(process):
            running = Running(process, config)
            running.admin = await running.line("admin on ")
            running.url = await running.line("listening on ")
            return await _run(arguments, running, replicas)


async def _run(arguments: argparse.Namespace, running: Running, replicas: list[Replica]) -> bool:
    kinds = (*READS, *WRITES, *STREAMS, *LEFT)
    faults = Chaos(running, replicas, random.Random(arguments.seed))
    # The first config stays to the end: what can't be changed is compared with it.
    await running.listed(replicas)
    async with load(running.url, kinds, each=arguments.clients):
        await asyncio.sleep(_WARM)
    before, memory = await measured(running, max)
    async with load(running.url, kinds, each=arguments.clients) as outcomes:
        await faults.run(arguments.seconds)
    told = running.upstream()
    async with load(running.url, kinds, each=arguments.clients) as outage:
        for replica in replicas:
            await asyncio.to_thread(replica.kill)
        await asyncio.sleep(3)
        for replica in replicas:
            await asyncio.to_thread(replica.start)
        for replica in replicas:
            await taking(running, replica)
        began = dict(outage.counts)
        await asyncio.sleep(2)
        after_outage = Counter(outage.counts)
        after_outage.subtract(began)
    after, grown_to = await measured(running, min)
    quiet = running.upstream()
    wrong = []
    if failed := {how: n for how, n in outcomes.of(*READS).items() if how != OK}:
        wrong.append(f"calls that change nothing failed: {failed}")
    if failed := {each: n for each, n in after_outage.items() if n and each.how != OK}:
        wrong.append(f"calls failed when all was well again: {failed}")
    for each in (outcomes, outage):
        if strange := {e: n for e, n in each.failures().items() if e.how not in RIGHT}:
            wrong.append(f"calls failed with another status: {strange}")
        if (slowest := each.slowest(*READS, *WRITES)) > TIMEOUT + 1:
            wrong.append(f"a call took {slowest:.1f} s")
    if found := left(before, after):
        wrong.append(f"left behind: {found}")
    pending = sum(each["pending"] for each in quiet["endpoints"]) + quiet["waiting"]
    if pending:
        wrong.append(f"calls in flight for nobody: {pending}")
    if grown_to > _GROWTH * memory:
        wrong.append(f"memory grew from {memory >> 20} to {grown_to >> 20} MiB")
    _print(faults, outcomes, outage, told)
    print(
        f"left: {found or 'nothing'}; in flight: {pending}; "
        f"memory: {memory >> 20} MiB before, {grown_to >> 20} MiB after"
    )
    for line in wrong:
        print(f"WRONG: {line}")
    return not wrong


def _print(faults: Chaos, outcomes: Outcomes, outage: Outcomes, told: Mapping[str, Any]) -> None:
    befell = ", ".join(f"{name} {count}" for name, count in sorted(faults.counts.items()))
    print(f"faults: {befell}")
    print(f"attempts: {told.get('counts', {})}")
    for title, each in (("random faults", outcomes), ("all killed, and back", outage)):
        print(f"{title}: {each.calls:,} calls")
        for kinds in (READS, WRITES, STREAMS, LEFT):
            ends = each.of(*kinds)
            name = kinds[0].rpartition(" ")[2]
            ways = ", ".join(f"{how} {count:,}" for how, count in ends.most_common())
            print(f"  {name:7} {ways}; the longest {each.slowest(*kinds):.2f} s")


def main() -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120.0, help="of random faults (120)")
    parser.add_argument("--seed", type=int, default=1, help="of the faults (1)")
    parser.add_argument("--transport", choices=("native", "grpcio"), default="native")
    parser.add_argument("--clients", type=int, default=2, help="for each kind of call (2)")
    arguments = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="gateway-chaos-") as folder:
        return 0 if asyncio.run(chaos(arguments, Path(folder))) else 1


if __name__ == "__main__":
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    sys.exit(main())
