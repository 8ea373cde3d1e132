"""`gateway routes`: every route, field of the graph and WebSocket, whoever reads it."""

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
SOCKET = "WebSocket"


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


METHODS = {rpc for _, _, rpc in annotated()}


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
    assert head == ["REACHED BY", "PATH, FIELD", "RPC", "KIND", "UPSTREAM"]
    routes = {(verb, path, rpc) for verb, path, rpc, *_ in rows if verb not in (*ROOTS, SOCKET)}
    assert routes == annotated()
    assert {(root, field) for root, field, *_ in rows if root in ROOTS} == fields
    assert rows[-1] == [SOCKET, "/ws", f"each of {len(METHODS)} methods", "multiplexed", "-"]
    assert {row[-1] for row in rows[:-1]} == {"shop"}


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
    assert {row["graphql"] for row in every if "graphql" in row} == {
        f"{root}.{field}" for root, field in fields
    }
    assert {row["rpc"] for row in every if "websocket" in row} >= METHODS
    kinds = {row["rpc"].rpartition("/")[2]: row["kind"] for row in rows}
    assert kinds["ExportProducts"] == "server streaming"
    assert kinds["ImportProducts"] == "client streaming"


def test_only_all_lists_services_without_an_upstream(shop: Path) -> None:
    only = [
        "--set",
        "upstreams.shop.services=[shop.users.v1.UserService]",
        "--set",
        "graphql=false",
        "--set",
        "websocket=false",
    ]
    served = invoke("routes", *only, cwd=shop).out.splitlines()
    assert all("shop.users.v1.UserService/" in line for line in served[1:])
    every = invoke("routes", "--all", *only, cwd=shop).out.splitlines()
    assert len(every) == len(annotated()) + 1
    assert sum(line.endswith("(not served)") for line in every) == len(every) - len(served)


def test_the_prefix_stands_before_every_path(shop: Path) -> None:
    rows = json.loads(invoke("routes", "--json", "--set", "rest.prefix=/api", cwd=shop).out)
    assert all(row["path"].startswith("/api/") for row in rows if "path" in row)
    chat = next(row for row in rows if row["rpc"].endswith("/Join") and "websocket" in row)
    assert chat["websocket"] == "/api/v1/rooms/{room}:chat"


def test_without_graph_and_websocket_there_are_routes_only(shop: Path) -> None:
    off = ("--set", "graphql=false", "--set", "websocket=false")
    out = invoke("routes", *off, cwd=shop).out
    assert len(out.splitlines()) == len(annotated()) + 1


def sockets(cwd: Path, *settings: str) -> list[dict[str, str]]:
    """What `--json` says of WebSockets."""
    sets = [part for each in settings for part in ("--set", each)]
    rows = json.loads(invoke("routes", "--json", *sets, cwd=cwd).out)
    return [row for row in rows if "websocket" in row]


def test_a_socket_is_listed_by_the_route_that_answers_it(shop: Path) -> None:
    paths = {row["websocket"]: row["rpc"].rpartition("/")[2] for row in sockets(shop)}
    assert paths["/v1/rooms/{room}:chat"] == "Join"
    assert paths["/v1/rooms/{room}/messages"] == "ListMessages", "not PostMessage: GET's answers"
    assert paths["/shop.chat.v1.ChatService/PostMessage"] == "PostMessage"
    assert "/shop.chat.v1.ChatService/Join" not in paths, "it has a path of its own"


def test_without_rest_each_method_is_at_its_own_path(shop: Path) -> None:
    *single, multiplexed = sockets(shop, "rest=false", "websocket.path=/sockets")
    assert {(row["websocket"], row["rpc"]) for row in single} == {(f"/{n}", n) for n in METHODS}
    assert multiplexed == {
        "websocket": "/sockets",
        "rpc": f"each of {len(METHODS)} methods",
        "kind": "multiplexed",
        "upstream": None,
    }


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
