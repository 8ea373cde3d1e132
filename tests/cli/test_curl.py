"""A request as a `curl` line: each field where its rule puts it."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass

from gateway.cli.curl import command
from tests.cli.conftest import route, schema

URL = "http://127.0.0.1:8080"


def line(name: str, request: dict[str, Any], number: int = 0, url: str = URL) -> list[str]:
    """The words of the line, as a shell reads them."""
    listed = route(name, number)
    registry = schema().registry
    message = GetMessageClass(registry.message(listed.method.input))()
    json_format.ParseDict(request, message, descriptor_pool=registry.pool)
    return shlex.split(command(listed, message, url, registry.pool))


@pytest.mark.parametrize(
    ("name", "number", "request_", "expected"),
    [
        pytest.param(
            "CatalogService/GetProduct", 0, {"id": "p1"}, ["curl", f"{URL}/v1/products/p1"],
            id="a-variable",
        ),
        pytest.param(
            "CatalogService/GetProduct", 0, {"id": "a b/c?"},
            ["curl", f"{URL}/v1/products/a%20b%2Fc%3F"],
            id="a-segment-is-encoded-whole",
        ),
        pytest.param(
            "CatalogService/GetProduct", 1, {"name": "shelves/s 1/products/p1"},
            ["curl", f"{URL}/v1/shelves/s%201/products/p1"],
            id="several-segments-keep-their-slashes",
        ),
        pytest.param(
            "OrderService/CancelOrder", 0, {"id": "o1", "reason": "it's late"},
            ["curl", f"{URL}/v1/orders/o1:cancel", "-H", "content-type: application/json",
             "-d", '{"reason": "it\'s late"}'],
            id="a-verb-and-the-rest-as-body",
        ),
        pytest.param(
            "OrderService/ListOrders", 0,
            {"userId": "u 1", "statuses": ["ORDER_STATUS_PAID", "ORDER_STATUS_SHIPPED"]},
            ["curl", (f"{URL}/v1/orders?userId=u%201&statuses=ORDER_STATUS_PAID"
             "&statuses=ORDER_STATUS_SHIPPED")],
            id="no-body-means-the-query",
        ),
        pytest.param(
            "CatalogService/CreateProduct", 0, {"product": {"title": "T"}, "validateOnly": True},
            ["curl", f"{URL}/v1/products?validateOnly=true", "-H", "content-type: application/json",
             "-d", '{"title": "T"}'],
            id="a-field-as-body-the-rest-in-the-query",
        ),
        pytest.param(
            "CatalogService/SetProductTags", 0, {"id": "p1", "tags": ["a", "b"]},
            ["curl", "-X", "PUT", f"{URL}/v1/products/p1/tags", "-H",
             "content-type: application/json", "-d", '["a", "b"]'],
            id="another-HTTP-method-and-a-list-as-body",
        ),
        pytest.param(
            "CatalogService/UpdateProduct", 0, {"product": {"id": "p1", "title": "T"}},
            ["curl", "-X", "PATCH", f"{URL}/v1/products/p1", "-H",
             "content-type: application/json", "-d", '{"title": "T"}'],
            id="a-variable-in-a-message",
        ),
        pytest.param(
            "CatalogService/ExportProducts", 0, {}, ["curl", "-N", f"{URL}/v1/products:export"],
            id="a-stream-is-not-buffered",
        ),
        pytest.param(
            "UserService/WhoAmI", 0, {},
            ["curl", f"{URL}/shop.users.v1.UserService/WhoAmI", "-H",
             "content-type: application/json", "-d", "{}"],
            id="without-a-rule",
        ),
        pytest.param(
            "CatalogService/GetCategory", 0, {"name": "categories/garden/tools"},
            ["curl", f"{URL}/v1/categories/garden/tools"],
            id="any-number-of-segments",
        ),
        pytest.param(
            "CatalogService/SearchProducts", 0, {"price": {"minUnits": "5"}, "onSale": True},
            ["curl", f"{URL}/v1/products:search?onSale=true&price.minUnits=5"],
            id="a-message-in-the-query",
        ),
    ],
)  # fmt: skip
def test_line(name: str, number: int, request_: dict[str, Any], expected: list[str]) -> None:
    assert line(name, request_, number) == expected


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://0.0.0.0:80", ["http://127.0.0.1:80/v1/products/p1"]),
        ("http://[::]:80", ["http://[::1]:80/v1/products/p1"]),
        ("unix:/a b", ["--unix-socket", "/a b", "http://localhost/v1/products/p1"]),
    ],
)
def test_where_the_gateway_is(url: str, target: list[str]) -> None:
    assert line("CatalogService/GetProduct", {"id": "p1"}, url=url) == ["curl", *target]


def test_json_that_a_shell_would_change_is_quoted() -> None:
    words = line("OrderService/CancelOrder", {"id": "o", "reason": "$HOME `x` \\ \" ' ü\n"})
    assert json.loads(words[-1]) == {"reason": "$HOME `x` \\ \" ' ü\n"}
