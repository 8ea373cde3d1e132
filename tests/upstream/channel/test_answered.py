"""Channels tell a failure after the backend had begun to answer from one before: gRFC A6."""

import asyncio

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo

from gateway.call import Call, Deadline
from gateway.upstream.channel import AnsweredError, NotSentError
from gateway.upstream.channel.native import NativeChannel
from gateway.upstream.channel.queue import Queue
from gateway.upstream.endpoints import Endpoint
from gateway.upstream.spec import ChannelSpec
from tests.upstream.clients import Client, failure, opened, stream_failure, until
from tests.upstream.servers import GRPC, backend, headers, peers, reset

METHOD = "test.Test/Act"


async def at_once(request, context):
    await context.abort(grpc.StatusCode.UNAVAILABLE, "no")


async def after_the_head(request, context):
    await context.send_initial_metadata((("x-head", "1"),))
    await asyncio.sleep(
        0.05
    )  # grpcio's client may hear of both in either order if they come at once
    await context.abort(grpc.StatusCode.UNAVAILABLE, "no")


@pytest.mark.parametrize("handler", [at_once, after_the_head])
async def test_a_status_alone_is_no_beginning(make, handler):
    async with backend(Act=handler) as endpoint, opened(make, endpoint) as channel:
        found = await failure(channel, Call(METHOD))
    assert isinstance(found, AnsweredError) is (handler is after_the_head)


async def once_the_head_was_had(requests, context):
    """The head and the end never come at once."""
    await context.send_initial_metadata((("x-head", "1"),))
    async for _ in requests:
        pass
    await context.abort(grpc.StatusCode.UNAVAILABLE, "no")


class Talking(Client):
    """Ends its requests when there is a head."""

    def __init__(self):
        self.headed = asyncio.Event()
        super().__init__(METHOD, [b"hi", self.headed])

    async def start(self, initial):
        await super().start(initial)
        self.headed.set()


@pytest.mark.parametrize("handler", [at_once, once_the_head_was_had])
async def test_likewise_of_streams(make, handler):
    async with (
        backend(Act=("stream_stream", handler)) as endpoint,
        opened(make, endpoint) as channel,
    ):
        found = await stream_failure(channel, Talking())
    assert isinstance(found, AnsweredError) is (handler is once_the_head_was_had)


@pytest.mark.parametrize("head", [b"", "head"], ids=["before-the-head", "after-it"])
@pytest.mark.parametrize("end", ["reset", "close", "deadline"])
async def test_what_breaks_after_the_head_was_answered(head, end):
    async def scene(peer):
        stream = await peer.request()
        peer.say(headers(stream, GRPC) if head else b"")
        if end == "reset":
            peer.say(reset(stream, 2))
        if end != "close":
            await peer.closed.wait()

    async with peers(scene) as found, opened(NativeChannel, found.endpoint) as channel:
        deadline = Deadline(channel.loop.time() + 0.1) if end == "deadline" else None
        failed = await failure(channel, Call(METHOD, deadline=deadline))
    assert isinstance(failed, AnsweredError) is bool(head)


async def test_a_call_for_which_there_is_no_place_is_told_whose():
    """192.0.2.1 is nobody's (RFC 5737): a connection to it is neither made nor refused at once."""
    queue = Queue(1, "shop")
    channel = NativeChannel(ChannelSpec(), Endpoint("192.0.2.1", 1), lambda state: None, queue)
    channel.start(Call(METHOD), lambda result: None)
    try:
        found = await failure(channel, Call(METHOD))
    finally:
        await channel.close(0)
    assert isinstance(found, NotSentError)
    assert found.reason == "CIRCUIT_OPEN"
    assert "upstream shop" in found.status.message
    info = ErrorInfo.FromString(found.status.details[0].value)
    assert dict(info.metadata) == {"upstream": "shop", "bound": "pending"}
    await until(lambda: queue.waiting == 0)
