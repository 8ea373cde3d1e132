"""The graph of the shop, asked from outside: a gateway's config, requests, a client's socket."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import grpc.aio

from services_mock.testing import calls
from tests.end_to_end.system import FAULTS, ROOT, shop_config

JOINS = str(ROOT / "schema" / "joins.graphql")
SUBPROTOCOL = "graphql-transport-ws"
PATIENCE = 20


def config(addresses, *, transport="native", **more):
    upstream = {"services": ["shop.*"], "endpoints": addresses, "transport": transport, **more}
    passing = ["authorization", "x-request-id", *FAULTS]
    return shop_config(
        addresses,
        upstreams={"shop": upstream},
        graphql={"joins": [JOINS], "operations": [], "limits": {"batch": 3}},
        headers={"request": {"allow": passing}, "response": {"allow": []}},
    )


async def post(client, query, variables=None, **options):
    body = {"query": query} | ({"variables": variables} if variables else {})
    async with client.post("/graphql", json=body, **options) as response:
        return response.status, await response.json(content_type=None)


async def data_of(client, query, variables=None, **options):
    status, answer = await post(client, query, variables, **options)
    assert status == 200, answer
    assert "errors" not in answer, answer
    return answer["data"]


async def started(address):
    """How many calls of each method have begun, by its name without the service."""
    async with grpc.aio.insecure_channel(address) as channel:
        return {
            name.rpartition("/")[2]: each.started for name, each in (await calls(channel)).items()
        }


async def others_are_served(client):
    """Asks for a while: what is not held back meanwhile is seen in the memory that it takes."""
    for _ in range(200):
        assert await data_of(client, '{ getProduct(id: "p1") { id } }')


@asynccontextmanager
async def socket_of(client, **options):
    async with client.ws_connect("/graphql", protocols=[SUBPROTOCOL], **options) as socket:
        await socket.send_json({"type": "connection_init"})
        assert await socket.receive_json() == {"type": "connection_ack"}
        yield socket


async def subscribe(socket, query, name="1"):
    await socket.send_json({"id": name, "type": "subscribe", "payload": {"query": query}})


async def received(socket):
    async with asyncio.timeout(PATIENCE):
        return await socket.receive_json()
