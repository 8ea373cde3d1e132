"""Sends calls to the upstream that was chosen for them, where that is not their service's own.

Stands behind the cache and before all that is of one upstream: its bounds, its deadline, what its
backends are told. Each other upstream has all of that for itself, its way; the rest of the chain is
that of the service's own. What chooses is `choose_upstream`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from gateway.call import Call, Cancel, Done, Metadata, Stream, StreamCall, Unary


class Way(Protocol):
    """What is left of a chain when the upstream is known, with that at its end."""

    @property
    def start(self) -> Unary:
        """Makes a unary call."""

    @property
    def stream(self) -> Stream:
        """Runs a streaming call."""


class Elsewhere:
    """Sends calls by the way of the upstream that was chosen (a Filter and a StreamAround).

    Args:
        ways: By the names of upstreams; the service's own is not among them.
    """

    __slots__ = ("_ways",)

    def __init__(self, ways: Mapping[str, Way]) -> None:
        self._ways = ways

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        return (
            f"Sends calls for {', '.join(self._ways)} there, within their bounds; what follows is "
            "for the rest."
        )

    def filter(self, call: Call, done: Done, proceed: Unary) -> Cancel:
        """Starts the call where it goes (`gateway.call.Filter`)."""
        way = self._ways.get(call.upstream)
        return proceed(call, done) if way is None else way.start(call, done)

    def stream(
        self, call: StreamCall, proceed: Callable[[StreamCall], Awaitable[Metadata]]
    ) -> Awaitable[Metadata]:
        """Runs the call where it goes (`gateway.call.StreamAround`)."""
        way = self._ways.get(call.upstream)
        return proceed(call) if way is None else way.stream(call)
