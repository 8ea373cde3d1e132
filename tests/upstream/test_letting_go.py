"""Whatever way a call ends, nothing holds it then: no garbage collector has to find what it was.

Calls have messages of megabytes, and a collector comes when it likes.
"""

import asyncio
import gc
import weakref

import grpc
import pytest
import pytest_asyncio

from gateway.call import Call, Code, Deadline, RpcError
from gateway.upstream.channel import State
from gateway.upstream.endpoints import Endpoint, Listing
from gateway.upstream.manner import Manner, Repeats
from gateway.upstream.node import Cause
from gateway.upstream.spec import ChannelSpec, HedgingSpec, RetrySpec, UpstreamSpec
from gateway.upstream.upstream import build
from tests.upstream.clients import Client, unary, until
from tests.upstream.servers import LOCALHOST, backend, echo

RETRIES = RetrySpec(base=0.001, most=0.002, minimum=1000.0)
NOBODY = Listing(Endpoint(LOCALHOST, 1))


class Asked(Call):
    """A call that tells when it is let go of."""

    __slots__ = ("__weakref__",)


class Caller:
    """Who waits for an answer, and keeps it."""

    def __init__(self):
        self.result = None
        self.over = asyncio.Event()

    def done(self, result):
        self.result = result
        self.over.set()


class Backend:
    """What two servers do together: the first attempt of a call is not answered well."""

    def __init__(self):
        self.asked = 0

    async def busy(self, request, context):
        self.asked += 1
        if self.asked == 1:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "as the test says")
        return request

    async def slow(self, request, context):
        self.asked += 1
        if self.asked == 1:
            await asyncio.sleep(60)
        return request

    async def silent(self, request, context):
        await asyncio.sleep(60)

    async def refusing(self, request, context):
        await context.abort(grpc.StatusCode.NOT_FOUND, "as the test says")

    async def echoes(self, requests, context):
        async for request in requests:
            yield request

    async def fails(self, requests, context):
        async for _ in requests:
            pass
        await context.abort(grpc.StatusCode.UNAVAILABLE, "as the test says")
        yield b""

    async def quiet(self, requests, context):
        await asyncio.sleep(60)
        yield b""


@pytest_asyncio.fixture(loop_scope="session", params=["native", "grpcio"])
async def upstream_of(request):
    """Makes upstreams of two backends, or of those that are given."""
    does, opened = Backend(), []
    handlers = {
        "Echo": echo,
        "Busy": does.busy,
        "Slow": does.slow,
        "Silent": does.silent,
        "Refusing": does.refusing,
        "Echoes": ("stream_stream", does.echoes),
        "Fails": ("stream_stream", does.fails),
        "Quiet": ("stream_stream", does.quiet),
    }
    async with backend(**handlers) as one, backend(**handlers) as other:

        async def make(*listings, **spec):
            channel = ChannelSpec(transport=request.param)
            listed = listings or tuple(map(Listing, (one, other)))
            upstream = build(UpstreamSpec("test", listed, channel, **spec))
            opened.append(upstream)
            wanted = State.FAILING if listings else State.READY
            nodes = upstream.nodes.values()
            await until(lambda: all(each.state is wanted for each in nodes))
            if not listings:
                # The first call of a connection is held by it until the next.
                await asyncio.gather(*(unary(each.channel, Call("s/Echo")) for each in nodes))
            return upstream

        yield make
        for upstream in opened:
            await upstream.close(0)


@pytest.fixture(autouse=True)
def _no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def let_go(*held):
    """Waits until nothing holds any of these; fails if something does."""
    async with asyncio.timeout(5):
        await until(lambda: not any(each() for each in held))


def in_time(seconds):
    return Deadline(asyncio.get_running_loop().time() + seconds)


def called(upstream, manner, method, seconds=30.0, request=b"request"):
    """Starts a call; returns its caller, what cancels it, and a reference to each of the two."""
    call, caller = Asked(f"s/{method}", request, deadline=in_time(seconds)), Caller()
    cancel = upstream.taking(Manner(manner)).start(call, caller.done)
    return caller, cancel, (weakref.ref(call), weakref.ref(caller))


