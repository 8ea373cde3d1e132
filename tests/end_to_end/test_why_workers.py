"""What two workers keep of requests is what was asked, over all fronts, and is told as one."""

from __future__ import annotations

import asyncio
import os
import signal

import aiohttp
import pytest

from tests.end_to_end.observed import CASES, Client, watched

PATIENCE = 20


@pytest.fixture(scope="module")
def seen(shop, tmp_path_factory):
    folder = tmp_path_factory.mktemp("why-workers")
    with watched(folder, shop, telemetry={"recorder": {"sample": 1}}) as (served, keys):
        yield served, keys, folder


@pytest.fixture
async def client(seen):
    served, keys, _ = seen
    async with aiohttp.ClientSession(served.url) as session:
        yield Client(served, session, keys)


async def asked(client, path, **query):
    async with client.session.get(f"{client.served.admin}{path}", params=query) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def numbers(client, prefix):
    """What metrics tell, but for times."""
    async with client.session.get(f"{client.served.admin}/metrics") as response:
        lines = [each for each in (await response.text()).splitlines() if each.startswith(prefix)]
    told = (line.rpartition(" ") for line in lines)
    return {name: float(value) for name, _, value in told if "timestamp" not in name}


def of_call(call):
    """What is kept of a call, as cases say it."""
    error = call.get("error") or {}
    code = "" if call.get("given_up") else error.get("code", "OK")
    attempts = tuple(each["code"] or "" for each in call.get("attempts", ()))
    return call["method"], code, error.get("reason") or "", attempts


def of_row(row):
    calls = sorted(of_call(each) for each in row.get("calls", ()) if "began" in each)
    return (
        row.get("front", ""), row["kind"], row["http"]["status"], row.get("close", 0),
        row.get("operation_type", ""), (row["principal"] or {}).get("subject", ""), calls,
    )  # fmt: skip


def of_case(each):
    calls = sorted((call.method, call.code, call.reason, call.attempts) for call in each.calls)
    return (
        each.front, each.kind, each.status, each.close, each.operation, each.principal, calls,
    )  # fmt: skip


@pytest.mark.parametrize("case", [each for each in CASES if each.expected], ids=lambda c: c.name)
async def test_what_was_asked_is_what_is_kept(client, case):
    await case.act(client, case.name)
    async with asyncio.timeout(PATIENCE):
        while True:
            rows = (await asked(client, f"/why/{case.name}"))["rows"]
            found = sorted(map(of_row, rows), key=repr)
            # What ends after its request is told a moment later.
            if found == sorted(map(of_case, case.expected), key=repr):
                break
            await asyncio.sleep(0.02)
    reasons = {each.reason for each in case.expected} - {""}
    assert reasons <= {(row.get("error") or {}).get("reason") for row in rows}
    assert all(row["why"] and row["worker"] in {1, 2} for row in rows)


async def test_all_workers_are_asked_for_the_last_ones(client):
    for number in range(30):  # each over a connection of its own: both workers have some
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(client.served.url, connector=connector) as alone:
            headers = {"x-request-id": f"last-{number}"}
            async with alone.get("/nowhere", headers=headers) as response:
                assert response.status == 404
    async with asyncio.timeout(PATIENCE):
        while True:
            told = await asked(client, "/recent", failed="1", limit="30", status="404")
            names = {row["request_id"] for row in told["rows"]}
            if names == {f"last-{number}" for number in range(30)}:
                break
            await asyncio.sleep(0.02)
    assert told["unanswered"] == 0
    assert told["kept"]["places"] == 2000
    assert {row["worker"] for row in told["rows"]} == {1, 2}


