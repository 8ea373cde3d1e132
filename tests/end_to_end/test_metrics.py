"""Metrics of a whole gateway: what was sent is what was counted, over all fronts and two workers."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections import Counter

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from gateway.telemetry.metrics.exposition import OPENMETRICS, TEXT
from tests.end_to_end.observed import CASES, PRODUCT, Asked, Called, Client, watched
from tests.end_to_end.system import gateway, shop_config

PATIENCE = 20
HTTP = "http_server_request_duration_seconds_count"
CALLS = "gateway_call_duration_seconds_count"
ATTEMPTS = "rpc_client_call_duration_seconds_count"
REFUSALS = "gateway_refusals_total"
CLOSES = "gateway_socket_closes_total"
OPERATIONS = "gateway_graphql_operation_duration_seconds_count"
MESSAGES = "gateway_stream_messages_total"
COUNTED = {HTTP, CALLS, ATTEMPTS, REFUSALS, CLOSES, OPERATIONS}
WATCHED = COUNTED | {MESSAGES}
LABEL = re.compile(r'(\w+)="([^"\\]*)"')

ALL = {"counter", "histogram", "gauge"}
GROWS = {"counter", "histogram"}


async def page(admin, session):
    """The page of all metrics."""
    async with session.get(f"{admin}/metrics", headers={"accept": OPENMETRICS}) as response:
        assert response.status == 200, await response.text()
        assert response.headers["content-type"] == OPENMETRICS
        return await response.text()


def counts(text):
    """The samples of `COUNTED` and of messages, by name and labels; quicker than reading all."""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.partition("{")
        if name in WATCHED:
            labels, _, value = rest.rpartition("} ")
            found[name, frozenset(LABEL.findall(labels))] = float(value)
    return found


async def scraped(admin, session, types=ALL):
    """The samples of metrics of these types, by name and labels."""
    text = await page(admin, session)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if family.type in types
    }


def sample(name, **labels):
    return name, frozenset((key, str(value)) for key, value in labels.items() if value != "")


def of_call(front: str, call: Called) -> Counter:
    """What a call must count."""
    code = call.code or "CANCELLED"
    error = "" if code == "OK" else call.reason or code
    found = Counter(
        {
            sample(
                CALLS,
                gateway_front=front,
                rpc_method=call.method,
                rpc_response_status_code=code,
                error_type=error,
            ): 1
        }
    )
    for each in call.attempts:
        code = each or "CANCELLED"
        error = "" if code == "OK" else code
        found[
            sample(
                ATTEMPTS,
                rpc_system_name="grpc",
                rpc_method=call.method,
                rpc_response_status_code=code,
                error_type=error,
                gateway_upstream="shop",
            )
        ] += 1
    if call.reason:
        found[sample(REFUSALS, gateway_front=front, gateway_reason=call.reason)] += 1
    return found


def of_asked(asked: Asked) -> Counter:
    """What must be counted of something that was asked."""
    found = Counter()
    if asked.kind in {"request", "socket"}:
        error = "CLIENT_GONE" if asked.gone else ""
        if asked.status >= 500:
            error = asked.reason or asked.status
        found[
            sample(
                HTTP,
                http_request_method=asked.verb,
                url_scheme="http",
                http_route=asked.route,
                http_response_status_code=asked.status,
                network_protocol_version="1.1",
                error_type=error,
            )
        ] += 1
    if asked.kind == "socket":
        found[sample(CLOSES, gateway_front=asked.front, gateway_close_code=asked.close)] += 1
    if asked.operation:
        found[sample(OPERATIONS, graphql_operation_type=asked.operation)] += 1
    for call in asked.calls:
        found += of_call(asked.front, call)
    refused = asked.reason not in {"", "CANCELLED"}  # that is its client's doing
    if refused and all(call.reason != asked.reason for call in asked.calls):
        found[sample(REFUSALS, gateway_front=asked.front, gateway_reason=asked.reason)] += 1
    return found


def of_messages(asked: Asked) -> Counter:
    """The messages of streams that must be counted."""
    return Counter(
        {
            sample(
                MESSAGES, gateway_front=asked.front, rpc_method=call.method, gateway_direction=way
            ): count
            for call in asked.calls
            for way, count in (("sent", call.sent), ("received", call.received))
            if count
        }
    )


@pytest.fixture(scope="module")
def running(shop, tmp_path_factory):
    with watched(tmp_path_factory.mktemp("metrics"), shop) as found:
        yield found


@pytest.fixture
async def client(running):
    served, keys = running
    async with aiohttp.ClientSession(served.url) as session:
        yield Client(served, session, keys)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_is_sent_is_counted(client, case):
    before = counts(await page(client.served.admin, client.session))
    expected, messages = Counter(), Counter()
    for asked in case.expected:
        expected += of_asked(asked)
        messages += of_messages(asked)
    if case.refused:
        expected += of_asked(Asked("listener", case.status, verb=case.verb, reason=case.refused))
    await case.act(client, case.name)
    found = {}
    try:
        async with asyncio.timeout(PATIENCE):
            while True:  # what is counted after the answer has left
                after = counts(await page(client.served.admin, client.session))
                more = {key: value - before.get(key, 0) for key, value in after.items()}
                found = {key: value for key, value in more.items() if key[0] in COUNTED and value}
                if found == expected and all(more.get(key) == n for key, n in messages.items()):
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        assert found == expected
        assert {key: more.get(key) for key in messages} == messages


async def test_what_is_counted_is_read_as_a_library_reads_it(client):
    text = await page(client.served.admin, client.session)
    families = text_string_to_metric_families(text)
    read = (sample for family in families for sample in family.samples)
    found = {(each.name, frozenset(each.labels.items())): each.value for each in read}
    assert counts(text) == {key: value for key, value in found.items() if key[0] in WATCHED}
    assert {name for name, _ in counts(text)} == WATCHED


async def test_a_worker_that_is_killed_takes_no_counter_back(shop, tmp_path):
    config = shop_config(shop, workers=2)
    with gateway(tmp_path, config) as served:
        async with aiohttp.ClientSession(served.url) as session:
            for _ in range(30):
                connector = aiohttp.TCPConnector()
                async with (
                    aiohttp.ClientSession(served.url, connector=connector) as each,
                    each.get("/v1/products/p1") as response,
                ):
                    assert response.status == 200
            key = sample(
                CALLS, gateway_front="rest", rpc_method=PRODUCT, rpc_response_status_code="OK"
            )
            before = await scraped(served.admin, session, GROWS)
            assert before[key] == 30
            async with session.get(f"{served.admin}/workers") as response:
                victim = (await response.json())["workers"][0]["pid"]
            os.kill(victim, signal.SIGKILL)
            restarts = sample("gateway_worker_restarts_total", gateway_worker=1)
            async with asyncio.timeout(60):
                while True:
                    now = await scraped(served.admin, session)
                    back = {key for key, value in before.items() if now.get(key, 0) < value}
                    assert not back
                    if now[restarts] and now[sample("gateway_workers")] == 2:
                        break
                    await asyncio.sleep(0.1)


async def test_scrapers_that_want_text_get_text(client):
    async with client.session.get(f"{client.served.admin}/metrics") as response:
        assert response.headers["content-type"] == TEXT
        assert "# EOF" not in await response.text()
