"""What upstreams say that could have no effect with `transport: grpcio`, which keeps it to itself.

Checked on the tree, as `checks` does. What stands beside `transport` is checked in its model.
"""

from collections.abc import Iterator
from typing import Final

from gateway.config.problems import Path, Problem
from gateway.config.tree import Node, select

_MESSAGE: Final = "has no effect with transport: grpcio; remove one of them"


def check_transports(root: Node) -> Iterator[Problem]:
    """Every such key of an upstream in the tree."""
    for path, upstream in select(root, "upstreams", "*"):
        transport = upstream.child("transport")
        if transport is not None and transport.value == "grpcio":
            yield from _weights(path, upstream)
            yield from _pending(path, upstream)


def _weights(path: Path, upstream: Node) -> Iterator[Problem]:
    """Load reports: they are in trailers that it drops."""
    balancing = upstream.child("balancing")
    weights = None if balancing is None else balancing.child("weights")
    if weights is not None and weights.value == "orca":
        yield Problem.at(weights.key, (*path, "balancing", "weights"), _MESSAGE)


def _pending(path: Path, upstream: Node) -> Iterator[Problem]:
    """A bound on calls that wait for a connection; those that wait for a resolver it does bound."""
    breaker = upstream.child("circuit_breaker")
    pending = None if breaker is None else breaker.child("pending")
    if pending is not None and upstream.child("resolver") is None:
        yield Problem.at(pending.key, (*path, "circuit_breaker", "pending"), _MESSAGE)
