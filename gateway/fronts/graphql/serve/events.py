"""Responses as server-sent events: the distinct connections mode of graphql-sse.

`next` events carry responses, `complete` ends the stream (graphql-sse, PROTOCOL.md). An error of a
request that can be run no further is a last `next`. A stream that ends without `complete` was cut
(the gateway shuts down): its client connects again. Queries and mutations may be asked for in this
form too. What is written is the client's to take: `emit` waits for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Final, TypeAlias

from gateway.fronts.graphql.serve.engine import Emit
from gateway.http import Exchange
from gateway.http.event_stream import EventStream
from gateway.http.sse import event

Results: TypeAlias = Callable[[Emit], Awaitable[None]]
"""Emits responses; raises where there can be no more."""

NOT_STORED: Final = ("cache-control", "no-store")

# Without data a browser's EventSource would not dispatch it.
_COMPLETE: Final = event("", name="complete")


def next_event(response: bytes) -> bytes:
    """Returns the event of one response."""
    return event(response.decode(), name="next")


def whole(response: bytes) -> bytes:
    """Returns the whole stream of one response."""
    return next_event(response) + _COMPLETE


async def stream(
    exchange: Exchange,
    results: Results,
    told: Callable[[Exception], bytes],
    keep_alive: float,
) -> None:
    """Writes the events of a reply that was started, and finishes it.

    Args:
        exchange: The reply. When its client goes, this is cancelled, and `results` with it.
        results: Emits each response; raises where there can be no more.
        told: What the client is told of an exception.
        keep_alive: Seconds of silence after which the client gets a comment.
    """
    with closing(EventStream(exchange, keep_alive)) as events:

        async def emit(response: bytes) -> None:
            await events.write(next_event(response))

        try:
            await results(emit)
        except Exception as failure:  # noqa: BLE001 - `told` logs what is a bug
            await emit(told(failure))
    await exchange.write(_COMPLETE)
    await exchange.finish()
