"""A client of the gateway's multiplexed WebSocket protocol (docs/websocket.md, "Python").

    async with connect("ws://127.0.0.1:8080/ws") as gateway:
        product = await gateway.call("shop.catalog.v1.CatalogService/GetProduct", {"id": "1"})
        async with gateway.stream("shop.chat.v1.ChatService/Join", {"room": "lobby"}) as stream:
            async for event in stream:
                ...

From the outside in: `gateway` and `stream` are what users hold; `connection` keeps links and makes
new ones; a `link` is one socket at work, its `dialogue` what is said there; a `session` carries
`exchange`s, each one call, by what `window` counts. `frames` are data, `json_framing` and
`proto_framing` two ways to write them. From `dialogue` and `session` down nothing does input or
output. The client knows nothing of the server's side but the codes of `gateway.call` and the
messages of `gateway.v1`.
"""

from gateway.client.backoff import Backoff
from gateway.client.errors import RefusedError, RpcError, Status
from gateway.client.gateway import Gateway, connect
from gateway.client.stream import Stream

__all__ = [
    "Backoff",
    "Gateway",
    "RefusedError",
    "RpcError",
    "Status",
    "Stream",
    "connect",
]
