"""CPU that it costs to tell of requests: of what tells alone, and of whole gateways.

    python bench/telemetry.py [--quick] [--alone] [--rounds N] [--seconds N] [--markdown]

First what is done for a request alone: a record of a GET, its call and its attempt is begun and
ended, and given to each of `KEEPERS`, in this process; of many rounds in turns, the best of each
counts. Then `bench/backend.py` and gateways in front of it that differ in the lines of `WAYS`
alone, which wrk asks for a product in turns. `more` is what a request costs beyond one of which
nothing is noted: the best of all rounds against the best, for others may load the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from cases import GET_ONE, SERVICE
from machine import machine
from peers import Peer
from processes import ROOT, python
from rest import Columns, Plan, Sample, check, head, line
from wrk import Wrk, missing, version

from gateway.http import Headers, Request
from gateway.record import AttemptRecord, Keeper
from gateway.telemetry.access_log import AccessLog, lines_of
from gateway.telemetry.access_log.writer import Writer
from gateway.telemetry.metrics.requests import Requests
from gateway.telemetry.recorder.recorder import Recorder
from gateway.telemetry.records import Records
from gateway.telemetry.tracing.beginning import Beginning
from gateway.telemetry.tracing.keeping import Keeping
from gateway.telemetry.tracing.span import Span

REQUESTS = 20_000
"""In a round of what is done alone."""

_PAUSE = 0.05

NOWHERE = "http://127.0.0.1:9"

METHOD = f"{SERVICE}/GetProduct"
FIELDS = (("host", "shop.example"), ("user-agent", "wrk"), ("accept", "*/*"))

Make = Callable[[], Keeper]


def metrics() -> Keeper:
    """Returns what counts."""
    return Requests(lambda _: False)


def access_log() -> Keeper:
    """Returns what writes a JSON line of each request, to nowhere."""
    return AccessLog(lines_of("json", ()), Writer("/dev/null"))


def recorder() -> Keeper:
    """Returns what keeps accounts of one request in a hundred, as it does by default."""
    return Recorder(1000, 0.01, generation=lambda: 1, standing=lambda _: None)


def idle_recorder() -> Keeper:
    """Returns what keeps none of them: what it costs for each that is not kept."""
    return Recorder(1000, 0.0, generation=lambda: 1, standing=lambda _: None)


KEEPERS: dict[str, tuple[Make, ...]] = {
    "records alone": (),
    "metrics": (metrics,),
    "access log": (access_log,),
    "metrics, access log": (metrics, access_log),
    "recorder": (recorder,),
    "recorder, none kept": (idle_recorder,),
}
"""Who is given each record, by what rows call them."""

SHARES = {"tracing 0 %": 0.0, "tracing 1 %": 0.01, "tracing 100 %": 1.0}
"""Shares of requests that are traced, by what rows call them; spans are made, and dropped."""

OFF = "telemetry: {metrics: false, recorder: false}\n"
WAYS = {
    "nothing": OFF,
    "metrics": "telemetry: {recorder: false}\n",
    "access log": "telemetry: {metrics: false, recorder: false, access_log: {path: LOG}}\n",
    "metrics, access log": "telemetry: {recorder: false, access_log: {path: LOG}}\n",
    "recorder": "telemetry: {metrics: false}\n",
    "tracing 1 %": "telemetry: {metrics: false, recorder: false, tracing: {otlp: COLLECTOR}}\n",
}
"""Lines of config, by what rows call them; LOG is a file, COLLECTOR where none is."""

ALONE: Columns = (("alone", "<22"), ("CPU µs", ">9"), ("median", ">9"))
COLUMNS: Columns = (
    ("gateway", "<22"),
    ("CPU µs", ">9"),
    ("median", ">9"),
    ("more", ">9"),
    ("req/s", ">8"),
)


class Nobody:
    """Takes spans, and forgets them."""

    def take(self, spans: Sequence[Span], offset: float) -> None:
        pass


def never(_seconds: float, _function: Callable[[], None]) -> None:
    """Hands records on when there are enough of them, and at no other time."""


def traced(share: float) -> Records:
    """Returns what begins records in traces."""
    keeping = Keeping(Nobody())
    records = Records((), later=never)
    records.replace([keeping], [Beginning(share, 0, time.monotonic)], [keeping])
    return records


def once(records: Records, request: Request) -> None:
    """Does what listener, front, chain and upstream do for a record of a GET."""
    record = records.begin(request)
    record.front, record.request_id, record.route = "rest", "id", "/v1/products/{id}"
    call = record.call(METHOD)
    call.began = began = call.clock()
    call.received_bytes = 4
    call.upstream = "shop"
    call.tries("127.0.0.1:50051", began)
    call.tried(AttemptRecord("shop", "127.0.0.1:50051", began, call.clock(), 0))
    call.code = 0
    call.sent_bytes = 243
    call.ends()
    record.answered(200, 425)


async def alone(rounds: int, *, markdown: bool) -> None:
    """Prints what is done for a request alone; what is done in other threads is not in it."""
    headers = Headers(FIELDS)
    request = Request("GET", "/v1/products/p1", None, headers, "shop.example", peer="192.0.2.1")
    every = {
        name: Records([make() for make in makes], later=never) for name, makes in KEEPERS.items()
    }
    every |= {name: traced(share) for name, share in SHARES.items()}
    taken: dict[str, list[float]] = defaultdict(list)
    gc.disable()
    for _ in range(rounds):
        for name, records in every.items():
            before = time.thread_time()
            for _ in range(REQUESTS):
                once(records, request)
            taken[name].append((time.thread_time() - before) / REQUESTS * 1e6)
            gc.collect()
            await asyncio.sleep(_PAUSE)  # for what is done beside it
    gc.enable()
    print(head(markdown=markdown, columns=ALONE))
    for name, times in taken.items():
        cells = [name, f"{min(times):.2f}", f"{statistics.median(times):.2f}"]
        print(line(cells, markdown=markdown, columns=ALONE))


def served(stack: ExitStack, folder: Path, name: str, backend: str, more: str) -> Peer:
    """Starts a gateway with more lines of config."""
    config = folder / f"{name.replace(', ', '-').replace(' ', '-')}.yaml"
    config.write_text(
        "listener: {address: 127.0.0.1:0}\nadmin: {address: 127.0.0.1:0}\n"
        f"schema: {{protos: [{ROOT / 'protos'}]}}\n"
        f"upstreams: {{shop: {{services: ['{SERVICE}'], endpoints: ['{backend}']}}}}\n"
        + more.replace("LOG", str(config.with_suffix(".log"))).replace("COLLECTOR", NOWHERE)
    )
    process = stack.enter_context(python("-m", "gateway", "serve", "--config", str(config)))
    return Peer(name, "", f"http://{process.address}", process)


def take(wrk: Wrk, peer: Peer, connections: int, seconds: int) -> Sample:
    """Lets wrk ask for so many seconds."""
    before = peer.process.cpu()
    load = wrk.run(peer.url + GET_ONE.path, connections, seconds)
    cpu = peer.process.cpu() - before
    return Sample(cpu / load.requests * 1e6, load.requests / load.seconds, load)


def rows(samples: dict[str, list[Sample]]) -> Sequence[list[str]]:
    """Returns a row a gateway."""
    best = {name: min(each.cpu for each in taken) for name, taken in samples.items()}
    return [
        [
            name,
            f"{best[name]:.1f}",
            f"{statistics.median(each.cpu for each in taken):.1f}",
            f"{best[name] - best['nothing']:.1f}",
            f"{max(each.rate for each in taken):.0f}",
        ]
        for name, taken in samples.items()
    ]


def whole(plan: Plan, connections: int, *, markdown: bool) -> None:
    """Prints what whole gateways use."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        backend = stack.enter_context(python("bench/backend.py"))
        peers = {
            name: served(stack, folder, name, backend.address, lines)
            for name, lines in WAYS.items()
        }
        wrk = Wrk(folder)
        samples: dict[str, list[Sample]] = defaultdict(list)
        for peer in peers.values():
            check(peer, peer.url, GET_ONE)
            take(wrk, peer, connections, 1)
        for _ in range(plan.rounds):
            for name, peer in peers.items():
                samples[name].append(take(wrk, peer, connections, plan.seconds))
        print(f"\n{plan.rounds} rounds of {plan.seconds} s each, in turns; {version()}\n")
        print(head(markdown=markdown, columns=COLUMNS))
        for row in rows(samples):
            print(line(row, markdown=markdown, columns=COLUMNS))


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few rounds")
    parser.add_argument("--alone", action="store_true", help="no whole gateways")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=1, help="of each run of wrk")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--markdown", action="store_true", help="print the tables for a page")
    return parser.parse_args()


def main() -> None:
    chosen = options()
    if missing() and not chosen.alone:
        raise SystemExit("wrk is not installed: .ci/apt-install wrk 'it makes the load'")
    plan = Plan(2, 1) if chosen.quick else Plan(chosen.rounds, chosen.seconds)
    print(f"{machine()}\n")
    asyncio.run(alone(plan.rounds, markdown=chosen.markdown))
    if not chosen.alone:
        whole(plan, chosen.connections, markdown=chosen.markdown)


if __name__ == "__main__":
    main()
