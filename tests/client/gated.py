"""A backend that takes no request of DigestMedia until it is let; then it counts what comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc.aio

from services_mock.contract import contract

_SERVICE = "shop.media.v1.MediaService"


class Gated:
    """The backend.

    Attributes:
        opened: Set when it may take requests; a call of FingerprintMedia does so, too.
    """

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self._methods = contract().services[_SERVICE].methods_by_name

    async def digest(self, requests: AsyncIterator[bytes], context: object) -> bytes:
        await self.opened.wait()
        read = contract().request(self._methods["DigestMedia"]).FromString
        sizes = [len(read(each).data) async for each in requests]
        reply = contract().reply(self._methods["DigestMedia"])
        return reply(size_bytes=sum(sizes), piece_count=len(sizes)).SerializeToString()

    async def fingerprint(self, request: bytes, context: object) -> bytes:
        self.opened.set()
        return request


@asynccontextmanager
async def gated() -> AsyncIterator[tuple[Gated, str]]:
    """A backend of that kind, and its address."""
    backend = Gated()
    # With larger windows it reads ahead of who takes nothing.
    server = grpc.aio.server(options=[("grpc.http2.bdp_probe", 0)])
    handlers = {
        "DigestMedia": grpc.stream_unary_rpc_method_handler(backend.digest),
        "FingerprintMedia": grpc.unary_unary_rpc_method_handler(backend.fingerprint),
    }
    server.add_registered_method_handlers(_SERVICE, handlers)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield backend, f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
