"""The whole system, once a module: the example backends, a gateway before them, a client."""

from __future__ import annotations

from collections.abc import Iterator

import aiohttp
import grpc.aio
import pytest

from services_mock.testing import start
from tests.end_to_end.graph import config
from tests.end_to_end.system import Backend, Gateway, gateway, shop_config


@pytest.fixture(scope="module")
def shop() -> Iterator[list[str]]:
    with start() as backend:
        yield backend.addresses


@pytest.fixture(scope="module")
def served(shop, tmp_path_factory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("gateway"), shop_config(shop)) as each:
        yield each


@pytest.fixture
async def client(served):
    plain = {"accept-encoding": "identity"}  # bodies as the front made them
    async with aiohttp.ClientSession(served.url, headers=plain) as session:
        yield session


@pytest.fixture
async def backend(shop):
    async with grpc.aio.insecure_channel(shop[0]) as channel:
        yield Backend(channel)


@pytest.fixture(scope="module")
def through_grpcio(shop, tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("grpcio"), config(shop, transport="grpcio")) as each:
        yield each


@pytest.fixture(params=["native", "grpcio"])
async def either(request, served, through_grpcio):
    """A client of a gateway with either transport."""
    url = (served if request.param == "native" else through_grpcio).url
    async with aiohttp.ClientSession(url) as session:
        yield session
