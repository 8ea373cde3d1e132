"""`gateway routes`: every route and every field of the graph, whoever reads it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from google.api import annotations_pb2
from graphql import build_schema

from services_mock.contract import contract
from tests.cli.conftest import write_config
from tests.cli.processes import invoke

RULES = annotations_pb2.http
ROOTS = ("Query", "Mutation", "Subscription")


def annotated() -> set[tuple[str, str, str]]:
    """The example's routes, read from its annotations."""
    found = set()
    for service in contract().services.values():
        for method in service.methods:
            name = f"{service.full_name}/{method.name}"
            rule = method.GetOptions().Extensions[RULES]
            if not rule.WhichOneof("pattern"):
                found.add(("POST", f"/{name}", name))
                continue
            for each in (rule, *rule.additional_bindings):
                verb = each.WhichOneof("pattern")
                if verb == "custom":
                    found.add((each.custom.kind, each.custom.path, name))
                else:
                    found.add((verb.upper(), getattr(each, verb), name))
    return found


@pytest.fixture
def fields(shop: Path) -> set[tuple[str, str]]:
    """The root fields, read from the graph that is written."""
    assert invoke("generate", "graphql", "--out", "out", cwd=shop).code == 0
    schema = build_schema((shop / "out" / "schema.graphql").read_text())
    return {(root, field) for root in ROOTS for field in schema.type_map[root].fields}


def test_every_route_of_the_example_is_listed_without_a_backend(
    shop: Path, fields: set[tuple[str, str]]
) -> None:
    done = invoke("routes", cwd=shop)
    assert done.code == 0
    head, *rows = [re.split(r" {2,}", line) for line in done.out.splitlines()]
    assert head == ["HTTP, GRAPHQL", "PATH, FIELD", "RPC", "KIND", "UPSTREAM"]
    routes = {(verb, path, rpc) for verb, path, rpc, *_ in rows if verb not in ROOTS}
    assert routes == annotated()
    assert {(root, field) for root, field, *_ in rows if root in ROOTS} == fields
    assert {row[-1] for row in rows} == {"shop"}


def test_a_field_tells_the_rpc_that_it_calls(shop: Path) -> None:
    rows = {line.split()[1]: line.split() for line in invoke("routes", cwd=shop).out.splitlines()}
    assert rows["getOrder"] == [
        "Query",
        "getOrder",
        "shop.orders.v1.OrderService/GetOrder",
        "unary",
        "shop",
    ]
    assert rows["watchOrder"][0] == "Subscription"
    assert rows["createOrder"][0] == "Mutation"


def test_json_has_the_same_routes(shop: Path, fields: set[tuple[str, str]]) -> None:
    every = json.loads(invoke("routes", "--json", cwd=shop).out)
    rows = [row for row in every if "http_method" in row]
    assert {(row["http_method"], row["path"], row["rpc"]) for row in rows} == annotated()
    assert {row["graphql"] for row in every if row not in rows} == {
        f"{root}.{field}" for root, field in fields
    }
    kinds = {row["rpc"].rpartition("/")[2]: row["kind"] for row in rows}
    assert kinds["ExportProducts"] == "server streaming"
    assert kinds["ImportProducts"] == "client streaming"


def test_only_all_lists_services_without_an_upstream(shop: Path) -> None:
    only = [
        "--set",
        "upstreams.shop.services=[shop.users.v1.UserService]",
        "--set",
        "graphql=false",
    ]
    served = invoke("routes", *only, cwd=shop).out.splitlines()
    assert all("shop.users.v1.UserService/" in line for line in served[1:])
    every = invoke("routes", "--all", *only, cwd=shop).out.splitlines()
    assert len(every) == len(annotated()) + 1
    assert sum(line.endswith("(not served)") for line in every) == len(every) - len(served)


def test_the_prefix_stands_before_every_path(shop: Path) -> None:
    rows = json.loads(invoke("routes", "--json", "--set", "rest.prefix=/api", cwd=shop).out)
    assert all(row["path"].startswith("/api/") for row in rows if "path" in row)


def test_without_a_graph_there_are_routes_only(shop: Path) -> None:
    out = invoke("routes", "--set", "graphql=false", cwd=shop).out
    assert len(out.splitlines()) == len(annotated()) + 1


def test_by_service_a_field_stands_below_its_service(shop: Path) -> None:
    out = invoke("routes", "--json", "--set", "graphql.naming=by_service", cwd=shop).out
    fields = {row["graphql"] for row in json.loads(out) if "graphql" in row}
    assert {"Query.orderService.getOrder", "Subscription.watchOrder"} <= fields


def test_fields_in_python_are_listed(tmp_path: Path) -> None:
    (tmp_path / "greetings.py").write_text(
        "import strawberry\n"
        "from gateway.extensions import Extensions\n"
        "extensions = Extensions()\n"
        "@extensions.query\n"
        "class Query:\n"
        "    @strawberry.field\n"
        "    def greeting(self) -> str:\n"
        "        return 'hello'\n"
    )
    write_config(tmp_path, "127.0.0.1:1", "graphql: {extensions: ['greetings:extensions']}")
    rows = json.loads(invoke("routes", "--json", cwd=tmp_path).out)
    (found,) = [row for row in rows if row.get("graphql") == "Query.greeting"]
    assert (found["rpc"], found["kind"]) == ("-", "Python")
