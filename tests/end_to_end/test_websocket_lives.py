"""Lives of sockets: many at once, what a backend and a reload do to them, and how they end."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
import yaml

from services_mock.testing import start
from tests.cli.processes import LISTENING
from tests.cli.processes import gateway as serving
from tests.end_to_end.sockets import JOIN, STOCK, WATCH, WHO, all_calls_end, config, socket
from tests.end_to_end.system import ROOT, gateway, reason_of


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


# A backend that dies.


@pytest.mark.parametrize("transport", ["native", "grpcio"])
async def test_a_backend_that_dies_ends_its_streams_and_no_others(tmp_path, transport):
    with start() as chat, start() as others:
        settings = config(chat.addresses, transport=transport)
        settings["upstreams"] = {
            "chat": {**settings["upstreams"]["shop"], "services": ["shop.chat.*"]},
            "others": {
                "services": ["shop.inventory.*"],
                "endpoints": others.addresses,
                "transport": transport,
            },
        }
        with gateway(tmp_path, settings) as served:
            async with socket(served.url) as client:
                dying = [await client.joined() for _ in range(10)]
                ticks = await client.open(WATCH, {"interval": "0.001s"}, end=True)
                await client.message(ticks)
                os.kill(chat.pids[0], signal.SIGKILL)
                for id_ in dying:
                    status = await client.end(id_)
                    assert status["status"] == "UNAVAILABLE", status
                    assert reason_of(status) == "UPSTREAM_RESET"
                    assert chat.addresses[0].rpartition(":")[2] not in str(status)
                for _ in range(100):
                    await client.message(ticks)
                await client.say("cancel", id=ticks)
                assert (await client.end(ticks))["status"] == "CANCELLED"


# Reload.


async def test_a_reload_closes_nothing_and_the_next_open_finds_what_is_new(shop, tmp_path):
    path = tmp_path / "gateway.yaml"
    settings = config(shop)
    settings["upstreams"]["shop"]["services"] = ["shop.chat.*", "shop.inventory.*"]
    path.write_text(yaml.safe_dump(settings))
    with serving("serve", "--config", path, cwd=ROOT) as running:
        async with socket(running.read_until(LISTENING)) as client:
            chat = await client.joined()
            ticks = await client.open(WATCH, {"interval": "0.001s"}, end=True)
            await client.message(ticks)
            who = await client.open(WHO, {}, end=True)
            assert reason_of(await client.end(who)) == "METHOD_NOT_FOUND"
            settings["upstreams"]["shop"]["services"] = ["shop.chat.*", "shop.users.*"]
            path.write_text(yaml.safe_dump(settings))
            running.signal(signal.SIGHUP)
            await asyncio.to_thread(running.read_error, "reloaded")
            who = await client.open(WHO, {}, end=True)
            assert (await client.end(who))["code"] == 0
            stock = await client.open(STOCK, {"productId": "p1"}, end=True)
            assert reason_of(await client.end(stock)) == "METHOD_NOT_FOUND"
            await client.echoes(chat, 50)
            for _ in range(100):  # more than came before the reload: its method is gone, it is not
                await client.message(ticks)
        running.signal(signal.SIGTERM)
        assert await asyncio.to_thread(running.wait) == 0


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
