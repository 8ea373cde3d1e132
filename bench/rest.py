"""CPU of the REST path, of the gateway and its peers, in turns in one run.

    python bench/rest.py [--quick] [--rounds N] [--seconds N] [--case 'GET one']...
                         [--peers gateway,envoy,grpc-gateway,obvious] [--connections 1,32,64]
                         [--istio] [--markdown]

Starts `bench/backend.py` and everything in `bench/peers.py` in front of it, and lets wrk ask each
in turn, several rounds of it: gateway, Envoy …, gateway, Envoy …. An answer of each is first held
against what the backend sent, and every run of wrk against errors and the size of its answers: a
peer that is fast at being wrong ends the run. Prints the medians of the rounds, and the lowest and
highest CPU:

    CPU µs           user and system time of the server's process, over the requests it answered
    gateway's share  the gateway's CPU over the peer's, of their medians
    req/s            answers a second; on few cores wrk and the backend take their part
    p50, p99         microseconds from request to answer, as wrk sees it
    RSS              resident memory of the process after the runs

Streams are counted by their bytes, for when wrk stops most of them are under way; so they have no
percentiles.
"""

from __future__ import annotations

import argparse
import json
import socket
import ssl
import statistics
import tempfile
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from cases import CASES, Case, page, product, products
from google.protobuf import json_format
from machine import machine
from peers import PEERS, AbsentError, Peer, certificate
from processes import python
from wrk import Load, Wrk, missing, version


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of wrk against one peer."""

    cpu: float  # microseconds a request
    rate: float  # requests a second
    load: Load


def expected(case: Case) -> object:
    """Returns what a case's answer says: parsed JSON; of a stream, a list of it."""
    if case.streams:
        return [json_format.MessageToDict(each) for each in products(1000)]
    if "page_size=" in case.path:
        return json_format.MessageToDict(page(int(case.path.rpartition("=")[2])))
    return json_format.MessageToDict(product())


def check(peer: Peer, url: str, case: Case) -> int:
    """Asks once; returns the size of the answer's body, of a stream of all that came.

    Raises:
        SystemExit: It is not what the backend said.
    """
    request = urllib.request.Request(url + case.path, case.body or None, method=case.verb)
    if case.body:
        request.add_header("Content-Type", "application/json")
    # The certificate is made for this run, and who answers is known.
    context = ssl._create_unverified_context() if case.tls else None  # noqa: SLF001
    try:
        with urllib.request.urlopen(request, timeout=10, context=context) as reply:
            status, body = reply.status, reply.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    documents = [json.loads(each) for each in (body.splitlines() if case.streams else [body])]
    if case.streams:  # grpc-gateway puts each message of a stream into an object of one member
        documents = [each.get("result", each) for each in documents]
    if status != 200 or (documents if case.streams else documents[0]) != expected(case):
        raise SystemExit(f"{peer.name}, {case.name}: unexpected answer, {status}: {body[:500]!r}")
    return size_received(url, case) if case.streams else len(body)


def size_received(url: str, case: Case) -> int:
    """Asks once; returns the bytes that came, header fields and chunks' sizes included."""
    host, _, port = url.rpartition("/")[2].rpartition(":")
    size = 0
    with socket.create_connection((host, int(port)), timeout=10) as client:
        head = f"{case.verb} {case.path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
        client.sendall(head.encode())
        while data := client.recv(1 << 16):
            size += len(data)
    return size