ENDS = {
    "answered": ("Echo", {}, {}, Code.OK),
    "refused": ("Refusing", {"retries": RETRIES}, {}, Code.NOT_FOUND),
    "unknown": ("None", {}, {}, Code.UNIMPLEMENTED),
    "late": ("Silent", {}, {"seconds": 0.02}, Code.DEADLINE_EXCEEDED),
    "late before it began": ("Echo", {}, {"seconds": -1.0}, Code.DEADLINE_EXCEEDED),
    "too large": ("Echo", {}, {"request": bytes(5_000_000)}, Code.RESOURCE_EXHAUSTED),
    "retried": ("Busy", {"retries": RETRIES}, {}, Code.OK),
    "retried after its time": (
        "Slow",
        {"retries": RetrySpec(base=0.001, per_try_timeout=0.05)},
        {},
        Code.OK,
    ),
    "hedged": ("Slow", {"hedging": HedgingSpec(delay=0.02)}, {}, Code.OK),
}


@pytest.mark.parametrize("end", ENDS)
async def test_a_call_that_has_ended_is_let_go_of(upstream_of, end):
    method, spec, asked, code = ENDS[end]
    upstream = await upstream_of(**spec)
    caller, cancel, held = called(upstream, Repeats.SAFE, method, **asked)
    await caller.over.wait()
    result = caller.result
    assert (result.status.code if isinstance(result, RpcError) else Code.OK) is code
    del caller, cancel, result
    await let_go(*held)


@pytest.mark.parametrize("manner", Repeats)
async def test_so_is_one_that_reached_nobody(upstream_of, manner):
    upstream = await upstream_of(NOBODY, retries=RETRIES)
    caller, cancel, held = called(upstream, manner, "Echo")
    await caller.over.wait()
    del caller, cancel
    await let_go(*held)


async def test_so_is_one_that_was_moved(upstream_of):
    upstream = await upstream_of()
    caller, cancel, held = called(upstream, Repeats.SAFE, "Slow")
    (node,) = (each for each in upstream.nodes.values() if each.pending)
    await asyncio.sleep(0.05)  # the backend has it
    node.take_out(Cause.HEALTH, "the test says so")
    await caller.over.wait()
    assert upstream.counts.moved == 1
    del caller, cancel
    await let_go(*held)


@pytest.mark.parametrize("after", [0.0, 0.05], ids=["at once", "when two are under way"])
async def test_so_is_one_that_is_cancelled(upstream_of, after):
    upstream = await upstream_of(hedging=HedgingSpec(delay=0.01), retries=RETRIES)
    caller, cancel, held = called(upstream, Repeats.SAFE, "Silent")
    await asyncio.sleep(after)
    cancel()
    del caller, cancel
    await let_go(*held)


STREAMS = {
    "answered": ("Echoes", {}, {}, Code.OK),
    "answered, after which it was kept": ("Echoes", {"retries": RETRIES}, {}, Code.OK),
    "failed": ("Fails", {}, {}, Code.UNAVAILABLE),
    "failed again": ("Fails", {"retries": RETRIES}, {}, Code.UNAVAILABLE),
    "late": ("Quiet", {"retries": RETRIES}, {"seconds": 0.05}, Code.DEADLINE_EXCEEDED),
}


async def streamed(upstream, manner, method, seconds=30.0):
    """Runs a stream; returns how it ended, and a reference to it."""
    call = Client(f"s/{method}", [b"1", b"2", b"3"], deadline=in_time(seconds))
    held, code = weakref.ref(call), Code.OK
    try:
        await upstream.taking(Manner(manner)).stream(call)
    except RpcError as failure:
        code = failure.status.code
    return code, held


@pytest.mark.parametrize("end", STREAMS)
async def test_so_is_a_stream(upstream_of, end):
    method, spec, asked, code = STREAMS[end]
    upstream = await upstream_of(**spec)
    ended, held = await streamed(upstream, Repeats.SAFE, method, **asked)
    assert ended is code
    await let_go(held)


@pytest.mark.parametrize("manner", Repeats)
async def test_so_is_a_stream_that_reached_nobody(upstream_of, manner):
    upstream = await upstream_of(NOBODY, retries=RETRIES)
    ended, held = await streamed(upstream, manner, "Echoes")
    assert ended is Code.UNAVAILABLE
    await let_go(held)


async def test_so_is_a_stream_that_is_cancelled(upstream_of):
    upstream = await upstream_of(retries=RETRIES)
    call = Client("s/Quiet", [b"1"], deadline=in_time(30.0))
    held = weakref.ref(call)
    running = asyncio.create_task(upstream.taking(Manner(Repeats.SAFE)).stream(call))
    await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.wait({running})
    del call, running
    await let_go(held)
