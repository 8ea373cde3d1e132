"""The client's side of calls, for tests: what a front would be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from gateway.call import Call, Metadata, Reply, RpcError, StreamCall
from gateway.upstream.endpoints import Endpoint, Listing
from gateway.upstream.spec import ChannelSpec, UpstreamSpec


def spec(*endpoints: Endpoint, **arguments: Any) -> UpstreamSpec:
    """Returns the spec of an upstream; `channel` has what its channels are made of."""
    return UpstreamSpec("test", tuple(map(Listing, endpoints)), **arguments)


@asynccontextmanager
async def opened(make: Any, endpoint: Endpoint, **arguments: Any):
    """A channel made by `make`, closed in the end."""
    channel = make(ChannelSpec(**arguments), endpoint)
    try:
        yield channel
    finally:
        await channel.close(0)


async def unary(channel: Any, call: Call) -> Reply:
    """Makes a unary call and waits for it; `done` may be called once only."""
    answer: asyncio.Future[Reply | RpcError] = asyncio.get_running_loop().create_future()
    channel.start(call, answer.set_result)
    result = await answer
    if isinstance(result, RpcError):
        raise result
    return result


async def until(condition: Callable[[], Any]) -> None:
    """Waits for what no event tells of."""
    while not condition():
        await asyncio.sleep(0.005)


async def failure(channel: Any, call: Call) -> RpcError:
    """Returns what a unary call fails with."""
    try:
        reply = await unary(channel, call)
    except RpcError as error:
        return error
    raise AssertionError(f"the call succeeded with {reply}")


async def stream_failure(channel: Any, call: StreamCall) -> RpcError:
    """Returns what a streaming call fails with."""
    try:
        trailers = await channel.stream(call)
    except RpcError as error:
        return error
    raise AssertionError(f"the call succeeded with {trailers}")


class Client(StreamCall):
    """A streaming client: what it is to send, and what it was given.

    `requests` are sent in turn; an exception among them is raised by `receive`, an Event is waited
    for. Then the client half-closes.
    """

    def __init__(self, method: str, requests: Iterable[Any] = (), **call: Any) -> None:
        super().__init__(method, **call)
        self.requests = iter(requests)
        self.taken = 0
        self.started: list[Metadata] = []
        self.replies: list[bytes] = []
        self.reply = asyncio.Event()
        self.ready = asyncio.Event()
        self.ready.set()

    async def receive(self) -> bytes | None:
        for request in self.requests:
            if isinstance(request, Exception):
                raise request
            if isinstance(request, asyncio.Event):
                await request.wait()
                continue
            self.taken += 1
            return request
        return None

    async def start(self, initial: Metadata) -> None:
        assert not self.replies
        self.started.append(initial)

    async def send(self, message: bytes) -> None:
        assert self.started
        await self.ready.wait()
        self.replies.append(message)
        self.reply.set()
