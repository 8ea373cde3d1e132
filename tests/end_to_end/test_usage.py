"""What callers used, counted by real gateways: each call that was answered, exactly once."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import aiohttp
import pytest
import yaml

from gateway.policies.auth.key_form import digest_of, new_key
from tests.end_to_end.system import gateway, shop_config
from tests.redis_server import running as redis_running

PRODUCT = "/v1/products/p1"
ENDLESS = "/v1/stock:watch?interval=0.01s"
GET = "shop.catalog.v1.CatalogService/GetProduct"
PATIENCE = 60  # seconds: the machine of the tests may be busy


class Metered:
    """A gateway that counts, its clients and its operators."""

    def __init__(self, served, session):
        self.served = served
        self.session = session
        self.answered = 0

    async def call(self, path=PRODUCT, **given):
        async with self.session.get(self.served.url + path, **given) as response:
            await response.read()
            self.answered += 1
            return response.status

    async def usage(self, **query):
        """The answer, once it can be had."""
        async with asyncio.timeout(PATIENCE):
            while True:
                async with self.session.get(f"{self.served.admin}/usage", params=query) as reply:
                    if reply.status == 200:
                        return (await reply.json())["rows"]
                    assert reply.status == 503, await reply.text()
                await asyncio.sleep(0.05)

    async def calls(self):
        """All calls of today."""
        rows = await self.usage(by="")
        return rows[0]["calls"] if rows else 0

    async def until_calls(self, number):
        """Waits until so many calls of today are told; returns the last number that was."""
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                while await self.calls() != number:
                    await asyncio.sleep(0.05)
        return await self.calls()

    async def until(self, check):
        async with asyncio.timeout(PATIENCE):
            while not check(await self.usage()):
                await asyncio.sleep(0.05)

    async def workers(self):
        async with self.session.get(f"{self.served.admin}/workers") as reply:
            return [each["pid"] for each in (await reply.json())["workers"]]

    @asynccontextmanager
    async def loaded(self, clients=4):
        """Clients that call one after another while the block runs."""
        going = True

        async def client():
            while going:
                assert await self.call() == 200

        tasks = [asyncio.create_task(client()) for _ in range(clients)]
        try:
            yield
        finally:
            going = False
            await asyncio.gather(*tasks)


@asynccontextmanager
async def metered(folder, shop, **sections):
    folder.mkdir(exist_ok=True)
    sections.setdefault("usage", {"enabled": True})
    with gateway(folder, shop_config(shop, **sections)) as served:
        async with aiohttp.ClientSession() as session:
            yield Metered(served, session)


async def test_each_caller_s_calls_messages_and_bytes(shop, tmp_path):
    key = new_key()
    stored = {"hash": f"sha256:{digest_of(key.text).hex()}", "owner": "acme", "plan": "free"}
    keys = tmp_path / "keys.yaml"
    keys.write_text(yaml.safe_dump({"keys": {key.id: stored}}))
    keys.chmod(0o600)
    auth = {"providers": {"partners": {"api_key": {"keys": {"file": str(keys)}}}}}
    opened = [
        {"methods": ["shop.*"], "authenticate": ["partners", "none"]},
        {"methods": ["shop.orders.*"], "authorize": {"scopes": ["orders.read"]}},
    ]
    async with metered(tmp_path / "gateway", shop, auth=auth, policies=opened) as one:
        known = {"x-api-key": key.text}
        assert [await one.call(headers=known) for _ in range(3)] == [200] * 3
        assert await one.call() == 200
        assert await one.call("/v1/products/nothing", headers=known) == 404
        # What may not be called is not used.
        assert await one.call("/v1/orders/o1", headers=known) == 403
        assert await one.call("/v1/nowhere", headers=known) == 404
        asked = {"query": '{ getProduct(id: "p1") { id } }'}
        async with one.session.post(
            f"{one.served.url}/graphql", json=asked, headers=known
        ) as reply:
            assert "errors" not in await reply.json()

        whose, nobodys = sorted(await one.usage(), key=lambda row: -row["calls"])
        assert (nobodys["provider"], nobodys["subject"], nobodys["plan"]) == ("", "", "")
        assert (whose["provider"], whose["subject"], whose["plan"]) == ("partners", "acme", "free")
        assert whose["method"] == nobodys["method"] == GET
        numbers = ("calls", "errors", "request_messages", "reply_messages")
        assert [whose[name] for name in numbers] == [5, 1, 5, 4]
        assert [nobodys[name] for name in numbers] == [1, 0, 1, 1]
        # Messages as they are between the gateway and backends, serialized.
        assert nobodys["request_bytes"] == len(b"\n\x02p1")
        assert whose["reply_bytes"] == 4 * nobodys["reply_bytes"] > 0
        by_plan = await one.usage(by="plan", period="month")
        assert [(row["plan"], row["calls"]) for row in by_plan] == [("", 1), ("free", 5)]


async def test_a_stream_is_told_of_before_its_end_and_is_a_call_at_it(shop, tmp_path):
    async with metered(tmp_path, shop) as one:
        async with one.session.get(one.served.url + ENDLESS) as reply:
            await reply.content.readline()
            await one.until(lambda rows: rows and rows[0]["reply_messages"] >= 3)
            (row,) = await one.usage()
            assert (row["calls"], row["request_messages"]) == (0, 1)
        await one.until(lambda rows: rows[0]["calls"] == 1)


async def test_without_usage_nothing_is_counted(shop, tmp_path):
    async with (
        metered(tmp_path, shop, usage={"enabled": False}) as one,
        one.session.get(f"{one.served.admin}/usage") as reply,
    ):
        assert reply.status == 404
        assert "usage.enabled is not set" in await reply.text()


async def test_a_reload_loses_nothing(shop, tmp_path):
    async with metered(tmp_path, shop) as one:
        async with one.loaded():
            for _ in range(3):
                os.kill(one.served.pid, signal.SIGHUP)
                await asyncio.sleep(0.3)
        assert await one.calls() == one.answered > 0


async def test_of_workers_the_supervisor_has_the_sum_also_of_those_that_died(shop, tmp_path):
    async with metered(tmp_path, shop, workers=2) as two:
        async with two.loaded(8):
            await asyncio.sleep(1)
        assert await two.calls() == two.answered > 0
        first, _ = await two.workers()
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            while first in (pids := await two.workers()) or None in pids:
                await asyncio.sleep(0.05)
        # Connections to the dead one are gone.
        async with aiohttp.ClientSession() as two.session:
            assert await two.calls() == two.answered
            async with two.loaded(8):
                await asyncio.sleep(0.5)
            assert await two.calls() == two.answered


@pytest.fixture
def redis(tmp_path):
    (tmp_path / "redis").mkdir()
    with redis_running(tmp_path / "redis", persistent=True) as server:
        yield server


async def test_a_redis_that_is_killed_and_restarted_loses_and_doubles_nothing(
    shop, tmp_path, redis
):
    async with metered(tmp_path / "one", shop, state=redis.url) as one:
        async with one.loaded():
            for _ in range(3):
                await asyncio.sleep(1.2)
                await asyncio.to_thread(redis.kill)
                await asyncio.sleep(0.5)
                await asyncio.to_thread(redis.start)
        assert await one.calls() == one.answered > 0


async def test_a_redis_that_is_frozen_loses_and_doubles_nothing(shop, tmp_path, redis):
    # What was sent to it before it froze is done when it goes on, and was told again meanwhile.
    async with metered(tmp_path / "one", shop, state=redis.url) as one:
        async with one.loaded():
            for _ in range(4):
                await asyncio.sleep(1)
                redis.stop()
                await asyncio.sleep(1.5)
                redis.cont()
        assert await one.until_calls(one.answered) == one.answered > 0


async def test_a_redis_that_is_full_loses_and_doubles_nothing(shop, tmp_path, redis):
    # It answers, and refuses to write: what was used waits, and calls go on.
    async with metered(tmp_path / "one", shop, state=redis.url) as one:
        async with one.loaded():
            await asyncio.sleep(1.2)
            await asyncio.to_thread(redis.full)
            await asyncio.sleep(2.5)
        before = one.answered
        async with one.session.get(f"{one.served.admin}/usage") as reply:
            assert reply.status == 503, "never a part of the numbers"
        await asyncio.to_thread(redis.full, is_full=False)
        assert await one.calls() == before > 0
        assert await one.call() == 200
        assert await one.calls() == before + 1


async def test_workers_and_gateways_share_one_sum(shop, tmp_path, redis):
    async with AsyncExitStack() as stack:
        three = [
            await stack.enter_async_context(
                metered(tmp_path / f"gateway{number}", shop, state=redis.url, workers=workers)
            )
            for number, workers in enumerate((1, 2, 1))
        ]
        async with AsyncExitStack() as loads:
            for each in three:
                await loads.enter_async_context(each.loaded())
            await asyncio.sleep(1.5)
            redis.restart()
            await asyncio.sleep(1.5)
        made = sum(each.answered for each in three)
        assert [await each.until_calls(made) for each in three] == [made] * 3


async def test_the_end_of_a_gateway_tells_the_rest(shop, tmp_path, redis):
    async with metered(tmp_path / "stays", shop, state=redis.url) as stays:
        for workers in (1, 2):
            async with metered(
                tmp_path / f"ends{workers}", shop, state=redis.url, workers=workers
            ) as ends:
                async with ends.loaded():
                    await asyncio.sleep(0.3)
                stays.answered += ends.answered
            assert await stays.calls() == stays.answered
