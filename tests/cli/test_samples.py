"""Requests for calls to try: what they must have, from what is known."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass

from gateway.cli.candidates import choose, is_bare_list, is_safe, reads
from gateway.cli.known import Known, subjects_of
from gateway.cli.samples import Sampler
from gateway.fronts.rest.compile import Listed, routes_of
from gateway.routing.rules import implied_rule
from gateway.routing.template import parse, parse_prefix
from gateway.schema.method import HttpRule, Idempotency, Kind, MethodDescriptor
from tests.cli.conftest import route, schema
from tests.fronts.graphql.graphs import of_text

REPLIES = {
    "shop.catalog.v1.ListProductsResponse": {"products": [{"id": "p7", "title": "Rake"}]},
    "shop.orders.v1.ListOrdersResponse": {"orders": [{"id": "o7", "userId": "u7"}]},
    "shop.reviews.v1.Review": {"name": "products/p7/reviews/r7"},
}


def known() -> Known:
    found = Known()
    for name, reply in REPLIES.items():
        message = GetMessageClass(schema().registry.message(name))()
        found.learn(json_format.ParseDict(reply, message))
    return found


def sample(name: str, knowledge: Known, number: int = 0) -> dict[str, Any]:
    listed = route(name, number)
    registry = schema().registry
    subjects = subjects_of(registry.message(listed.method.output)) if reads(listed) else ()
    request = Sampler(knowledge, subjects).request(
        registry.message(listed.method.input),
        parse(listed.template),
        body=listed.rule.body,
        writes=bool(listed.rule.body),
    )
    found: dict[str, Any] = json_format.MessageToDict(request, descriptor_pool=registry.pool)
    return found


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        pytest.param("CatalogService/GetProduct", 0, {"id": "p7"}, id="the-id-of-what-is-read"),
        pytest.param(
            "OrderService/GetInvoice", 0, {"orderId": "o7"}, id="the-id-of-another-by-its-type"
        ),
        pytest.param(
            "OrderService/GetOrder", 1, {"userId": "u7", "id": "o7"}, id="several-variables"
        ),
        pytest.param(
            "CatalogService/BatchGetProducts", 1, {"ids": ["p7"]}, id="ids-of-the-list's-items"
        ),
        pytest.param(
            "ReviewService/GetReview", 0, {"name": "products/p7/reviews/r7"}, id="a-resource-name"
        ),
        pytest.param("CatalogService/ListProducts", 0, {}, id="a-list-needs-nothing"),
        pytest.param(
            "OrderService/CreateOrder", 0,
            {"userId": "u7", "items": [{"productId": "p7", "quantity": 1}]},
            id="required-fields-at-every-depth",
        ),
    ],
)  # fmt: skip
def test_known_values_are_used(name: str, number: int, expected: dict[str, Any]) -> None:
    assert sample(name, known(), number) == expected


def test_what_is_not_known_is_invented_in_the_form_of_the_path() -> None:
    nothing = Known()
    assert sample("CatalogService/GetProduct", nothing) == {"id": "example"}
    assert sample("CatalogService/GetProduct", nothing, 1) == {
        "name": "shelves/example/products/example"
    }
    assert sample("CatalogService/GetCategory", nothing)["name"] == "categories/example"


def test_a_new_thing_does_not_get_the_id_of_an_old_one() -> None:
    product = sample("CatalogService/CreateProduct", known())["product"]
    assert product.get("id") != "p7"
    assert "createTime" not in product


@pytest.fixture(scope="module")
def routes() -> list[Listed]:
    methods = [method for each in schema().methods.values() for method in each]
    found = routes_of(methods, parse_prefix(""), unannotated=True)
    return [Listed(rule.verb, str(template), method, rule) for method, rule, template in found]


def test_every_route_of_the_example_can_be_filled_in(routes: list[Listed]) -> None:
    knowledge = known()
    for each in routes:
        request = schema().registry.message(each.method.input)
        for writes in (True, False):
            message = Sampler(knowledge).request(request, parse(each.template), writes=writes)
            assert message.DESCRIPTOR.full_name == each.method.input


def test_nothing_that_destroys_or_is_no_json_is_chosen(routes: list[Listed]) -> None:
    chosen = choose(routes, schema().registry)
    names = {
        each.method.name.rpartition("/")[2]
        for kind in (chosen.lists, chosen.reads, chosen.writes, chosen.streams)
        for each in kind
    }
    assert "CreateProduct" in names
    assert "WatchOrder" in names
    assert not {"DeleteProduct", "CancelOrder", "GetInvoice", "DownloadMedia"} & names


@pytest.mark.parametrize(
    ("method", "safe", "bare_list"),
    [
        pytest.param({"name": "GetNote"}, False, False, id="a-name-alone"),
        pytest.param({"name": "ListNotes"}, False, True, id="a-list-by-its-name-alone"),
        pytest.param({"name": "SearchNotes"}, False, True, id="a-search-by-its-name-alone"),
        pytest.param({"name": "ListenNotes"}, False, False, id="a-longer-word"),
        pytest.param(
            {"name": "ListNotes", "rules": (HttpRule("POST", "/v1/notes:list", "*"),)},
            False, False, id="a-list-that-is-bound-to-POST",
        ),
        pytest.param(
            {"name": "ListNotes", "idempotency": Idempotency.IDEMPOTENT},
            False, False, id="a-list-that-is-only-idempotent",
        ),
        pytest.param(
            {"name": "ListNotes", "kind": Kind.SERVER_STREAMING}, False, False,
            id="a-list-that-streams",
        ),
        pytest.param(
            {"name": "ListNotes", "idempotency": Idempotency.NO_SIDE_EFFECTS}, True, False,
            id="marked-as-free-of-side-effects",
        ),
        pytest.param(
            {"name": "Notes", "rules": (HttpRule("POST", "/a", "*"), HttpRule("GET", "/a"))},
            True, False, id="a-rule-of-GET-among-others",
        ),
    ],
)  # fmt: skip
def test_what_may_be_called_unasked(method: dict[str, Any], safe: bool, bare_list: bool) -> None:
    defaults = {"kind": Kind.UNARY, "input": "a.E", "output": "a.E"}
    descriptor = MethodDescriptor(**{**defaults, **method, "name": f"a.A/{method['name']}"})
    rule = descriptor.rules[0] if descriptor.rules else implied_rule(descriptor)
    listed = Listed(rule.verb, rule.template, descriptor, rule)
    assert (is_safe(listed), is_bare_list(listed)) == (safe, bare_list)


def test_what_a_reply_says_beside_ids_and_names_is_not_repeated() -> None:
    knowledge = Known()
    message = GetMessageClass(schema().registry.message("shop.catalog.v1.Product"))()
    knowledge.learn(json_format.ParseDict({"id": "p7", "title": "Rake"}, message))
    product = GetMessageClass(schema().registry.message("shop.catalog.v1.Product")).DESCRIPTOR
    request = Sampler(knowledge, [product]).request(product, parse("/v1"), writes=True)
    found = json_format.MessageToDict(request, descriptor_pool=schema().registry.pool)
    assert found["title"] == "Example title"


def test_only_what_changes_nothing_is_safe(routes: list[Listed]) -> None:
    safe = {each.method.name.rpartition("/")[2] for each in routes if is_safe(each)}
    assert {"GetProduct", "PreviewOrder", "WatchOrder"} <= safe
    assert not {"CreateOrder", "RenameProduct", "ReserveStock", "ImportProducts"} & safe


def test_the_field_that_is_the_body_is_filled_though_nothing_says_that_it_must_be() -> None:
    registry = of_text(
        """
        message Task { string title = 1 [(google.api.field_behavior) = REQUIRED]; string note = 2; }
        message Create {
          string parent = 1 [(google.api.field_behavior) = REQUIRED];
          Task task = 2; string task_id = 3;
        }"""
    )
    request = Sampler(Known()).request(
        registry.message("test.v1.Create"),
        parse("/v1/{parent=lists/*}/tasks"),
        body="task",
        writes=True,
    )
    sent = json_format.MessageToDict(request)
    assert sent == {"parent": "lists/example", "task": {"title": "Example title"}}
