"""CPU of calls that are limited, counted, or answered from what is kept, against plain ones.

    python bench/policies.py [--quick] [--rounds N] [--seconds N] [--connections 32] [--markdown]

Starts `bench/backend.py` and gateways in front of it that differ in the lines of `WAYS` alone, and
lets wrk ask each in turn, several rounds of it:

    plain            no policies
    limited          a limit by address that is never reached, with its headers
    limited, Redis   the same, counted in Redis
    bounded          bounds on calls at a time, adaptive concurrency among them
    usage            calls, messages and bytes are counted
    kept             `cache: {ttl: 1h}`: after the first call all are hits
    kept, Redis      the same, kept in Redis
    304              kept, and the client has it: `If-None-Match`

Those with Redis are left out where there is no redis-server. An answer of each is first held
against what the backend sent. The columns are those of `bench/rest.py`; `of plain` is the CPU over
that of `plain`, of their medians.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import statistics
import tempfile
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from cases import CASES, GET_ONE, SERVICE, Case
from machine import machine
from peers import Peer
from processes import ROOT, python, started
from rest import Columns, Plan, Sample, check, head, line, percentiles
from wrk import Load, Wrk, missing, version

LIMIT = "rate_limits: [{name: clients, rate: 1000000/s, burst: 1000000, key: address}]"


def policy(settings: str) -> str:
    """Returns the lines that set something for all methods."""
    return f"policies: [{{methods: ['{SERVICE}/*'], {settings}}}]\n"


WAYS = {
    "plain": "",
    "limited": policy(LIMIT),
    "limited, Redis": policy(LIMIT),
    "bounded": policy("concurrency: 1000, concurrency_per_principal: 1000")
    + "adaptive_concurrency: {enabled: true, min: 100}\n",
    "usage": "usage: {enabled: true}\n",
    "kept": policy("cache: {ttl: 1h}"),
    "kept, Redis": policy("cache: {ttl: 1h}"),
}
"""Lines of config, by what rows call them."""
ASKED = (GET_ONE, next(case for case in CASES if case.name == "list of 50"))
COLUMNS: Columns = (
    ("case", "<12"),
    ("gateway", "<15"),
    ("CPU µs", ">9"),
    ("of rounds", ">12"),
    ("of plain", ">9"),
    ("req/s", ">8"),
    ("p50 µs", ">9"),
    ("p99 µs", ">9"),
    ("RSS MiB", ">8"),
)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to be answered: a gateway, and whether its clients have the answer already."""

    peer: Peer
    knows: bool = False


def served(stack: ExitStack, folder: Path, name: str, backend: str, more: str) -> Peer:
    """Starts a gateway with more lines of config."""
    config = folder / f"{name.replace(', ', '-')}.yaml"
    config.write_text(
        "listener: {address: 127.0.0.1:0}\nadmin: false\n"
        f"schema: {{protos: [{ROOT / 'protos'}]}}\n"
        f"upstreams: {{shop: {{services: ['{SERVICE}'], endpoints: ['{backend}']}}}}\n{more}"
    )
    process = stack.enter_context(python("-m", "gateway", "serve", "--config", str(config)))
    return Peer(name, "", f"http://{process.address}", process)


def redis(stack: ExitStack, folder: Path) -> str | None:
    """Starts a Redis; returns its URL, or None where there is no such program."""
    program = shutil.which("redis-server")
    if program is None:
        return None
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    # It listens before anybody asks: the gateway takes longer to start.
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir",
               str(folder)]  # fmt: skip
    stack.enter_context(started(command, None))
    return f"redis://127.0.0.1:{port}/0"


def ways(stack: ExitStack, folder: Path, backend: str) -> dict[str, Way]:
    """Starts all gateways; returns them by what rows call them."""
    url = redis(stack, folder)
    if url is None:
        print("what is kept in Redis is left out: there is no redis-server here")
    found = {}
    for name, lines in WAYS.items():
        if not name.endswith("Redis"):
            found[name] = Way(served(stack, folder, name, backend, lines))
        elif url is not None:
            more = f"{lines}state: {url}\n"
            found[name] = Way(served(stack, folder, name, backend, more))
    found["304"] = Way(found["kept"].peer, knows=True)
    return found


def etag(way: Way, case: Case) -> str:
    """Asks once; returns the entity tag where the client of a way knows it, else nothing."""
    if not way.knows:
        return ""
    with urllib.request.urlopen(way.peer.url + case.path, timeout=10) as reply:
        return str(reply.headers["etag"])


def take(wrk: Wrk, way: Way, case: Case, connections: int, seconds: int) -> Sample:
    """Lets wrk ask for so many seconds."""
    before = way.peer.process.cpu()
    load: Load = wrk.run(way.peer.url + case.path, connections, seconds, known=etag(way, case))
    cpu = way.peer.process.cpu() - before
    return Sample(cpu / load.requests * 1e6, load.requests / load.seconds, load)


def rows(case: Case, of: dict[str, Way], samples: dict[str, list[Sample]]) -> Iterator[list[str]]:
    """Writes a row a way."""
    cpu = {name: statistics.median(each.cpu for each in taken) for name, taken in samples.items()}
    for name, taken in samples.items():
        yield [
            case.name,
            name,
            f"{cpu[name]:.1f}",
            f"{min(each.cpu for each in taken):.0f}-{max(each.cpu for each in taken):.0f}",
            f"{cpu[name] / cpu['plain']:.2f}",
            f"{statistics.median(each.rate for each in taken):.0f}",
            *percentiles([each.load for each in taken]),
            f"{of[name].peer.process.rss() / 2**20:.0f}",
        ]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1, help="of each run of wrk")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--markdown", action="store_true", help="print the table for a page")
    return parser.parse_args()


def main() -> None:
    chosen = options()
    if missing():
        raise SystemExit("wrk is not installed: .ci/apt-install wrk 'it makes the load'")
    plan = Plan(1, 1) if chosen.quick else Plan(chosen.rounds, chosen.seconds)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        backend = stack.enter_context(python("bench/backend.py"))
        print(f"{machine()}; {version()}")
        of = ways(stack, folder, backend.address)
        print(f"{plan.rounds} rounds of {plan.seconds} s each, in turns\n")
        print(head(markdown=chosen.markdown, columns=COLUMNS), flush=True)
        wrk = Wrk(folder)
        for case in ASKED:
            for way in of.values():
                check(way.peer, way.peer.url, case)
                take(wrk, way, case, chosen.connections, 1)
            samples: dict[str, list[Sample]] = defaultdict(list)
            for _ in range(plan.rounds):
                for name, way in of.items():
                    samples[name].append(take(wrk, way, case, chosen.connections, plan.seconds))
            for row in rows(case, of, samples):
                print(line(row, markdown=chosen.markdown, columns=COLUMNS), flush=True)


if __name__ == "__main__":
    main()
