"""A unary call that is awaited: from the form without a task (`call.Unary`) to the usual one."""

from __future__ import annotations

import asyncio

from gateway.call import Call, Reply, RpcError, Unary


async def awaited(start: Unary, call: Call) -> Reply:
    """Makes a unary call and waits for its reply; cancelling the waiter cancels the call.

    Args:
        start: Starts it.
        call: The call.

    Raises:
        RpcError: The call ended with another status than OK.
    """
    future: asyncio.Future[Reply | RpcError] = asyncio.get_running_loop().create_future()

    def done(result: Reply | RpcError) -> None:
        if not future.done():
            future.set_result(result)

    cancel = start(call, done)
    try:
        result = await future
    except asyncio.CancelledError:
        cancel()
        raise
    if isinstance(result, RpcError):
        raise result
    return result
