"""What the benchmarks ask for and what the backend answers: the cases, and their messages.

One shape of message, the shop's product: 243 bytes on the wire, 423 of JSON. Lists and streams
repeat it under other ids. Nothing here measures or listens.
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
def types(file: str) -> ModuleType:
    """Compiles one of the catalog's protos, `catalog` or `catalog_service`."""
    if str(ROOT / "protos") not in sys.path:
        sys.path.insert(0, str(ROOT / "protos"))
    return grpc.protos(f"shop/catalog/v1/{file}.proto")


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
