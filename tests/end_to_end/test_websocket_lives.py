"""Lives of sockets: many at once, and how they end with their gateway or before it."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from tests.end_to_end.sockets import JOIN, STOCK, WATCH, all_calls_end, config, socket
from tests.end_to_end.system import gateway, reason_of


@pytest.fixture(scope="module", params=["native", "grpcio"])
def served(request, shop, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    with gateway(folder, config(shop, transport=request.param)) as each:
        yield each


# Many.


async def test_100_sockets_of_10_streams_lose_nothing_and_keep_the_order(served):
    """A small version of what the benchmarks do with ten times as many."""

    async def use(framing):
        async with socket(served.url, framing) as client:
            ids = [
                await client.open(WATCH, {"interval": "0.05s", "count": 10}, end=True)
                for _ in range(9)
            ]
            chat = await client.joined()
            await client.echoes(chat, 10)
            for id_ in ids:
                ticks, status = await client.whole(id_)
                assert [each["sequence"] for each in ticks] == [str(n) for n in range(1, 11)]
                assert status["code"] == 0
            await client.say("message", id=chat, end=True)
            assert (await client.end(chat))["code"] == 0

    await asyncio.gather(*(use(("json", "proto")[n % 2]) for n in range(100)))


# The end of the gateway.

STREAMS = {
    "endless": (WATCH, {"interval": "0.05s"}, {"end": True}),
    "ending": (WATCH, {"interval": "0.05s", "count": 12}, {"end": True}),
    "chat": (JOIN, {"room": "lobby"}, {}),
    "unary": (STOCK, {"productId": "p1"}, {"hang": 1, "end": True}),
}


@pytest.mark.parametrize(
    ("transport", "features"),
    [("native", []), ("native", ["resume"]), ("grpcio", [])],
    ids=["native", "resumable", "grpcio"],
)
async def test_a_drain_under_load_leaves_no_stream_without_a_status(
    shop, tmp_path, transport, features
):
    settings = config(shop, transport=transport, resume="60s")
    settings["listener"]["drain_timeout"] = "2s"
    started = asyncio.Barrier(51)

    async def use(framing, late):
        async with socket(served.url, framing, features=features) as client:
            ids = {
                name: await client.faulty(method, body, **options)
                for name, (method, body, options) in STREAMS.items()
            }
            await client.message(ids["endless"])
            await client.message(ids["chat"])
            await started.wait()
            goaway = await client.of(None)
            assert (goaway["t"], goaway["reason"]) == ("goaway", "draining")
            if late:
                refused = await client.end(await client.open(STOCK, {}, end=True))
                assert refused["status"] == "UNAVAILABLE"
                assert reason_of(refused) == "DRAINING"
            frames, code, _ = await client.all()
            assert code == 4000
            assert not [frame for frame in frames if frame["t"] == "goaway"]
            ends = [frame for frame in frames if frame["t"] == "status"]
            statuses = {frame["id"]: frame["status"] for frame in ends}
            assert len(ends) == len(statuses) == len(ids)
            for name, id_ in ids.items():
                assert statuses[id_] == ("OK" if name == "ending" else "UNAVAILABLE"), name
            assert {reason_of(frame) for frame in ends} <= {None, "DRAINING"}

    with gateway(tmp_path, settings) as served:
        using = [asyncio.create_task(use(("json", "proto")[n % 2], n % 5 == 0)) for n in range(50)]
        await started.wait()
        os.kill(served.pid, signal.SIGTERM)
        await asyncio.gather(*using)
        assert await asyncio.to_thread(served.process.wait, 20) == 0
    await all_calls_end(shop, WATCH, JOIN, STOCK)


async def test_a_drain_ends_as_soon_as_all_streams_have(shop, tmp_path):
    """Its time is far longer than this test may take."""
    settings = config(shop)
    settings["listener"]["drain_timeout"] = "1h"
    with gateway(tmp_path, settings) as served:
        async with socket(served.url) as client, socket(served.url) as idle:
            chat = await client.joined()
            os.kill(served.pid, signal.SIGTERM)
            assert (await client.of(None))["t"] == "goaway"
            frames, code, _ = await idle.all()
            assert [frame["t"] for frame in frames] == ["goaway"]
            assert code == 4000
            await client.echoes(chat, 20)
            await client.say("message", id=chat, end=True)
            assert (await client.end(chat))["code"] == 0
            assert await client.closed() == 4000
        assert await asyncio.to_thread(served.process.wait, 20) == 0


async def test_a_socket_that_is_too_old_or_idle_is_left(shop, tmp_path):
    limits = {"max_age": "300ms"}
    with gateway(tmp_path, config(shop, limits=limits)) as served:
        async with socket(served.url) as client:
            chat = await client.joined()
            goaway = await client.of(None)
            assert (goaway["t"], goaway["reason"]) == ("goaway", "max_age")
            assert 0 <= goaway.get("reconnect_ms", 0) <= 5000
            await client.echoes(chat, 5)
            await client.say("cancel", id=chat)
            assert await client.closed() == 4000
    with gateway(tmp_path, config(shop, limits={"idle_timeout": "100ms"})) as served:
        async with socket(served.url) as client:
            assert await client.closed() == 4000
