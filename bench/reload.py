"""What a reload of the example costs calls that are made meanwhile, from all fronts at once.

    python bench/reload.py [--rate 500] [--seconds 10] [--reloads 10] [--runs 3]

A gateway serves the example, with joins and trusted documents, before backends in processes of
their own. REST, GraphQL and WebSocket calls begin at a fixed rate, whatever became of those before.
First nothing happens; then the config is reloaded once a second, a timeout being another each time.

It prints the calls, how many were lost, the median and the 99th percentile of their times, and how
long the event loop stood still at most (`pulse`): usually, and during reloads. The best of some
runs counts: other programs can only make it slower. It ends with 1 if a call is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import yaml
from machine import machine
from processes import ROOT
from pulse import Beat, longest, pulse

sys.path.insert(0, str(ROOT))

from services_mock.fleet import fleet
from tests.end_to_end.load import OK, READS, Clients, clients
from tests.end_to_end.system import Gateway, gateway, shop_config

RELOADED: Final = "reloaded: "
_WARM: Final = 3.0  # seconds until all is imported and cached


class Call(NamedTuple):
    """When a call began and ended, in seconds, and how."""

    began: float
    ended: float
    how: str

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began


@dataclass
class Measured:
    """Calls, the times in which there was a reload, and what was felt of the loop."""

    calls: list[Call] = field(default_factory=list)
    reloads: list[tuple[float, float]] = field(default_factory=list)
    beats: list[Beat] = field(default_factory=list)

    def meanwhile(self) -> list[Call]:
        """The calls that were under way during a reload."""
        return [
            call
            for call in self.calls
            if any(call.began < end and call.ended > start for start, end in self.reloads)
        ]


def percentile(calls: Sequence[Call], share: float) -> float:
    """Returns the milliseconds that a share of calls took at most."""
    times = sorted(call.seconds for call in calls)
    return times[min(len(times) - 1, int(len(times) * share))] * 1e3


async def make_calls(to: Clients, rate: float, seconds: float) -> list[Call]:
    """Makes calls at a rate for some seconds, of each front in turn; waits for the last ones."""
    calls: list[Call] = []
    tasks: set[asyncio.Task[None]] = set()

    async def one(kind: str) -> None:
        began = time.monotonic()
        how = await to.call(kind)
        calls.append(Call(began, time.monotonic(), how))

    began = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        task = asyncio.create_task(one(READS[number % len(READS)]))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return calls


async def reload_now(running: Gateway, folder: Path, number: int) -> tuple[float, float]:
    """Reloads with another timeout; returns when that began and ended."""
    path, log = folder / "gateway.yaml", folder / "log"
    config = yaml.safe_load(path.read_text())
    config["policies"] = [{"methods": ["shop.*"], "timeout": f"{number + 5}s"}]
    path.write_text(yaml.safe_dump(config))
    before = log.read_text().count(RELOADED)
    began = time.monotonic()
    running.process.send_signal(signal.SIGHUP)
    while log.read_text().count(RELOADED) == before:  # noqa: ASYNC110  another process writes it
        await asyncio.sleep(0.005)
    return began, time.monotonic()


async def measure(
    running: Gateway, folder: Path, rate: float, seconds: float, reloads: int
) -> tuple[Measured, Measured]:
    """Returns the usual, and what is so with reloads."""
    async with clients(running.url) as to:
        await make_calls(to, rate, _WARM)
        with pulse(running.admin) as beats:
            usual = Measured(await make_calls(to, rate, seconds), beats=beats)
        with pulse(running.admin) as beats:
            load = asyncio.create_task(make_calls(to, rate, reloads + 1))
            spans = []
            for number in range(reloads):
                await asyncio.sleep(0.5)
                spans.append(await reload_now(running, folder, number))
                await asyncio.sleep(max(0.0, 0.5 - (spans[-1][1] - spans[-1][0])))
            calls = await load
        return usual, Measured(calls, spans, beats)


def main() -> int:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rate", type=float, default=500, help="calls a second")
    parser.add_argument("--seconds", type=float, default=10, help="without reloads")
    parser.add_argument("--reloads", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    print(machine())
    titles = (
        *("run", "calls", "lost", "usual p50", "p99", "longest standstill"),
        *("reload", "p50 meanwhile", "p99", "ratio", "longest standstill"),
    )
    print(f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}")
    lost = 0
    for run in range(given.runs):
        with tempfile.TemporaryDirectory() as name, fleet(2) as replicas:
            folder = Path(name)
            graphql = {
                "joins": [str(ROOT / "schema/joins.graphql")],
                "operations": [str(ROOT / "schema/operations")],
            }
            # All of WebSocket's calls are one client's.
            websocket = {"limits": {"opens": "10000/s", "messages": "10000/s"}}
            addresses = [each.address for each in replicas]
            config = shop_config(addresses, graphql=graphql, websocket=websocket)
            with (
                (folder / "log").open("w") as errors,
                gateway(folder, config, errors=errors) as running,
            ):
                asked = measure(running, folder, given.rate, given.seconds, given.reloads)
                usual, reloaded = asyncio.run(asked)
        calls = [*usual.calls, *reloaded.calls]
        failed = sum(call.how != OK for call in calls)
        lost += failed
        meanwhile = reloaded.meanwhile()
        took = sum(end - start for start, end in reloaded.reloads) / len(reloaded.reloads)
        before, during = percentile(usual.calls, 0.99), percentile(meanwhile, 0.99)
        print(
            f"| {run + 1} | {len(calls):,} | {failed} | {percentile(usual.calls, 0.5):.1f} ms "
            f"| {before:.1f} ms | {longest(usual.beats):.1f} ms "
            f"| {took * 1e3:.0f} ms | {percentile(meanwhile, 0.5):.1f} ms "
            f"| {during:.1f} ms | {during / before:.1f} "
            f"| {longest(reloaded.beats, reloaded.reloads):.1f} ms |",
            flush=True,
        )
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
