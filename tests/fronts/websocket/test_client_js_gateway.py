"""client.js in Node against a gateway and the example's backends, through real sockets."""

import grpc.aio
import pytest
import pytest_asyncio

from services_mock.testing import start
from tests.client.gated import gated
from tests.end_to_end.system import Backend, gateway, shop_config
from tests.fronts.graphql.serve.node import needs_node
from tests.fronts.websocket.node import run

pytestmark = [needs_node, pytest.mark.asyncio(loop_scope="module")]

WATCH = "/shop.inventory.v1.InventoryService/WatchStock"


@pytest.fixture(scope="module")
def shop():
    with start() as backend:
        yield backend.addresses


@pytest.fixture(scope="module")
def url(shop, tmp_path_factory):
    websocket = {"resume": "30s", "limits": {"messages": "100000/s", "opens": "30/s"}}
    config = shop_config(shop, websocket=websocket)
    with gateway(tmp_path_factory.mktemp("gateway"), config) as served:
        yield f"{served.url}/ws"


@pytest_asyncio.fixture(loop_scope="module")
async def backend(shop):
    async with grpc.aio.insecure_channel(shop[0]) as channel:
        yield Backend(channel)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scenes(url):
    """What came of each scene: one client plays them, one after the other."""
    calls = ["unary", "refused", "unknown", "server", "client", "both", "late", "many"]
    return await run("gateway.mjs", url, *calls, "nowhere", "cuts")


async def test_a_unary_call(scenes):
    assert scenes["unary"] == "p1"


async def test_an_error_has_its_details(scenes):
    error = scenes["refused"]
    assert error["status"] == "NOT_FOUND"
    assert any(each["@type"].endswith("google.rpc.ResourceInfo") for each in error["details"])


async def test_a_method_that_is_none(scenes):
    assert scenes["unknown"]["status"] == "UNIMPLEMENTED"


async def test_a_server_stream(scenes):
    assert scenes["server"]["ticks"] == list(range(1, 301))
    assert scenes["server"]["end"]["code"] == 0


async def test_a_client_stream(scenes):
    assert scenes["client"] == 50


async def test_a_stream_in_both_directions(scenes):
    assert scenes["both"] == ["joined", "message"]


async def test_a_deadline_is_the_gateways_to_keep(scenes):
    late = scenes["late"]
    assert late["status"] == "DEADLINE_EXCEEDED"
    # The gateway's words, not those of the client's own clock.
    assert late["message"] != "The call took too long."


async def test_what_refuses_a_handshake_is_told_at_once_and_what_is_not_there_in_time(scenes):
    elsewhere, foreign, nobody = scenes["nowhere"]
    assert elsewhere == [True, "UNAVAILABLE", "Unexpected server response: 404"]
    assert foreign == [True, "PERMISSION_DENIED", "Unexpected server response: 403"]
    assert nobody[:2] == [False, "UNAVAILABLE"]
    assert "ECONNREFUSED" in nobody[2]


async def test_cuts_lose_nothing_and_double_nothing(scenes):
    cuts = scenes["cuts"]
    assert cuts["ticks"] == list(range(1, 2001))
    assert cuts["pongs"] == list(range(1, 2001))
    assert cuts["resumed"] >= 10


async def test_many_calls_at_once_are_opened_at_the_gateways_pace(scenes):
    assert scenes["many"] == {"OK": 60}


async def test_streams_share_what_a_socket_may_be_sent_and_none_is_refused(tmp_path):
    async with gated() as (_, address):
        config = shop_config([address], websocket={"limits": {"opens": "1000/s"}})
        with gateway(tmp_path, config) as served:
            uploads = (await run("gateway.mjs", f"{served.url}/ws", "uploads"))["uploads"]
    # The gateway takes one message of each stream, which waits for the backend; then 20 fit.
    assert uploads == {"counted": [5] * 40, "before": 60}


async def test_leaving_a_loop_cancels_at_the_backend(url, backend):
    before = await backend.counts(WATCH)
    assert (await run("gateway.mjs", url, "left"))["left"]
    await backend.until_gone(WATCH, before)
