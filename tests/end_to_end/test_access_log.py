"""The access log of a whole gateway: over every front, of two workers, moved away, turned off."""

import asyncio
import json
import os
import signal

import aiohttp
import pytest
import yaml

from tests.end_to_end.sockets import socket
from tests.end_to_end.system import gateway, shop_config

GET_PRODUCT = "shop.catalog.v1.CatalogService/GetProduct"
QUERY = 'query Two { a: getProduct(id: "p1") { id } b: getProduct(id: "none") { id } }'


def logged(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("logged")


def config(shop, folder, **log):
    return shop_config(
        shop, workers=2, telemetry={"access_log": {"path": str(folder / "access.log"), **log}}
    )


@pytest.fixture(scope="module")
def served(shop, folder):
    with gateway(folder, config(shop, folder)) as running:
        yield running


async def test_every_front_has_a_line(served, folder):
    headers = {"x-request-id": "rest-1", "user-agent": "a\x09test"}
    async with aiohttp.ClientSession(served.url) as client:
        async with client.get("/v1/products/p1?token=s3cr3t", headers=headers) as response:
            assert response.status == 400  # there is no such parameter
        async with client.post(
            "/graphql", json={"query": QUERY}, headers={"x-request-id": "graph-1"}
        ) as response:
            assert (await response.json())["errors"]
        async with client.get(
            "/v1/products:export",
            headers={"x-request-id": "stream-1", "accept-encoding": "identity"},
        ) as response:
            size = len(await response.read())
    async with socket(served.url) as client:
        id_ = await client.open(GET_PRODUCT, {"id": "p1"}, end=True)
        assert (await client.end(id_))["code"] == 0
    path = folder / "access.log"
    await until(lambda: {"socket", "stream"} <= {each["kind"] for each in logged(path)})
    await until(lambda: len(logged(path)) == 5)
    lines = {each["request_id"]: each for each in logged(path)}
    assert "s3cr3t" not in path.read_text()
    refused = lines["rest-1"]
    assert refused["query"] == "token=-"
    assert (refused["http_status"], refused["grpc_status"]) == (400, "INVALID_ARGUMENT")
    graph = lines["graph-1"]
    assert (graph["operation"], graph["operation_type"]) == ("Two", "query")
    assert [each["grpc_status"] for each in graph["calls"]] == ["OK", "NOT_FOUND"]
    stream = lines["stream-1"]
    assert (stream["sent_bytes"], stream["sent_messages"]) == (size, 60)
    phases = ("body_us", "gates_us", "upstream_us", "reply_us")
    assert abs(sum(stream[name] for name in phases) - stream["duration_us"]) <= 4
    over = next(each for each in lines.values() if each["kind"] == "stream")
    itself = next(each for each in lines.values() if each["kind"] == "socket")
    assert over["socket_id"] == itself["request_id"]
    assert (over["method"], itself["close_code"]) == (GET_PRODUCT, 1000)


async def test_what_the_listener_refuses_has_a_line(served, folder):
    host, port = served.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET / HTTP/9.9\r\nX-Request-Id: odd-1\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b"x-request-id: odd-1" in answer.lower()
    path = folder / "access.log"
    await until(lambda: "odd-1" in path.read_text())
    (line,) = [each for each in logged(path) if each["request_id"] == "odd-1"]
    assert (line["http_status"], line["reason"]) == (505, "HTTP_VERSION_NOT_SUPPORTED")


async def test_a_log_that_is_moved_away_goes_on_in_a_new_file_and_loses_nothing(
    served, folder, shop
):
    path, moved = folder / "access.log", folder / "access.log.1"
    before = len(logged(path))
    asked = 0

    async def ask(count):
        nonlocal asked
        async with aiohttp.ClientSession(served.url) as client:
            for _ in range(count):
                async with client.get("/v1/products/p1") as response:
                    assert response.status == 200
                asked += 1

    asking = asyncio.gather(*(ask(50) for _ in range(4)))
    await until(lambda: asked > 50)
    path.rename(moved)
    os.kill(served.pid, signal.SIGUSR1)
    await asking
    await until(lambda: len(logged(moved)) + len(logged(path)) == before + 200)
    assert logged(path)


async def test_a_reload_changes_its_form(served, folder, shop):
    path = folder / "access.log"
    here = config(shop, folder, format="ncsa", path=str(folder / "ncsa.log"))
    here["listener"]["address"] = served.url.removeprefix("http://")
    (folder / "gateway.yaml").write_text(yaml.safe_dump(here))
    os.kill(served.pid, signal.SIGHUP)
    there = folder / "ncsa.log"

    async def asked():
        async with aiohttp.ClientSession(served.url) as client, client.get("/v1/products/p1"):
            return there.exists() and there.read_text()

    async with asyncio.timeout(60):
        while not (text := await asked()):
            await asyncio.sleep(0.1)
    assert '"GET /v1/products/p1 HTTP/1.1" 200 ' in text.splitlines()[0]
    assert logged(path)


def test_a_log_that_cannot_be_written_is_a_mistake_of_the_config(shop, tmp_path):
    with (tmp_path / "errors.txt").open("w") as errors, pytest.raises(AssertionError):
        wrong = shop_config(shop, telemetry={"access_log": {"path": "none/access.log"}})
        with gateway(tmp_path, wrong, errors=errors):
            pass
    text = (tmp_path / "errors.txt").read_text()
    assert "telemetry.access_log.path: no such folder:" in text
