"""What the gateway is measured against: three routes written the obvious way.

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

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "protos")]
catalog, catalog_service = grpc.protos_and_services("shop/catalog/v1/catalog_service.proto")
orders, orders_service = grpc.protos_and_services("shop/orders/v1/orders_service.proto")


def answer(message) -> web.Response:
    return web.Response(text=json_format.MessageToJson(message), content_type="application/json")


async def main(backend: str) -> None:
    channel = grpc.aio.insecure_channel(backend)
    catalog_stub = catalog_service.CatalogServiceStub(channel)
    orders_stub = orders_service.OrderServiceStub(channel)

    async def get_product(request):
        message = catalog.GetProductRequest(id=request.match_info["id"])
        return answer(await catalog_stub.GetProduct(message, timeout=5))

    async def list_products(request):
        message = catalog.ListProductsRequest(page_size=int(request.query.get("page_size", "0")))
        return answer(await catalog_stub.ListProducts(message, timeout=5))

    async def preview_order(request):
        message = orders.PreviewOrderRequest()
        json_format.Parse(await request.text(), message.order)
        return answer((await orders_stub.PreviewOrder(message, timeout=5)).order)

    app = web.Application()
    app.add_routes(
        [
            web.get("/v1/products/{id}", get_product),
            web.get("/v1/products", list_products),
            web.post("/v1/orders:preview", preview_order),
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
