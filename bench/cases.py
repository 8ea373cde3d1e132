"""What the benchmarks ask for and what the backend answers: the cases, and their messages.

One shape of message, the shop's product: 243 bytes on the wire, 423 of JSON. Lists and streams
repeat it under other ids; orders name some of them. Nothing here measures or listens.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
from google.protobuf import json_format

ROOT = Path(__file__).parents[1]
SERVICE = "shop.catalog.v1.CatalogService"
ECHO = "bench.v1.Bench/Echo"
"""A method of two streams, which the backend answers with the bytes it is sent. In no proto."""
CALLS = "bench.v1.Bench/Calls"
"""Tells how often each path was called so far, this one too: a JSON object. In no proto."""
ORDERS = "shop.orders.v1.OrderService/ListOrders"
BATCH = f"{SERVICE}/BatchGetProducts"
MESSAGE_BATCH = "bench.v1.Batches/BatchGetProducts"
"""The same for who sends keys as messages: `bench/tailcall/batches.proto`."""

_PRODUCT = {
    "title": "Pruning shears with a curved blade",
    "description": "Cuts old twigs up to two centimetres thick; "
    "it ships oiled, in a red box of recycled paper.",
    "price": {"currencyCode": "EUR", "units": "24", "nanos": 900000000},
    "category": "categories/garden/tools",
    "state": "PRODUCT_STATE_ACTIVE",
    "tags": ["garden", "tools", "steel"],
    "rating": 4.5,
    "gtin": "4006381333931",
    "sku": "GT-000123-B",
    "createTime": "2026-01-02T03:04:05Z",
}
_ORDER = {
    "userId": "u0001",
    "status": "ORDER_STATUS_SHIPPED",
    "total": {"currencyCode": "EUR", "units": "74", "nanos": 700000000},
    "createTime": "2026-01-02T03:04:05Z",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request."""

    name: str
    verb: str
    path: str
    body: bytes = b""
    streams: bool = False
    tls: bool = False


@cache
def types(file: str, part: str = "catalog") -> ModuleType:
    """Compiles one of a part's protos: of the catalog `catalog` or `catalog_service`."""
    if str(ROOT / "protos") not in sys.path:
        sys.path.insert(0, str(ROOT / "protos"))
    return grpc.protos(f"shop/{part}/v1/{file}.proto")


def product(number: int = 1) -> Any:
    """Makes a product; all numbers up to 9,999 make one of the same size."""
    message = types("catalog").Product(id=f"p{number:04d}")
    return json_format.ParseDict(_PRODUCT, message)


def products(count: int) -> list[Any]:
    """Makes products of ids from p0001 on."""
    return [product(number) for number in range(1, count + 1)]


def page(count: int) -> Any:
    """Makes a list of so many products."""
    return types("catalog_service").ListProductsResponse(products=products(count), total_size=count)


def batch() -> Any:
    """Makes the answer to all keys of `orders`, in another order than the orders have them."""
    return types("catalog_service").BatchGetProductsResponse(products=reversed(products(50)))


def orders() -> Any:
    """Makes a list of 50 orders of two items each; each of 50 products stands in two of them."""
    made = types("orders_service", "orders").ListOrdersResponse()
    for number in range(1, 51):
        items = [
            {"productId": f"p{number:04d}", "quantity": 2, "unitPrice": _PRODUCT["price"]},
            {"productId": f"p{number % 50 + 1:04d}", "quantity": 1, "unitPrice": _PRODUCT["price"]},
        ]
        json_format.ParseDict({**_ORDER, "id": f"o{number:04d}", "items": items}, made.orders.add())
    return made


def new_product() -> bytes:
    """Makes the body of a POST: what a client may say of a new product, as JSON."""
    given = {name: value for name, value in _PRODUCT.items() if name != "rating"}
    return json.dumps({"id": "p0001", **given}, separators=(",", ":")).encode()


GET_ONE = Case("GET one", "GET", "/v1/products/p0001")
CASES = (
    GET_ONE,
    Case("POST one", "POST", "/v1/products", body=new_product()),
    Case("list of 50", "GET", "/v1/products?page_size=50"),
    Case("list of 1,000", "GET", "/v1/products?page_size=1000"),
    Case("stream of 1,000", "GET", "/v1/products:export", streams=True),
    Case("GET one, TLS", "GET", GET_ONE.path, tls=True),
)
