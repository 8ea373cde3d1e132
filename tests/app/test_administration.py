"""What one process tells operators of itself, from its start to its end."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from gateway.app import App, BuildError
from gateway.app import app as module
from gateway.config import from_mapping

ROOT = Path(__file__).parents[2]


def config():
    data = {
        "listener": {"address": "127.0.0.1:0"},
        "admin": {"address": "127.0.0.1:0"},
        "schema": {"protos": [str(ROOT / "protos")]},
        "upstreams": {"shop": {"services": ["shop.*"], "endpoints": ["127.0.0.1:1"]}},
        "graphql": False,
    }
    return from_mapping(data, origin="test")


async def answer(app, path, verb="GET"):
    async with aiohttp.ClientSession(app.admin_url) as session, session.request(verb, path) as got:
        return got.status, json.loads(await got.read())


@pytest.fixture
def begun(monkeypatch):
    """A start that stops before the first generation, until it is let on."""
    let_on = asyncio.Event()
    build = module.build

    async def waiting(*arguments, **named):
        await let_on.wait()
        return await build(*arguments, **named)

    monkeypatch.setattr(module, "build", waiting)
    return let_on


async def opened(app):
    async with asyncio.timeout(10):
        while app.admin_url is None:
            await asyncio.sleep(0)


async def test_while_it_starts_it_says_so(begun):
    app = App(config)
    starting = asyncio.create_task(app.start(lambda _: None))
    await opened(app)
    status, told = await answer(app, "/readyz")
    assert (status, told["status"]) == (503, "starting")
    assert (await answer(app, "/healthz"))[0] == 200
    assert (await answer(app, "/jwks.json"))[0] == 404
    for path in ("/upstreams", "/config", "/routes", "/filters"):
        status, told = await answer(app, path)
        assert (status, told["error"]["message"]) == (503, "The gateway is starting.")
    assert (await answer(app, "/drain", "POST"))[0] == 503
    # What is of the process and not of a generation is there.
    for path in ("/workers", "/sessions", "/"):
        assert (await answer(app, path))[0] == 200, path
    begun.set()
    await starting
    assert (await answer(app, "/readyz"))[0] == 200
    assert (await answer(app, "/config"))[1]["generation"] == 1
    await app.stop()


async def test_a_start_that_is_given_up_leaves_no_listener(begun):
    app = App(config)
    starting = asyncio.create_task(app.start(lambda _: None))
    await opened(app)
    url = app.admin_url
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    async with aiohttp.ClientSession(url) as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get("/healthz")


async def test_a_start_that_fails_leaves_no_listener(monkeypatch):
    async def failing(*_, **__):
        raise BuildError(["so"])

    monkeypatch.setattr(module, "build", failing)
    app = App(config)
    with pytest.raises(BuildError):
        await app.start(lambda _: None)
    async with aiohttp.ClientSession(app.admin_url) as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get("/healthz")


async def test_the_drain_of_a_gateway_that_ends_is_not_taken_back():
    app = App(config)
    await app.start(lambda _: None)
    (host, _, port) = app.urls[0].removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")  # unfinished
    async with asyncio.timeout(10):
        while not app._listener.connections:
            await asyncio.sleep(0)
    ending = asyncio.create_task(app.stop())
    async with asyncio.timeout(10):
        while (await answer(app, "/readyz"))[0] != 503:
            await asyncio.sleep(0)
    status, told = await answer(app, "/undrain", "POST")
    assert (status, told["error"]["message"]) == (503, "The gateway ends: it drains already.")
    assert (await answer(app, "/readyz"))[1]["status"] == "draining"
    writer.close()
    await ending
