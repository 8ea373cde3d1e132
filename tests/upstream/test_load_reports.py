"""Load reports of real backends: of any answer. grpcio's own channels keep them to themselves."""

from contextlib import asynccontextmanager

from grpc import StatusCode

from gateway.call import Call
from gateway.upstream.channel import State
from gateway.upstream.orca import read
from gateway.upstream.spec import BalancingSpec
from gateway.upstream.upstream import build
from tests.upstream.clients import Client, failure, spec, unary, until
from tests.upstream.reports import load_report
from tests.upstream.servers import backend

REPORT = load_report(rps_fractional=100, application_utilization=0.5)
TRAILERS = (("endpoint-load-metrics-bin", REPORT),)


async def answers(request, context):
    context.set_trailing_metadata(TRAILERS)
    return b"ok"


async def fails(request, context):
    context.set_trailing_metadata(TRAILERS)
    await context.abort(StatusCode.NOT_FOUND, "none")


async def streams(requests, context):
    async for request in requests:
        yield request
    context.set_trailing_metadata(TRAILERS)


@asynccontextmanager
async def told(*, orca=True):
    """An upstream, with whether reports are asked for, and its node."""
    async with backend(
        Answers=answers, Fails=fails, Streams=("stream_stream", streams)
    ) as endpoint:
        upstream = build(spec(endpoint, balancing=BalancingSpec(orca=orca)))
        (node,) = upstream.nodes.values()
        try:
            await until(lambda: node.state in {State.READY, State.IDLE})
            yield upstream, node
        finally:
            await upstream.close(0)


async def test_a_reply_tells():
    async with told() as (upstream, node):
        await unary(upstream, Call("t.E/Answers"))
        assert read(node.load).weight == 200


async def test_a_failure_tells():
    async with told() as (upstream, node):
        assert (await failure(upstream, Call("t.E/Fails"))).status.message == "none"
        assert read(node.load).weight == 200


async def test_the_end_of_a_stream_tells():
    async with told() as (upstream, node):
        await upstream.stream(Client("t.E/Streams", [b"x"]))
        assert read(node.load).weight == 200


async def test_nobody_looks_where_reports_are_not_asked_for():
    async with told(orca=False) as (upstream, node):
        await unary(upstream, Call("t.E/Answers"))
        await upstream.stream(Client("t.E/Streams", [b"x"]))
        assert node.load is None
