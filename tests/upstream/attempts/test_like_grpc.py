"""The same backend, asked by this upstream and by grpc.aio with a retry policy: the same happens.

A sequence says how the backend ends one attempt after the other. What the client is told, how often
the backend was asked, and what it was told of that, is the same for both.
"""

import itertools
import json
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest

from gateway.call import Call, Code, RpcError
from gateway.upstream.manner import Manner, Repeats
from gateway.upstream.spec import ChannelSpec, RetrySpec
from gateway.upstream.upstream import build
from tests.upstream.clients import spec, unary
from tests.upstream.servers import backend

POLICY = {
    "maxAttempts": 3,
    "initialBackoff": "0.002s",
    "maxBackoff": "0.004s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE", "ABORTED"],
}
RETRIES = RetrySpec(
    attempts=3, on=frozenset({Code.UNAVAILABLE, Code.ABORTED}), base=0.002, most=0.004
)
SAFE = Manner(Repeats.SAFE)


async def fails(context, code, *, pushback=None, head=False):
    if head:
        await context.send_initial_metadata((("x-head", "1"),))
    trailers = () if pushback is None else (("grpc-retry-pushback-ms", pushback),)
    await context.abort(code, "as the test says", trailers)


WAYS = {
    "ok": None,
    "unavailable": {"code": grpc.StatusCode.UNAVAILABLE},
    "aborted": {"code": grpc.StatusCode.ABORTED},
    "internal": {"code": grpc.StatusCode.INTERNAL},
    "later": {"code": grpc.StatusCode.UNAVAILABLE, "pushback": "3"},
    "never": {"code": grpc.StatusCode.UNAVAILABLE, "pushback": "-1"},
    "garbled": {"code": grpc.StatusCode.UNAVAILABLE, "pushback": "soon"},
    "after-the-head": {"code": grpc.StatusCode.UNAVAILABLE, "head": True},
}
SEQUENCES = [
    *itertools.product(["unavailable", "aborted", "later"], repeat=3),
    *itertools.product(WAYS, ["ok"]),
    *itertools.product(["unavailable", "later"], WAYS, ["ok"]),
]


@asynccontextmanager
async def acting(ways):
    """A backend that acts so, and what it was told with each attempt."""
    told = []

    async def act(request, context):
        metadata = dict(context.invocation_metadata())
        way = WAYS[ways[len(told)]] if len(told) < len(ways) else None
        told.append(metadata.get("grpc-previous-rpc-attempts"))
        if way is not None:
            await fails(context, **way)
        return request

    async with backend(Act=act) as endpoint:
        yield endpoint, told


async def by_grpc(ways):
    config = {"methodConfig": [{"name": [{}], "retryPolicy": POLICY}]}
    options = [("grpc.service_config", json.dumps(config)), ("grpc.enable_retries", 1)]
    async with (
        acting(ways) as (endpoint, told),
        grpc.aio.insecure_channel(str(endpoint), options) as channel,
    ):
        try:
            await channel.unary_unary("/test.Test/Act")(b"hi", timeout=10)
        except grpc.aio.AioRpcError as failure:
            return failure.code().name, told
        return "OK", told


async def by_gateway(ways, transport):
    async with acting(ways) as (endpoint, told):
        upstream = build(spec(endpoint, retries=RETRIES, channel=ChannelSpec(transport=transport)))
        try:
            await unary(_Taking(upstream.taking(SAFE)), Call("test.Test/Act", b"hi"))
        except RpcError as failure:
            return failure.status.code.name, told
        finally:
            await upstream.close(0)
        return "OK", told


class _Taking:
    def __init__(self, taking):
        self.start = taking.start


@pytest.mark.parametrize("ways", SEQUENCES, ids="-then-".join)
async def test_the_same_happens(ways):
    assert await by_gateway(ways, "native") == await by_grpc(ways)


@pytest.mark.parametrize("ways", SEQUENCES, ids="-then-".join)
async def test_the_same_happens_on_grpcio_which_keeps_the_count_to_itself(ways):
    status, told = await by_grpc(ways)
    assert await by_gateway(ways, "grpcio") == (status, [None] * len(told))


async def test_what_is_compared_is_retries():
    assert await by_grpc(["unavailable", "later", "ok"]) == ("OK", [None, "1", "2"])
