"""How long a provider may wait: for as long as the call has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.call import Deadline
from gateway.errors import error


@asynccontextmanager
async def in_time(deadline: Deadline | None) -> AsyncIterator[None]:
    """Ends what is awaited within it when a call's time is over.

    Args:
        deadline: The call's; None has no end.

    Raises:
        RpcError: DEADLINE_EXCEEDED.
    """
    try:
        async with asyncio.timeout_at(None if deadline is None else deadline.at):
            yield
    except TimeoutError:
        text = "The deadline passed before it was known who calls."
        raise error("DEADLINE_EXCEEDED", text) from None
