"""A front on a real listener, and a client."""

import asyncio
import json
from types import SimpleNamespace

import aiohttp
import pytest

from gateway.fronts.graphql.serve.front import GraphqlFront
from gateway.fronts.graphql.serve.incoming import Shared
from gateway.listener import Limits, serve
from gateway.routing.metadata import HeaderRules
from tests.fronts.graphql.serve.engine import FakeEngine

PATIENCE = 20.0


class Answer(SimpleNamespace):
    """A reply, read whole."""

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def media(self):
        return self.headers["content-type"]

    @property
    def codes(self):
        assert set(self.json) == {"errors"}
        return [each["extensions"]["code"] for each in self.json["errors"]]


class Client:
    """Sends requests to one front."""

    def __init__(self, http, url, engine, listener):
        self.http = http
        self.url = url
        self.engine = engine
        self.listener = listener

    async def send(self, method="POST", query=None, body=None, path="", **headers):
        """Sends a request; header names have `_` for `-`. `body` is JSON unless it is bytes.

        `path` is put behind the front's own.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if data is not None:
            named.setdefault("content-type", "application/json")
        async with self.http.request(
            method,
            self.url + path,
            params=query,
            data=data,
            headers={name: value for name, value in named.items() if value is not None},
            skip_auto_headers=["accept", "content-type"],
        ) as reply:
            return Answer(status=reply.status, headers=reply.headers, body=await reply.read())

    async def post(self, text, accept="application/json", **headers):
        return await self.send(body={"query": text}, accept=accept, **headers)

    async def get(self, text, accept="application/json", **headers):
        return await self.send("GET", {"query": text}, accept=accept, **headers)


@pytest.fixture
async def start():
    """Starts fronts: `start(batch=2)`, with the fields of Shared, `pages` and `socket`."""
    opened = []

    async def one(*, pages=None, socket=None, limits=None, **options):
        engine = FakeEngine()
        clock = asyncio.get_running_loop().time
        rules = HeaderRules(request_allow=["authorization"])
        shared = Shared(rules, clock, **options)
        front = GraphqlFront(engine, shared, pages=pages, socket=socket)
        listener = await serve(
            lambda: front.handle, addresses=["127.0.0.1:0"], limits=limits or Limits()
        )
        http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE))
        opened.append((http, listener))
        return Client(http, f"{listener.urls[0]}/graphql", engine, listener)

    yield one
    for http, listener in opened:
        await http.close()
        await listener.drain(0)


@pytest.fixture
async def client(start):
    """A client of a front with its defaults."""
    return await start()
