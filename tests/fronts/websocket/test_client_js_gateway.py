"""client.js in Node against a gateway and the example's backends, through real sockets."""

import grpc.aio
import pytest

from services_mock.testing import start
from tests.end_to_end.system import Backend, gateway, shop_config
from tests.fronts.graphql.serve.node import needs_node
from tests.fronts.websocket.node import run

pytestmark = needs_node

WATCH = "/shop.inventory.v1.InventoryService/WatchStock"


@pytest.fixture(scope="module")
def shop():
    with start() as backend:
        yield backend.addresses


@pytest.fixture(scope="module")
def url(shop, tmp_path_factory):
    websocket = {"resume": "30s", "limits": {"messages": "100000/s", "opens": "1000/s"}}
    config = shop_config(shop, websocket=websocket)
    with gateway(tmp_path_factory.mktemp("gateway"), config) as served:
        yield f"{served.url}/ws"


@pytest.fixture
async def backend(shop):
    async with grpc.aio.insecure_channel(shop[0]) as channel:
        yield Backend(channel)


async def scene(url, name):
    return (await run("gateway.mjs", url, name))[name]


async def test_a_unary_call(url):
    assert await scene(url, "unary") == "p1"


async def test_an_error_has_its_details(url):
    error = await scene(url, "refused")
    assert error["status"] == "NOT_FOUND"
    assert any(each["@type"].endswith("google.rpc.ResourceInfo") for each in error["details"])


async def test_a_method_that_is_none(url):
    assert (await scene(url, "unknown"))["status"] == "UNIMPLEMENTED"


async def test_a_server_stream(url):
    server = await scene(url, "server")
    assert server["ticks"] == list(range(1, 301))
    assert server["end"]["code"] == 0


async def test_a_client_stream(url):
    assert await scene(url, "client") == 50


async def test_a_stream_in_both_directions(url):
    assert await scene(url, "both") == ["joined", "message"]


async def test_leaving_a_loop_cancels_at_the_backend(url, backend):
    before = await backend.counts(WATCH)
    assert await scene(url, "left")
    await backend.until_gone(WATCH, before)


async def test_a_deadline_is_the_gateways_to_keep(url):
    late = await scene(url, "late")
    assert late["status"] == "DEADLINE_EXCEEDED"
    # The gateway's words, not those of the client's own clock.
    assert late["message"] != "The call took too long."


async def test_cuts_lose_nothing_and_double_nothing(url):
    cuts = await scene(url, "cuts")
    assert cuts["ticks"] == list(range(1, 2001))
    assert cuts["pongs"] == list(range(1, 2001))
    assert cuts["resumed"] >= 10
