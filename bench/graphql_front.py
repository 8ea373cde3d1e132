"""CPU of GraphQL, of the gateway and its peers, in turns in one run.

    python bench/graphql_front.py [--quick] [--rounds N] [--seconds N] [--case one]...
                                  [--peers gateway,tailcall,strawberry] [--connections 1,32,64]
                                  [--markdown]

Starts `bench/backend.py` and everything in `bench/graphql_peers.py` in front of it, and lets wrk
send each the same document in turn, several rounds of it. Before a case each is asked once: its
data must be what the backend said, made of as many RPCs as the case names; a peer of which this
is not so ends the run, as do errors under load and answers shorter than the first. The columns are
those of `rest.py`, and

    RPCs             calls at the backend over requests, under load: Tailcall joins the keys of
                     all requests that wait at the same time in one call, so it makes fewer than
                     when it is asked once

Called graphql_front because a graphql.py here would stand before the library of that name.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import grpc
from cases import CALLS, Case, batch, orders, page, product
from google.protobuf import json_format
from graphql_peers import PEERS
from machine import machine
from peers import AbsentError, Peer
from processes import python
from rest import COLUMNS, Plan, Sample, head, line, rows
from wrk import Load, Wrk, missing, version

MARK = "p00000001"
"""Where a document has another number in each request."""

_LEAVES = ("id", "title", "description", "category", "state", "gtin", "rating", "createTime")
_LISTED = ("id", "title", "category", "state", "createTime")
_MONEY = ("currencyCode", "units", "nanos")
_JOINED = ("id", "title", "description", "category")


@dataclass(frozen=True, slots=True)
class Query(Case):
    """One document.

    Attributes:
        rpcs: How many calls at the backend make its answer.
        mark: Text of the body that stands for another number in each request; empty for none.
    """

    rpcs: int = 1
    mark: str = ""


def query(name: str, document: str, variables: dict, *, rpcs: int = 1, mark: str = "") -> Query:
    body = json.dumps({"query": document, "variables": variables}, separators=(",", ":"))
    return Query(name, "POST", "/graphql", body.encode(), rpcs=rpcs, mark=mark)


_ONE = f"product: getProduct(id: $id) {{ {' '.join(_LEAVES)} }}"
_PRODUCTS = f"""query Products($size: Int) {{
  list: listProducts(pageSize: $size) {{
    products {{ {" ".join(_LISTED)} price {{ {" ".join(_MONEY)} }} }}
  }}
}}"""
_ORDERS = f"""query Orders($size: Int) {{
  list: listOrders(pageSize: $size) {{
    orders {{
      id status total {{ {" ".join(_MONEY)} }}
      items {{ quantity product {{ {" ".join(_JOINED)} }} }}
    }}
  }}
}}"""
QUERIES = (
    query("one", f"query One($id: String) {{ {_ONE} }}", {"id": "p0001"}),
    query("list of 50", _PRODUCTS, {"size": 50}),
    query("join of 50", _ORDERS, {"size": 50}, rpcs=2),
    query("one, new text", f"{{ {_ONE.replace('$id', json.dumps(MARK))} }}", {}, mark=MARK),
)


def expected(case: Query) -> object:
    """Returns the data that a case's answer has."""
    if case.name == "list of 50":
        listed = json_format.MessageToDict(page(50))["products"]
        chosen = [_choose(each, *_LISTED) | {"price": each["price"]} for each in listed]
        return {"list": {"products": chosen}}
    if case.name == "join of 50":
        found = json_format.MessageToDict(batch())["products"]
        known = {each["id"]: _choose(each, *_JOINED) for each in found}
        return {
            "list": {
                "orders": [
                    {
                        **_choose(order, "id", "status", "total"),
                        "items": [
                            {"quantity": item["quantity"], "product": known[item["productId"]]}
                            for item in order["items"]
                        ],
                    }
                    for order in json_format.MessageToDict(orders())["orders"]
                ]
            }
        }
    return {"product": _choose(json_format.MessageToDict(product()), *_LEAVES)}


def _choose(of: dict, *names: str) -> dict:
    return {name: of[name] for name in names}


class Backend:
    """What the backend says of its calls."""

    def __init__(self, address: str) -> None:
        self._ask = grpc.insecure_channel(address).unary_unary(f"/{CALLS}")

    def calls(self) -> int:
        """Returns how many calls it has had so far, but for those of this method."""
        said = json.loads(self._ask(b"", timeout=10))
        return sum(count for path, count in said.items() if path != f"/{CALLS}")


