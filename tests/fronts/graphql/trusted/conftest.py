"""A REST front with views on a real listener, and a client."""

import asyncio
import json
from types import SimpleNamespace

import aiohttp
import pytest

from gateway.fronts.graphql.trusted.views import plan_ahead, views_of
from gateway.fronts.rest.compile import RestOptions, compiling_front
from gateway.fronts.rest.errors import ErrorRenderer
from gateway.fronts.rest.incoming import Shared
from gateway.listener import Limits, serve
from gateway.routing.metadata import HeaderRules
from gateway.schema.codec import Codec, JsonOptions
from gateway.turns import at_once
from tests.fronts.graphql.graphs import shop_registry
from tests.fronts.graphql.trusted.shop import Services, engine_of, trusted_of

PATIENCE = 20.0


class Client:
    """Sends requests to the views of one front."""

    def __init__(self, http, url, services):
        self.http = http
        self.url = url
        self.services = services

    async def send(self, verb, path, body=None, **headers):
        """Sends a request; `body` is JSON unless it is bytes; header names have `_` for `-`."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None:
            named.setdefault("content-type", "application/json")
        async with self.http.request(
            verb, self.url + path, data=data, headers=named, skip_auto_headers=["content-type"]
        ) as reply:
            text = await reply.read()
        content = json.loads(text) if text else None
        return SimpleNamespace(status=reply.status, headers=reply.headers, json=content)

    async def get(self, path, **headers):
        return await self.send("GET", path, **headers)


@pytest.fixture(scope="module")
def codec():
    return Codec(shop_registry(), JsonOptions(), max_depth=100)


@pytest.fixture
async def start(codec):
    """Starts fronts: `start(text, {"GetUser": fill}, etag=True)`."""
    opened = []

    async def one(text, answers=None, *, held=(), prefix="", policies=(), **options):
        services = Services(answers or {}, frozenset(held), policies)
        trusted = trusted_of(text)
        engine = engine_of(services, trusted)
        list(plan_ahead(trusted, engine))
        shared = Shared(
            HeaderRules(request_allow=["authorization"]),
            ErrorRenderer(codec.message("google.protobuf.Any").transcode),
            asyncio.get_running_loop().time,
        )
        front = at_once(
            compiling_front(
                services.methods().values(),
                shop_registry(),
                codec,
                shared,
                RestOptions(prefix=prefix),
                views=views_of(trusted, engine, body_size=1000, **options),
            )
        ).front
        listener = await serve(lambda: front.handle, addresses=["127.0.0.1:0"], limits=Limits())
        http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE))
        opened.append((http, listener))
        return Client(http, listener.urls[0], services)

    yield one
    for http, listener in opened:
        await http.close()
        await listener.drain(0)
