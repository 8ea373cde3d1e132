"""What is told of an upstream on the admin listener: each endpoint, how it does, and why it is out.

Data that JSON can say; for operators, never for clients. It shows, and counts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeAlias

from gateway.upstream.node import Cause, Node

if TYPE_CHECKING:
    from gateway.upstream.upstream import Upstream

Told: TypeAlias = Mapping[str, object]
"""What JSON can say: strings, numbers, booleans, None, lists and mappings of them."""


def report(upstream: Upstream) -> Told:
    """Returns what is told of an upstream.

    Of the whole: its `policy` of balancing, the calls that are `waiting` for a connection, and its
    `counts` (`attempts.counts`), since it was opened.

    `unresolved` is why its endpoints could not be looked up the last time; None where they could,
    or need not be.

    Of each endpoint:
    - `address`, `weight` (what it has now), `zone`, `priority`;
    - `state`: of its connections (`ready`, `idle`, `connecting`, `failing`, `closed`);
    - `unreached`: why it has none, while it can't be reached, as far as is known; else None;
    - `takes_calls`: whether nothing keeps it out;
    - `out`: what does: a list of `cause` (`unhealthy`, `ejected`, `draining`) and `why`, in words;
    - `panic`: whether it has calls all the same, for too few others can take any;
    - `seconds`: for how long it takes calls, or does not;
    - `pending`: attempts in flight; `calls`: those so far; `failures`: those it is to blame for;
    - `latency`: of its answers, peak EWMA, in seconds; None before there was one;
    - `ejections`: how often it was left out for failures.
    """
    now = upstream.clock()
    pressed = upstream.pressed()
    nodes = [*upstream.nodes.values(), *upstream.leaving]
    return {
        "name": upstream.name,
        "policy": upstream.spec.balancing.policy,
        "waiting": upstream.queue.waiting,
        "unresolved": upstream.unresolved or None,
        "counts": asdict(upstream.counts),
        "endpoints": [_endpoint(node, now, panic=node in pressed) for node in nodes],
    }


def _endpoint(node: Node, now: float, *, panic: bool) -> Told:
    listing = node.listing
    return {
        "address": str(listing.endpoint),
        "weight": node.weight,
        "zone": listing.zone,
        "priority": listing.priority,
        "state": node.state.value,
        "unreached": node.channel.unreached or None,
        "takes_calls": not node.out,
        "out": [
            {"cause": cause.value, "why": node.out[cause]} for cause in Cause if cause in node.out
        ],
        "panic": panic,
        "seconds": round(now - node.since, 3),
        "pending": node.pending,
        "calls": node.calls,
        "failures": node.failures,
        "latency": round(node.latency.seconds, 6) or None,
        "ejections": node.ejections,
    }