def check(peer: Peer, case: Query, backend: Backend) -> int:
    """Asks once; returns the size of the answer's body.

    Raises:
        SystemExit: It is not what the backend said, or took other calls than it should.
    """
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(peer.url + case.path, case.body, headers)
    before = backend.calls()
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            body = reply.read()
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{peer.name}, {case.name}: {error.code}: {error.read()!r}") from None
    made = backend.calls() - before
    data = json.loads(body)
    if not same(data, {"data": expected(case)}):
        raise SystemExit(f"{peer.name}, {case.name}: unexpected answer: {body[:500]!r}")
    if made != case.rpcs:
        raise SystemExit(f"{peer.name}, {case.name}: {made} RPCs, not {case.rpcs}")
    return len(body)


def same(found: object, wanted: object) -> bool:
    """Whether two JSON values are equal, members of objects in the same order too (spec, 7.2.2)."""
    return json.dumps(found) == json.dumps(wanted)


_LONGER = 3


@dataclass(frozen=True, slots=True)
class Turn:
    """One peer's turn: what is sent to whom, and the size of an answer as `check` says it."""

    peer: Peer
    case: Query
    connections: int
    size: int

    def take(self, wrk: Wrk, seconds: int, calls: Callable[[], int]) -> tuple[Sample, float]:
        """Lets wrk ask for so many seconds; returns the figures, and the RPCs a request.

        Raises:
            SystemExit: It was not answered, or by less than `check` was.
        """
        _, process = self.peer.at(tls=False)
        url = self.peer.url + self.case.path
        if self.case.rpcs > 1:
            seconds *= _LONGER  # the slowest peer answers 30 of these a second
        cpu, made = process.cpu(), calls()
        load: Load = wrk.run(url, self.connections, seconds, self.case.body, mark=self.case.mark)
        cpu, made = process.cpu() - cpu, calls() - made
        if load.bytes < self.size * load.requests:
            raise SystemExit(f"{self.peer.name}, {self.case.name}: answers shorter than the first")
        sample = Sample(cpu / load.requests * 1e6, load.requests / load.seconds, load)
        return sample, made / load.requests


def measure(
    wrk: Wrk, order: list[Turn], plan: Plan, calls: Callable[[], int]
) -> tuple[dict[str, list[Sample]], dict[str, float]]:
    """Measures all peers in turns; returns the samples of each, and its median RPCs a request."""
    for turn in order if plan.warm else ():
        turn.take(wrk, 1, calls)
    samples: dict[str, list[Sample]] = defaultdict(list)
    rpcs: dict[str, list[float]] = defaultdict(list)
    for _ in range(plan.rounds):
        for turn in order:
            sample, made = turn.take(wrk, plan.seconds, calls)
            samples[turn.peer.name].append(sample)
            rpcs[turn.peer.name].append(made)
    return samples, {name: statistics.median(each) for name, each in rpcs.items()}


TABLE = (*(("server", "<10") if each[0] == "server" else each for each in COLUMNS), ("RPCs", ">5"))


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round over 32 connections")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=1, help="of each run of wrk")
    parser.add_argument("--connections", default="1,32")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--case", action="append", choices=[case.name for case in QUERIES])
    parser.add_argument("--markdown", action="store_true", help="print the table for a page")
    return parser.parse_args()


def main() -> None:
    chosen = options()
    if missing():
        raise SystemExit("wrk is not installed: .ci/apt-install wrk 'it makes the load'")
    cases = [case for case in QUERIES if chosen.case is None or case.name in chosen.case]
    connections = [int(each) for each in chosen.connections.split(",")]
    plan = Plan(chosen.rounds, chosen.seconds)
    if chosen.quick:
        connections, plan = [32], Plan(1, 1)
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        process = stack.enter_context(python("bench/backend.py"))
        backend, asked = Backend(process.address), []
        for name in chosen.peers.split(","):
            try:
                asked.append(PEERS[name](stack, folder, process.address))
            except AbsentError as absent:
                print(f"{name} is left out: {absent}")
        print(f"{machine()}; {version()}")
        for each in asked:
            print(f"{each.alone.name}: {each.alone.version}")
        print(f"{plan.rounds} rounds of {plan.seconds} s each, in turns", flush=True)
        sizes = {
            case.name: [check(each.of(case.rpcs), case, backend) for each in asked]
            for case in cases
        }
        print("all answer the same data; RPCs of one request, each of them: ", end="")
        print(", ".join(f"{case.name} {case.rpcs}" for case in cases), end="\n\n")
        print(head(markdown=chosen.markdown, columns=TABLE), flush=True)
        for case in cases:
            peers = [each.of(case.rpcs) for each in asked]
            for count in connections:
                order = [
                    Turn(peer, case, count, size)
                    for peer, size in zip(peers, sizes[case.name], strict=True)
                ]
                warm = replace(plan, warm=count == connections[0])  # one case warms up once
                samples, rpcs = measure(Wrk(folder), order, warm, backend.calls)
                for peer, row in zip(peers, rows(case, count, peers, samples), strict=True):
                    cells = [*row, f"{rpcs[peer.name]:.2f}"]
                    print(line(cells, markdown=chosen.markdown, columns=TABLE), flush=True)
    print(f"\ntook {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