@dataclass(frozen=True, slots=True)
class Turn:
    """One peer's turn: what is asked of whom, and the size of an answer as `check` says it."""

    peer: Peer
    case: Case
    connections: int
    size: int

    def take(self, wrk: Wrk, seconds: int) -> Sample:
        """Lets wrk ask for so many seconds.

        Raises:
            SystemExit: It was not answered, or by less than `check` was.
        """
        url, process = self.peer.at(tls=self.case.tls)
        before = process.cpu()
        load = wrk.run(url + self.case.path, self.connections, seconds, self.case.body)
        cpu = process.cpu() - before
        # Header fields come on top of a body; requests in flight at the end came in part. How a
        # stream is cut into chunks, and so how much comes on top of it, may vary.
        least = self.size * (0.95 if self.case.streams else 1)
        if load.bytes < least * max(1, load.requests):
            raise SystemExit(f"{self.peer.name}, {self.case.name}: answers shorter than the first")
        if not self.case.streams:
            return Sample(cpu / load.requests * 1e6, load.requests / load.seconds, load)
        time.sleep(0.3)  # until what wrk has cut off is cleared away, so that the next is alone
        answers = load.bytes / self.size  # most of them are in flight at the end
        return Sample(cpu / answers * 1e6, answers / load.seconds, load)


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure."""

    rounds: int
    seconds: int
    warm: bool = True


def turns(
    wrk: Wrk, peers: list[Peer], case: Case, connections: int, plan: Plan
) -> dict[str, list[Sample]]:
    """Measures all peers in turns; `plan.warm` warms each up before the first."""
    order = [
        Turn(peer, case, connections, check(peer, peer.at(tls=case.tls)[0], case))
        for peer in peers
        if peer.at(tls=case.tls)
    ]
    for turn in order if plan.warm else ():
        turn.take(wrk, 1)
    samples: dict[str, list[Sample]] = defaultdict(list)
    for _ in range(plan.rounds):
        for turn in order:
            samples[turn.peer.name].append(
                turn.take(wrk, plan.seconds * (2 if case.streams else 1))
            )
    return samples


def percentiles(loads: list[Load]) -> tuple[str, str]:
    """Returns the medians of p50 and p99."""
    return (
        f"{statistics.median(each.p50 for each in loads):.0f}",
        f"{statistics.median(each.p99 for each in loads):.0f}",
    )


def rows(case: Case, connections: int, peers: list[Peer], samples: dict) -> Iterator[list[str]]:
    """Writes a row a peer; the gateway's own comes first, with its ratio to each."""
    cpu = {name: statistics.median(each.cpu for each in of) for name, of in samples.items()}
    for peer in peers:
        if peer.name not in samples:
            continue
        of = samples[peer.name]
        _, process = peer.at(tls=case.tls)
        spread = f"{min(each.cpu for each in of):.0f}-{max(each.cpu for each in of):.0f}"
        compared = peer.name != "gateway" and "gateway" in cpu
        ratio = f"{cpu['gateway'] / cpu[peer.name]:.2f}" if compared else ""
        yield [
            case.name,
            str(connections),
            peer.name,
            f"{cpu[peer.name]:.1f}",
            spread,
            ratio,
            f"{statistics.median(each.rate for each in of):.0f}",
            *(("", "") if case.streams else percentiles([each.load for each in of])),
            f"{process.rss() / 2**20:.0f}",
        ]


Columns = tuple[tuple[str, str], ...]
"""Titles, and how wide and to which side cells stand."""
COLUMNS: Columns = (
    ("case", "<17"),
    ("conns", ">6"),
    ("server", "<9"),
    ("CPU µs", ">9"),
    ("of rounds", ">12"),
    ("gateway's share", ">16"),
    ("req/s", ">8"),
    ("p50 µs", ">9"),
    ("p99 µs", ">9"),
    ("RSS MiB", ">8"),
)


def line(cells: list[str], *, markdown: bool, columns: Columns = COLUMNS) -> str:
    if markdown:
        return "| " + " | ".join(cells) + " |"
    return " ".join(f"{cell:{width}}" for cell, (_, width) in zip(cells, columns, strict=True))


def head(*, markdown: bool, columns: Columns = COLUMNS) -> str:
    titles = line([name for name, _ in columns], markdown=markdown, columns=columns)
    if not markdown:
        return titles
    rule = ["---:" if width[0] == ">" else "---" for _, width in columns]
    return f"{titles}\n{line(rule, markdown=True)}"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round of three cases")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=1, help="of each run of wrk")
    parser.add_argument("--connections", default="1,32,64")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES])
    parser.add_argument("--istio", action="store_true", help="replies as behind a sidecar")
    parser.add_argument("--markdown", action="store_true", help="print the table for a page")
    return parser.parse_args()


def main() -> None:
    chosen = options()
    if missing():
        raise SystemExit("wrk is not installed: .ci/apt-install wrk 'it makes the load'")
    cases = [case for case in CASES if chosen.case is None or case.name in chosen.case]
    connections = [int(each) for each in chosen.connections.split(",")]
    plan = Plan(chosen.rounds, chosen.seconds)
    if chosen.quick:
        cases, connections = [each for each in cases if "1,000" not in each.name], [32]
        plan = Plan(1, 1)
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        certificate(folder)
        backend = stack.enter_context(python("bench/backend.py", *(["--istio"] * chosen.istio)))
        peers = []
        for name in chosen.peers.split(","):
            try:
                peers.append(PEERS[name](stack, folder, backend.address))
            except AbsentError as absent:
                print(f"{name} is left out: {absent}")
        print(f"{machine()}; {version()}")
        for peer in peers:
            print(f"{peer.name}: {peer.version}")
        print(f"{plan.rounds} rounds of {plan.seconds} s each, in turns\n")
        print(head(markdown=chosen.markdown), flush=True)
        for case in cases:
            for count in connections:
                warm = replace(plan, warm=count == connections[0])  # one case warms up once
                samples = turns(Wrk(folder), peers, case, count, warm)
                for row in rows(case, count, peers, samples):
                    print(line(row, markdown=chosen.markdown), flush=True)
    print(f"\ntook {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
