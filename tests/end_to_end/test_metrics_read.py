"""Metrics that are read of what the parts of a gateway have themselves, before and after a reload."""

from __future__ import annotations

import asyncio
import os
import signal

import aiohttp
import pytest
import yaml

from gateway.telemetry.metrics.catalogue import METRICS
from tests.end_to_end.graph import JOINS
from tests.end_to_end.observed import PRODUCT, WATCH, Client
from tests.end_to_end.system import FAULTS, gateway, shop_config
from tests.end_to_end.test_metrics import GROWS, sample, scraped

UNTOLD = {"http.server.active_requests", "gateway.streams", "gateway.sockets"}
"""Gauges of which nothing is told where there is nothing."""


def config(shop, **telemetry):
    return shop_config(
        shop,
        graphql={"joins": [JOINS], "operations": []},
        headers={"request": {"allow": ["x-request-id", *FAULTS]}, "response": {"allow": []}},
        adaptive_concurrency={"enabled": True, "min": 10},
        telemetry=telemetry,
        upstreams={
            "shop": {"services": ["shop.*"], "endpoints": shop, "concurrency": 100},
            "copy": {"endpoints": shop},
        },
        policies=[
            {
                "methods": [PRODUCT],
                "cache": {"ttl": "1h"},
                "concurrency": 50,
                "mirror": {"upstream": "copy", "percent": 100},
                "rate_limits": [{"name": "each", "rate": "3/h", "key": "address"}],
            }
        ],
    )


@pytest.fixture(scope="module")
def running(shop, tmp_path_factory):
    folder = tmp_path_factory.mktemp("read")
    with gateway(folder, config(shop)) as served:
        yield served, folder


@pytest.fixture
async def client(running):
    async with aiohttp.ClientSession(running[0].url) as session:
        yield Client(running[0], session, None)


async def until(admin, session, wanted):
    """Waits until samples have these values."""
    found = {}
    try:
        async with asyncio.timeout(20):
            while True:
                found = await scraped(admin, session)
                if all(found.get(key) == value for key, value in wanted.items()):
                    return found
                await asyncio.sleep(0.02)
    except TimeoutError:
        assert {key: found.get(key) for key in wanted} == wanted
        raise


async def test_what_the_parts_have_is_told_and_a_reload_takes_no_counter_back(
    client, running, shop
):
    served, folder = running
    admin, session = served.admin, client.session
    answers = [(await client.http("each", "/v1/products/p1"))[0] for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    await client.graphql("graph", "{ listWarehouses { warehouses { id } } }")
    shop_ = {"gateway_upstream": "shop"}
    found = await until(
        admin,
        session,
        {
            sample("gateway_limit_decisions_total", gateway_limit="each", gateway_decision=d): n
            for d, n in (("allowed", 3), ("refused", 1), ("dark", 0), ("delayed", 0))
        }
        | {
            sample("gateway_cache_requests_total", rpc_method=PRODUCT, gateway_outcome=o): n
            for o, n in (("miss", 1), ("hit", 2))
        }
        | {
            sample("gateway_cache_entries", gateway_store="cache"): 1,
            sample(
                "gateway_mirror_copies_total", gateway_upstream="copy", gateway_outcome="sent"
            ): 1,
            sample("gateway_upstream_events_total", gateway_event="calls", **shop_): 2,
            sample(
                "gateway_upstream_endpoints", gateway_state="available", gateway_worker=0, **shop_
            ): 1,
            sample("gateway_upstream_channels", gateway_state="ready", **shop_): 1,
            sample("gateway_upstream_breaker_open", **shop_): 0,
            sample("gateway_concurrency_running", gateway_bound="method", gateway_name=PRODUCT): 0,
            sample("gateway_adaptive_concurrency_running", **shop_): 0,
            sample("gateway_graphql_document_lookups_total", gateway_outcome="miss"): 1,
            sample("gateway_graphql_plan_lookups_total", gateway_outcome="miss"): 1,
            sample("gateway_graphql_documents"): 1,
            sample("gateway_generation", gateway_worker=0): 1,
            sample("gateway_workers"): 1,
            sample("gateway_telemetry_failures_total"): 0,
        },
    )
    told = {name for name, _ in found}
    for metric in METRICS.values():
        if metric.kind.value == "gauge" and metric.name not in UNTOLD:
            assert told & set(metric.samples), metric.name

    before = await scraped(admin, session, GROWS)
    given = config(shop)
    given["listener"]["address"] = served.url.removeprefix("http://")
    (folder / "gateway.yaml").write_text(yaml.safe_dump(given | {"plans": {"gold": {}}}))
    os.kill(served.pid, signal.SIGHUP)
    await until(
        admin,
        session,
        {
            sample("gateway_reloads_total", gateway_outcome="ok", gateway_worker=0): 1,
            sample("gateway_generation", gateway_worker=0): 2,
            sample("gateway_reload_last_successful", gateway_worker=0): 1,
        },
    )
    after = await scraped(admin, session, GROWS)
    assert not {key for key, value in before.items() if after.get(key, 0) < value}
    (folder / "gateway.yaml").write_text("nonsense: 1")
    os.kill(served.pid, signal.SIGHUP)
    await until(
        admin,
        session,
        {
            sample("gateway_reloads_total", gateway_outcome="failed", gateway_worker=0): 1,
            sample("gateway_reload_last_successful", gateway_worker=0): 0,
        },
    )


async def test_what_is_under_way_is_told_while_it_is(client, running):
    served, session = running[0], client.session
    active = sample("http_server_active_requests", http_request_method="GET", url_scheme="http")
    streams = sample("gateway_streams", gateway_front="rest", rpc_method=WATCH)
    sent = sample(
        "gateway_stream_messages_total",
        gateway_front="rest", rpc_method=WATCH, gateway_direction="sent",
    )  # fmt: skip
    async with session.get("/v1/stock:watch?interval=0.01s") as response:
        await response.content.readuntil(b"sequence")
        found = await until(served.admin, session, {active: 1, streams: 1})
        assert found[sent] >= 1
        assert found[sample("gateway_connections")] >= 1
        response.close()
    found = await until(served.admin, session, {active: None, streams: None})
    assert found[sent] >= 1


async def test_where_nothing_is_counted_the_page_says_so(shop, tmp_path):
    with gateway(tmp_path, config(shop, metrics=False)) as served:
        async with (
            aiohttp.ClientSession(served.url) as session,
            session.get(f"{served.admin}/metrics") as response,
        ):
            assert response.status == 404
            assert "telemetry.metrics" in await response.text()
