"""What it costs to pick an endpoint, by policy and number of endpoints; and what a call costs.

    python bench/balancing.py

In the process, without sockets: all endpoints are connected and have answered before, as behind a
gateway that has run for a while. A pick is `Upstream.pick` whole: whether something has changed,
which tier, which node. Building is what a change of the endpoints costs, once. A call is all that
an upstream adds to its channel's part, from `start` until `done`, where it is answered at once: at
most 10 µs are wanted.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from gateway.call import (
    NO_METADATA,
    Call,
    Cancel,
    Deadline,
    Done,
    Metadata,
    Reply,
    RpcError,
    StreamCall,
    Unary,
)
from gateway.upstream.balancers.policies import POLICIES
from gateway.upstream.channel import Heard, State
from gateway.upstream.channel.queue import Queue
from gateway.upstream.endpoints import AnyEndpoint, Endpoint, Listing
from gateway.upstream.latency import FIRST
from gateway.upstream.manner import Manner, Repeats
from gateway.upstream.spec import (
    BalancingSpec,
    BreakerSpec,
    ChannelSpec,
    HedgingSpec,
    OutlierSpec,
    RetrySpec,
    UpstreamSpec,
)
from gateway.upstream.upstream import Upstream

PICKS = 50_000
CALLS = 20_000
CALLED: Mapping[str, tuple[Manner, Mapping[str, Any]]] = {
    "none": (Manner(), {}),
    "none, a read": (Manner(Repeats.SAFE), {}),
    "retries, a read": (Manner(Repeats.SAFE), {"retries": RetrySpec()}),
    "all, a read": (
        Manner(Repeats.SAFE),
        {
            "retries": RetrySpec(),
            "hedging": HedgingSpec(),
            "outliers": OutlierSpec(),
            "breaker": BreakerSpec(1000, 1000),
        },
    ),
}
ROUNDS = 5
SIZES = (2, 10, 100, 1000)
KEYS = [b"customer %d" % number for number in range(1024)]


class Connected:
    """A channel that is connected and does nothing."""

    pending = 0
    state = State.READY

    def __init__(self, endpoint: AnyEndpoint) -> None:
        self.address = str(endpoint)

    def start(self, call: Call, done: Done) -> Cancel:  # noqa: ARG002  as channels are
        done(Reply(b""))
        return lambda: None

    async def stream(self, call: StreamCall) -> Metadata:  # noqa: ARG002  as channels are
        return NO_METADATA

    async def close(self, grace: float) -> None:
        """Has nothing to close."""


def connected(spec: ChannelSpec, endpoint: AnyEndpoint, heard: Heard, queue: Queue) -> Connected:  # noqa: ARG001  as channels are made
    """Makes one."""
    return Connected(endpoint)


def upstream_of(
    policy: str, count: int, weights: Callable[[int], int], **policies: Any
) -> Upstream:
    """Returns an upstream whose endpoints have answered, each as fast as the others."""
    listings = tuple(
        Listing(Endpoint(f"10.0.{number >> 8}.{number & 255}", 80), weights(number))
        for number in range(count)
    )
    spec = UpstreamSpec("bench", listings, balancing=BalancingSpec(policy), **policies)
    upstream = Upstream(spec, connected, clock=time.perf_counter, random=random.Random(1).random)
    upstream.open()
    for node in [*upstream.nodes.values()] * FIRST:
        node.latency.took(0.001, time.perf_counter())
    return upstream


def microseconds(upstream: Upstream, *, keyed: bool) -> float:
    """Returns the CPU time of a pick, in µs: the best of some rounds."""
    keys = KEYS * (PICKS // len(KEYS))
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        for key in keys:
            upstream.pick(key if keyed else None, ())
        best = min(best, time.process_time() - begun)
    return best / len(keys) * 1e6


def milliseconds(policy: str, count: int) -> float:
    """Returns the CPU time of taking over all endpoints, in ms."""
    upstream = upstream_of(policy, count, lambda _: 1)
    begun = time.process_time()
    upstream.pick(None, ())
    return (time.process_time() - begun) * 1e3


def call_microseconds(count: int, manner: Manner, **policies: Any) -> float:
    """Returns the CPU time of a call less its channel's, in µs: the best of some rounds."""
    upstream = upstream_of("least_request", count, lambda _: 1, **policies)
    call = Call("bench.Bench/Call", deadline=Deadline(time.perf_counter() + 3600))
    (channel, *_) = (node.channel for node in upstream.nodes.values())
    return timed(upstream.taking(manner).start, call) - timed(channel.start, call)


def timed(start: Unary, call: Call) -> float:
    """Returns the CPU time of a call, in µs."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(CALLS):
            start(call, ignore)
        best = min(best, time.process_time() - begun)
    return best / CALLS * 1e6


def ignore(result: Reply | RpcError) -> None:
    """Does nothing with a reply."""


def main() -> None:
    """Measures and prints."""
    table = Table("policy", "weights", *(f"{count}" for count in SIZES), "built, 1,000: ms")
    table.title = "A pick, in µs of CPU, by the number of endpoints"
    for policy, kind in POLICIES.items():
        for name, weights in (("equal", lambda _: 1), ("1 to 7", lambda number: number % 7 + 1)):
            times = [
                microseconds(upstream_of(policy, count, weights), keyed=kind.keyed)
                for count in SIZES
            ]
            built = milliseconds(policy, SIZES[-1])
            table.add_row(policy, name, *(f"{each:.2f}" for each in times), f"{built:.1f}")
    Console().print(table)
    asyncio.run(calls())


async def calls() -> None:
    """Measures and prints what calls cost: in a loop, for what is on has timers."""
    table = Table("policies", *(f"{count}" for count in SIZES))
    table.title = "A call less its channel's part, in µs of CPU, by the number of endpoints"
    for name, (manner, given) in CALLED.items():
        times = [call_microseconds(count, manner, **given) for count in SIZES]
        table.add_row(name, *(f"{each:.1f}" for each in times))
    Console().print(table)


if __name__ == "__main__":
    main()
