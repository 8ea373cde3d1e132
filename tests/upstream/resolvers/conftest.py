"""A name server for each test that asks for one."""

import pytest_asyncio

from tests.upstream.resolvers.name_server import name_server


@pytest_asyncio.fixture(loop_scope="session")
async def server():
    async with name_server() as made:
        yield made
