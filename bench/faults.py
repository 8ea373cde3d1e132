"""What clients see of each fault of a backend: the table of docs/resilience.md.

    python bench/faults.py [--fault killed] [--transport native]

One of five replicas of the example backends dies, hangs, errs …, and later all of them die, under
load from all three fronts: with nothing set, with the sections that the page begins with, and with
checks of health each second. It prints, of calls that change nothing, of all others, and of
streams: how many there were, how they failed, and how long the longest took.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from machine import machine
from processes import ROOT

sys.path.insert(0, str(ROOT))

from services_mock.fleet import Replica, fleet
from tests.end_to_end.load import OK, READS, STREAMS, WRITES, Outcomes, load
from tests.end_to_end.system import gateway, shop_config

SETTINGS: Final[Mapping[str, Mapping[str, object]]] = {
    "nothing set": {},
    "the usual": {"retries": {}, "health_check": {}, "outlier_detection": {}},
    "checks each second": {
        "retries": {},
        "health_check": {"interval": "1s", "timeout": "500ms"},
        "outlier_detection": {},
    },
}

Happens = Callable[[list[Replica]], None]


def _one(fault: Callable[[Replica], None]) -> Happens:
    return lambda replicas: fault(replicas[0])


def _each(*faults: Callable[[Replica], None]) -> Happens:
    """Befalls all, one after another."""

    def happens(replicas: list[Replica]) -> None:
        for replica in replicas:
            for fault in faults:
                fault(replica)

    return happens


FAULTS: Final[Mapping[str, Happens]] = {
    "killed": _one(Replica.kill),
    "frozen": _one(Replica.freeze),
    "refuses": _one(lambda replica: replica.restart("--refuse")),
    "answers UNAVAILABLE": _one(lambda replica: replica.restart("--error", "UNAVAILABLE")),
    "answers INTERNAL": _one(lambda replica: replica.restart("--error", "INTERNAL")),
    "slow, by 300 ms": _one(lambda replica: replica.restart("--delay", "300ms")),
    "deployed, one after another": _each(Replica.stop, Replica.start),
    "killed and started, one after another": _each(Replica.kill, Replica.start),
    "all killed": _each(Replica.kill),
}

_SECONDS: Final = 8.0  # from the fault on: longer than a call may take


def _told(outcomes: Outcomes, kinds: tuple[str, ...]) -> str:
    ends = outcomes.of(*kinds)
    failed = ", ".join(f"{count} {how}" for how, count in ends.most_common() if how != OK)
    return f"{ends.total():,}: {failed or 'none failed'}; {outcomes.slowest(*kinds):.2f} s"


async def _measured(name: str, transport: str, given: Mapping[str, object]) -> Outcomes:
    with fleet(5) as replicas, tempfile.TemporaryDirectory() as folder:
        config = shop_config([each.address for each in replicas])
        config["upstreams"]["shop"] |= {**given, "transport": transport}
        with gateway(Path(folder), config, errors=None) as served:
            async with load(served.url, (*READS, *WRITES, *STREAMS)) as outcomes:
                await asyncio.sleep(2)
                outcomes.clear()
                await asyncio.to_thread(FAULTS[name], replicas)
                await asyncio.sleep(_SECONDS)
                for replica in replicas:
                    replica.thaw()
    return outcomes


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fault", choices=FAULTS, help="this one only")
    parser.add_argument("--transport", choices=("native", "grpcio"), default="native")
    arguments = parser.parse_args()
    print(machine())
    for name in [arguments.fault] if arguments.fault else FAULTS:
        for title, given in SETTINGS.items():
            outcomes = asyncio.run(_measured(name, arguments.transport, given))
            print(f"{name}, {title}", flush=True)
            for kind, kinds in (("reads", READS), ("writes", WRITES), ("streams", STREAMS)):
                print(f"  {kind:8} {_told(outcomes, kinds)}", flush=True)


if __name__ == "__main__":
    main()
