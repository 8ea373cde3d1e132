"""Nodes without connections, and calls that take as long as they are told, on a clock by hand."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from itertools import count

from gateway.call import Code, Reply, RpcError, Status
from gateway.upstream.balancers import Senses
from gateway.upstream.endpoints import Endpoint, Listing
from gateway.upstream.node import Node
from tests.upstream.fakes import Clock, FakeChannel

FAILURE = RpcError(Status(Code.UNAVAILABLE, "no"))


def node_of(number, clock=None, changed=lambda: None, **listing):
    """Returns a connected node; its address follows from its number."""
    endpoint = Endpoint(f"10.0.{number >> 8}.{number & 255}", 80)
    return Node(Listing(endpoint, **listing), FakeChannel(str(endpoint)), clock or Clock(), changed)


def nodes_of(amount, clock=None, weights=None):
    """Returns so many connected nodes."""
    weights = weights or [1] * amount
    return [node_of(number, clock, weight=weights[number]) for number in range(amount)]


def senses(clock=None, seed=1):
    """Returns a clock by hand and luck that is the same each time."""
    return Senses(clock or Clock(), random.Random(seed).random)


def picked(balancer, picks, key=None, avoid=()):
    """Returns how often each node was picked."""
    return Counter(balancer.pick(key, avoid) for _ in range(picks))


def simulate(balancer, clock, seconds_of, *, calls, rate, fails=frozenset(), seed=2):
    """Makes calls at random times, and returns how many each node had.

    All have ended when it returns.

    Args:
        balancer: Who picks; it knows its nodes.
        clock: Its clock.
        seconds_of: How long a call takes, by node and luck.
        calls: How many.
        rate: How many a second, on average.
        fails: Nodes whose calls all fail.
        seed: Of the luck.
    """
    luck = random.Random(seed)
    order = count()
    ends = []
    taken = Counter()
    for _ in range(calls):
        clock.now += luck.expovariate(rate)
        now = clock.now
        while ends and ends[0][0] <= now:
            clock.now, _, node, seconds = heapq.heappop(ends)
            _end(node, seconds, clock.now, node in fails)
        clock.now = now
        node = balancer.pick(None, ())
        node.started()
        taken[node] += 1
        seconds = seconds_of(node, luck)
        heapq.heappush(ends, (now + seconds, next(order), node, seconds))
    while ends:
        clock.now, _, node, seconds = heapq.heappop(ends)
        _end(node, seconds, clock.now, node in fails)
    return taken


def _end(node, seconds, now, failed):
    node.ended(FAILURE if failed else Reply(b""), seconds)
    if not failed:
        node.latency.took(seconds, now)
