"""What commands tell of hosts, and `--host`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.processes import invoke

CATALOG, USERS = "shop.catalog.v1.CatalogService", "shop.users.v1.UserService"
HOSTS = {
    "catalog.example": {"services": ["shop.catalog.*"]},
    "shop.example": {"services": ["shop.catalog.*"]},
    "*.users.example": {"services": ["shop.users.*"]},
    "rest.example": {"services": ["shop.users.*"], "graphql": False, "websocket": False},
}


@pytest.fixture
def hosts(shop: Path) -> Path:
    """A folder with a config of several hosts."""
    path = shop / "gateway.yaml"
    data = yaml.safe_load(path.read_text())
    data["hosts"] = HOSTS
    data["addresses"] = {"deny": ["203.0.113.0/24"]}
    data["graphql"] = {"joins": [], "operations": []}
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return shop


def rows(*arguments: str, cwd: Path) -> list[dict]:
    done = invoke("routes", "--json", *arguments, cwd=cwd)
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_each_route_is_listed_with_its_hosts(hosts: Path) -> None:
    found = rows(cwd=hosts)
    at = {}
    for row in found:
        at.setdefault(row["rpc"].partition("/")[0], set()).update(row["hosts"])
    assert at[CATALOG] == {"catalog.example", "shop.example"}
    assert at[USERS] == {"*.users.example", "rest.example"}
    graph = [row for row in found if "graphql" in row and row["rpc"].startswith(USERS)]
    assert {each for row in graph for each in row["hosts"]} == {"*.users.example"}


def test_hosts_that_serve_the_same_are_listed_once(hosts: Path) -> None:
    paths = [row["path"] for row in rows(cwd=hosts) if row.get("http_method") == "GET"]
    assert paths.count("/v1/products/{id}") == 1


def test_the_table_has_a_column_of_hosts(hosts: Path, shop: Path) -> None:
    head, first, *_ = invoke("routes", cwd=hosts).out.splitlines()
    assert head.startswith("HOST ")
    assert first.startswith("catalog.example, shop.example ")


@pytest.mark.parametrize("host", ["*.users.example", "x.users.example", "X.Users.Example:8080"])
def test_routes_of_one_host(hosts: Path, host: str) -> None:
    found = rows("--host", host, cwd=hosts)
    assert {row["rpc"].partition("/")[0] for row in found if "/" in row["rpc"]} == {USERS}
    assert {each for row in found for each in row["hosts"]} == {"*.users.example"}


def test_a_host_that_is_none_is_told_with_those_there_are(hosts: Path) -> None:
    done = invoke("routes", "--host", "other.example", cwd=hosts)
    assert done.code == 2
    assert "catalog.example, shop.example, *.users.example, rest.example" in done.err


def test_without_hosts_there_is_none_to_say(shop: Path) -> None:
    done = invoke("routes", "--host", "a.example", cwd=shop)
    assert done.code == 2
    assert "the config has no hosts" in done.err


def test_explain_tells_at_which_hosts_a_method_is(hosts: Path) -> None:
    done = invoke("explain", "GetUser", cwd=hosts)
    assert done.code == 0, done.err
    lines = [line.split() for line in done.out.splitlines()]
    assert [line[1] for line in lines if line[:1] == ["hosts"]] == [
        "*.users.example",
        "rest.example",
    ]
    assert "gateway.yaml" in next(" ".join(line) for line in lines if line[:1] == ["hosts"])
    assert sum(line[:1] == ["routes"] for line in lines) == 2
    assert ["addresses", "deny", "203.0.113.0/24"] in [line[:3] for line in lines]


def test_explain_tells_that_a_method_is_at_no_host(hosts: Path) -> None:
    done = invoke("explain", "GetStock", cwd=hosts)
    assert done.code == 0, done.err
    assert ["hosts", "none"] in [line.split() for line in done.out.splitlines()]


def test_check_tells_of_services_at_no_host(hosts: Path) -> None:
    done = invoke("check", cwd=hosts)
    assert done.code == 0, done.err
    assert "shop.inventory.v1.InventoryService is served at no host" in done.err
    assert done.out.strip().endswith(" routes, 4 hosts")


def test_a_graph_is_one_hosts(hosts: Path) -> None:
    several = invoke("generate", "graphql", "--out", "out", cwd=hosts)
    assert several.code == 2
    assert "say whose with --host: catalog.example, *.users.example" in several.err
    one = invoke("generate", "graphql", "--out", "out", "--host", "a.users.example", cwd=hosts)
    assert one.code == 0, one.err
    text = (hosts / "out" / "schema.graphql").read_text()
    assert "type User " in text
    assert "type Product " not in text
    same = invoke(
        "check", "--schema-diff", "out/schema.graphql", "--host", "a.users.example", cwd=hosts
    )
    assert same.code == 0, same.err


def test_check_needs_a_host_only_for_a_graph(hosts: Path) -> None:
    assert invoke("check", "--host", "a.users.example", cwd=hosts).code == 2


def test_a_document_is_explained_by_a_hosts_graph(hosts: Path) -> None:
    (hosts / "user.graphql").write_text('{ getUser(id: "u1") { id } }')
    known = invoke("explain", "--document", "user.graphql", "--host", "a.users.example", cwd=hosts)
    assert known.code == 0, known.err
    other = invoke("explain", "--document", "user.graphql", "--host", "shop.example", cwd=hosts)
    assert other.code == 2
    assert "getUser" in other.err


def test_explain_tells_how_a_version_is_asked_for(shop: Path) -> None:
    path = shop / "gateway.yaml"
    path.write_text(
        path.read_text()
        + "rest: {versions: {default: v1, header: x-api-version, query: version}}\n"
    )
    done = invoke("explain", "GetUser", cwd=shop)
    assert done.code == 0, done.err
    told = next(line for line in done.out.splitlines() if line.startswith("  version"))
    assert "is v1 where none is asked for by header, query" in told
    assert told.endswith("rest.versions")