async def test_what_comes_to_all_workers_is_followed(client):
    query = {"watch": "all", "method": "GetCategory"}
    assert (await asked(client, "/tap", **query))["rows"] == []
    for number in range(20):
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(client.served.url, connector=connector) as alone:
            headers = {"x-request-id": f"tap-{number}"}
            async with alone.get("/v1/categories/kitchen", headers=headers) as response:
                await response.read()
    rows = []
    async with asyncio.timeout(PATIENCE):
        while len(rows) < 20:
            rows += (await asked(client, "/tap", **query))["rows"]
    assert {row["request_id"] for row in rows} == {f"tap-{number}" for number in range(20)}


async def test_a_worker_that_is_restarted_is_followed_from_its_first_request(client):
    query = {"watch": "restarted", "method": "GetCategory"}
    await asked(client, "/tap", **query)
    killed = (await asked(client, "/workers"))["workers"][1]["pid"]
    os.kill(killed, signal.SIGKILL)

    async def ask(name):
        """Over a connection of its own, which waits where the killed one's sockets have it."""
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(client.served.url, connector=connector) as alone:
            for again in range(2):
                try:
                    async with alone.get(
                        "/v1/categories/kitchen", headers={"x-request-id": name}
                    ) as response:
                        await response.read()
                        return
                except aiohttp.ClientError:  # it was taken while the worker died
                    assert not again

    async with asyncio.timeout(PATIENCE):
        while (await asked(client, "/workers"))["workers"][1]["pid"] == killed:
            await asyncio.sleep(0.02)
        names = {f"restarted-{number}" for number in range(20)}
        await asyncio.gather(*map(ask, names))  # nobody has asked for lines meanwhile
        rows = (await asked(client, "/tap", **query))["rows"]
        while len(rows) < len(names):
            rows += (await asked(client, "/tap", **query))["rows"]
    assert {row["request_id"] for row in rows} == names
    assert {row["worker"] for row in rows} == {1, 2}


async def test_a_config_that_the_supervisor_refused_is_told(client, seen):
    served, _, folder = seen
    path = folder / "gateway.yaml"
    text = path.read_text()
    path.write_text(f"{text}\nnonsense: true\n")
    os.kill(served.pid, signal.SIGHUP)
    async with asyncio.timeout(PATIENCE):
        while not (told := (await asked(client, "/why/reload"))["reload"])["refused"]:
            await asyncio.sleep(0.02)
    assert "nonsense" in told["problems"][0]
    assert await numbers(client, "gateway_reload") == {
        'gateway_reloads_total{gateway_outcome="ok",gateway_worker="0"}': 0,
        'gateway_reloads_total{gateway_outcome="failed",gateway_worker="0"}': 1,
        'gateway_reload_last_successful{gateway_worker="0"}': 0,
    }
    path.write_text(text)
    os.kill(served.pid, signal.SIGHUP)
    async with asyncio.timeout(PATIENCE):
        while (told := (await asked(client, "/why/reload"))["reload"])["refused"]:
            await asyncio.sleep(0.02)
    assert told["problems"] == []
    assert await numbers(client, "gateway_reload") == {
        'gateway_reloads_total{gateway_outcome="ok",gateway_worker="0"}': 1,
        'gateway_reloads_total{gateway_outcome="failed",gateway_worker="0"}': 1,
        'gateway_reload_last_successful{gateway_worker="0"}': 1,
    }


async def test_a_worker_that_is_restarted_serves_the_config_of_the_same_number(client):
    before = await asked(client, "/config")
    restarted = (await asked(client, "/workers"))["workers"][1]
    os.kill(restarted["pid"], signal.SIGKILL)
    async with asyncio.timeout(PATIENCE):
        while (found := (await asked(client, "/workers"))["workers"][1])["state"] != "ready" or (
            found["pid"] == restarted["pid"]
        ):
            await asyncio.sleep(0.02)
    after = await asked(client, "/config")
    assert after["generation"] == before["generation"] > 1
    assert [each["generation"] for each in after["workers"]] == [after["generation"]] * 2
    assert await numbers(client, "gateway_generation") == {
        f'gateway_generation{{gateway_worker="{worker}"}}': after["generation"] for worker in (1, 2)
    }
