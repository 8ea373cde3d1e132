"""Health through sockets: real servers, both transports."""

import asyncio
import signal
import sys
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse

from gateway.upstream.endpoints import Endpoint, Listing
from gateway.upstream.node import Cause
from gateway.upstream.spec import ChannelSpec, HealthSpec, UpstreamSpec
from gateway.upstream.upstream import build
from tests.upstream.clients import until
from tests.upstream.processes import ROOT
from tests.upstream.servers import LOCALHOST, backend, echo

NEVER = 3600.0
SHOP = "shop.v1.Catalog"


@pytest.fixture(params=["native", "grpcio"])
def transport(request):
    return request.param


def ours():
    """Returns the tasks of the gateway; servers have theirs too."""
    coroutines = (task.get_coro() for task in asyncio.all_tasks())
    codes = (getattr(each, "cr_code", None) for each in coroutines)
    return [code.co_qualname for code in codes if code and "/gateway/" in code.co_filename]


@asynccontextmanager
async def watched(transport, *endpoints, **spec):
    """The nodes of an upstream that is asked for its health; nothing of it is left in the end."""
    upstream = build(
        UpstreamSpec(
            "test",
            tuple(map(Listing, endpoints)),
            channel=ChannelSpec(transport=transport),
            health=HealthSpec(**spec),
        )
    )
    try:
        yield list(upstream.nodes.values())
    finally:
        await upstream.close(0)
    await asyncio.sleep(0)
    assert ours() == []


@asynccontextmanager
async def serving():
    """A server of grpcio with its health servicer."""
    server = grpc.aio.server()
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port(f"{LOCALHOST}:0")
    await server.start()
    try:
        yield Endpoint(LOCALHOST, port), servicer, server
    finally:
        await server.stop(None)


async def test_a_change_is_heard_of_at_once(transport):
    async with serving() as (endpoint, servicer, _):
        await servicer.set(SHOP, HealthCheckResponse.SERVING)
        async with watched(transport, endpoint, interval=NEVER, service=SHOP) as (node,):
            await until(lambda: node.channel.pending == 1)  # the Watch
            await servicer.set(SHOP, HealthCheckResponse.NOT_SERVING)
            await until(lambda: node.out)
            assert node.out == {Cause.HEALTH: "it says NOT_SERVING"}
            await servicer.set(SHOP, HealthCheckResponse.SERVING)
            await until(lambda: not node.out)


async def test_a_service_that_the_server_does_not_know_is_not_well(transport):
    async with (
        serving() as (endpoint, _, _),
        watched(transport, endpoint, interval=0.05, service="nobody") as (node,),
    ):
        await until(lambda: node.out)
        assert node.out == {Cause.HEALTH: "it does not know the service"}


async def test_check_is_asked_where_there_is_no_watch(transport):
    status = HealthCheckResponse.SERVING

    async def check(request, context):
        return HealthCheckResponse(status=status).SerializeToString()

    async with (
        backend(Check=check) as endpoint,
        watched(transport, endpoint, interval=0.02) as (node,),
    ):
        status = HealthCheckResponse.NOT_SERVING
        await until(lambda: node.out)
        status = HealthCheckResponse.SERVING
        await until(lambda: not node.out)


async def test_a_server_without_health_is_well_while_it_lives(transport, caplog):
    async with watched(transport, Endpoint(LOCALHOST, 1), interval=0.02) as (node,):
        await until(lambda: node.out)
        assert node.out == {Cause.HEALTH: "it cannot be reached"}
    caplog.clear()
    async with (
        backend(Echo=echo) as endpoint,
        watched(transport, endpoint, interval=0.02) as (node,),
    ):
        await until(lambda: "it has no grpc.health.v1" in caplog.text)
        assert not node.out


async def test_a_graceful_stop_does_not_wait_for_the_watch(transport):
    async with (
        serving() as (endpoint, _, server),
        watched(transport, endpoint, interval=NEVER) as (node,),
    ):
        await until(lambda: node.channel.pending == 1)
        await asyncio.wait_for(server.stop(30), 5)


@asynccontextmanager
async def process(port=0):
    """A server in a process of its own, and its port."""
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.upstream.health.server",
        str(port),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield server, int(await server.stdout.readline())
    finally:
        if server.returncode is None:
            server.kill()
        await server.communicate()


async def test_a_process_that_hangs_is_found_and_comes_back(transport):
    async with (
        process() as (server, port),
        watched(transport, Endpoint(LOCALHOST, port), interval=0.1, timeout=0.1) as (node,),
    ):
        await until(lambda: node.channel.pending == 1)
        server.send_signal(signal.SIGSTOP)
        await until(lambda: node.out)
        assert node.out == {Cause.HEALTH: "it did not answer in time"}
        server.send_signal(signal.SIGCONT)
        await until(lambda: not node.out)


async def test_a_process_that_is_killed_is_found_and_another_in_its_place_too(transport):
    async with process() as (server, port):
        endpoint = Endpoint(LOCALHOST, port)
        async with watched(transport, endpoint, interval=0.1, timeout=0.5) as (node,):
            await until(lambda: node.channel.pending == 1)
            server.kill()
            await until(lambda: node.out)
            await server.wait()
            async with process(port):
                await until(lambda: not node.out)
