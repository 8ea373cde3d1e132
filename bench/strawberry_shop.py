"""What the gateway's graph is measured against: the same types written by hand with Strawberry.

    python bench/strawberry_shop.py HOST:PORT

On aiohttp, with grpc.aio and a DataLoader a request. Types read protobuf messages as they are, so
nothing is copied; only what GraphQL says otherwise has a resolver. Documents are parsed and
validated once each. No checks, no limits, no deadlines but one.
"""

# No `from __future__ import annotations`: Strawberry reads the annotations of local classes.
import asyncio
import enum
import sys
from pathlib import Path
from typing import Any, NewType

import grpc
import strawberry
import uvloop
from aiohttp import web
from strawberry.aiohttp.views import GraphQLView
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

sys.path[:0] = [str(Path(__file__).parents[1] / "protos")]
catalog, catalog_service = grpc.protos_and_services("shop/catalog/v1/catalog_service.proto")
orders, orders_service = grpc.protos_and_services("shop/orders/v1/orders_service.proto")
SECONDS = 5  # until a call is given up

Int64 = NewType("Int64", int)
DateTime = NewType("DateTime", object)
SCALARS = {
    Int64: strawberry.scalar(name="Int64", serialize=str),
    DateTime: strawberry.scalar(name="DateTime", serialize=lambda time: time.ToJsonString()),
}


@strawberry.enum
class ProductState(enum.Enum):
    PRODUCT_STATE_UNSPECIFIED = 0
    PRODUCT_STATE_DRAFT = 1
    PRODUCT_STATE_ACTIVE = 2
    PRODUCT_STATE_SOLD_OUT = 3
    PRODUCT_STATE_RETIRED = 4


@strawberry.enum
class OrderStatus(enum.Enum):
    ORDER_STATUS_UNSPECIFIED = 0
    ORDER_STATUS_PENDING = 1
    ORDER_STATUS_PAID = 2
    ORDER_STATUS_SHIPPED = 3
    ORDER_STATUS_DELIVERED = 4
    ORDER_STATUS_CANCELLED = 5


@strawberry.type
class Money:
    currency_code: str
    units: Int64
    nanos: int


@strawberry.type
class Product:
    id: str
    title: str
    description: str
    category: str
    gtin: Int64
    price: Money | None
    create_time: DateTime | None

    @strawberry.field
    def state(self) -> ProductState:
        return ProductState(self.state)

    @strawberry.field
    def rating(self) -> float | None:
        return self.rating.value if self.HasField("rating") else None


@strawberry.type
class OrderItem:
    product_id: str
    quantity: int

    @strawberry.field
    async def product(self, info: strawberry.Info) -> Product | None:
        return await info.context["products"].load(self.product_id)


@strawberry.type
class Order:
    id: str
    items: list[OrderItem]
    total: Money | None

    @strawberry.field
    def status(self) -> OrderStatus:
        return OrderStatus(self.status)


@strawberry.type
class ListProductsResponse:
    products: list[Product]


@strawberry.type
class ListOrdersResponse:
    orders: list[Order]


@strawberry.type
class Query:
    @strawberry.field
    async def get_product(self, info: strawberry.Info, id: str = "") -> Product | None:  # noqa: A002  the argument's name
        request = catalog.GetProductRequest(id=id)
        return await info.context["catalog"].GetProduct(request, timeout=SECONDS)

    @strawberry.field
    async def list_products(
        self, info: strawberry.Info, page_size: int = 0
    ) -> ListProductsResponse | None:
        request = catalog.ListProductsRequest(page_size=page_size)
        return await info.context["catalog"].ListProducts(request, timeout=SECONDS)

    @strawberry.field
    async def list_orders(
        self, info: strawberry.Info, page_size: int = 0
    ) -> ListOrdersResponse | None:
        request = orders.ListOrdersRequest(page_size=page_size)
        return await info.context["orders"].ListOrders(request, timeout=SECONDS)


class View(GraphQLView):
    """Gives each request the stubs, and a loader of its own."""

    def __init__(self, schema: strawberry.Schema, channel: grpc.aio.Channel) -> None:
        super().__init__(schema, graphql_ide=None)
        self.catalog = catalog_service.CatalogServiceStub(channel)
        self.orders = orders_service.OrderServiceStub(channel)

    async def get_context(self, request: web.Request, response: web.Response) -> dict[str, Any]:
        return {
            "request": request,
            "response": response,
            "catalog": self.catalog,
            "orders": self.orders,
            "products": DataLoader(self.load_products, max_batch_size=100),
        }

    async def load_products(self, ids: list[str]) -> list[Any]:
        """Returns products in the order of the ids, None for each that does not exist."""
        request = catalog.BatchGetProductsRequest(ids=ids)
        found = await self.catalog.BatchGetProducts(request, timeout=SECONDS)
        by_id = {product.id: product for product in found.products}
        return [by_id.get(id_) for id_ in ids]


async def main(backend: str) -> None:
    schema = strawberry.Schema(
        Query,
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=[ParserCache, ValidationCache],
    )
    app = web.Application()
    app.router.add_route("*", "/graphql", View(schema, grpc.aio.insecure_channel(backend)))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"listening on http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
