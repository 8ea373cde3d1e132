"""What the gateway is measured against: a few routes written the obvious way.

aiohttp, grpc.aio with generated classes, and json_format; no checks, no limits, no reload.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import grpc
import uvloop
from aiohttp import web
from google.protobuf import json_format

sys.path[:0] = [str(Path(__file__).parents[1] / "protos")]
catalog, service = grpc.protos_and_services("shop/catalog/v1/catalog_service.proto")


def text(message) -> str:
    return json_format.MessageToJson(message, indent=None)


def answer(message) -> web.Response:
    return web.Response(text=text(message), content_type="application/json")


async def main(backend: str) -> None:
    channel = grpc.aio.insecure_channel(backend)
    stub = service.CatalogServiceStub(channel)

    async def get_product(request):
        message = catalog.GetProductRequest(id=request.match_info["id"])
        return answer(await stub.GetProduct(message, timeout=5))

    async def list_products(request):
        message = catalog.ListProductsRequest(page_size=int(request.query.get("page_size", "0")))
        return answer(await stub.ListProducts(message, timeout=5))

    async def create_product(request):
        message = catalog.CreateProductRequest()
        json_format.Parse(await request.text(), message.product)
        return answer(await stub.CreateProduct(message, timeout=5))

    async def export_products(request):
        response = web.StreamResponse()
        response.content_type = "application/x-ndjson"
        await response.prepare(request)
        async for product in stub.ExportProducts(catalog.ExportProductsRequest()):
            await response.write(text(product).encode() + b"\n")
        await response.write_eof()
        return response

    app = web.Application()
    app.add_routes(
        [
            web.get("/v1/products:export", export_products),
            web.get("/v1/products/{id}", get_product),
            web.get("/v1/products", list_products),
            web.post("/v1/products", create_product),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"listening on http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
