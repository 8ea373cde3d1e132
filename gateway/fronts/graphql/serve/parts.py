"""A response in parts, as multipart/mixed (GraphQL over HTTP, rfcs/IncrementalDelivery.md).

Each part is a JSON text with `hasNext`. The line that ends a part is sent with it, so that a client
need not wait for the next to know that it has it whole. A reply that fails after its first part is
cut: it must not pass for a whole one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from gateway.fronts.graphql.serve.engine import EmitPart
from gateway.fronts.http_errors import cut_short
from gateway.http import Exchange

# A JSON text holds no line that begins with it: line ends in strings are escaped.
CONTENT_TYPE: Final = 'multipart/mixed; boundary="-"'

_FIRST: Final = b"\r\n---\r\n"
_HEAD: Final = b"Content-Type: application/json; charset=utf-8\r\n\r\n"
_MORE: Final = b"\r\n---\r\n"
_LAST: Final = b"\r\n-----\r\n"


async def stream(
    exchange: Exchange,
    headers: Sequence[tuple[str, str]],
    results: Callable[[EmitPart], Awaitable[None]],
    refuse: Callable[[Exception], None],
) -> None:
    """Answers with the parts that `results` emits.

    Args:
        exchange: The request to answer. When its client goes, this is cancelled.
        headers: The reply's headers, its content type too.
        results: Emits each part, and whether more follow.
        refuse: Answers with an error, while nothing has been sent.
    """
    begun = False

    async def emit(response: bytes, more: bool) -> None:  # noqa: FBT001 - the shape of EmitPart
        nonlocal begun
        opening = b"" if begun else _FIRST
        if not begun:
            begun = True
            exchange.start(200, headers)
        await exchange.write(opening + _HEAD + response + (_MORE if more else _LAST))

    try:
        await results(emit)
    except asyncio.CancelledError as cancelled:
        if begun:
            raise
        refuse(cut_short(cancelled))
        return
    except Exception as failure:
        if begun:
            raise  # the listener logs it, and cuts the reply
        refuse(failure)
        return
    await exchange.finish()
