"""`gateway routes`: every route, whoever reads it."""

from __future__ import annotations

import json
from pathlib import Path

from google.api import annotations_pb2

from services_mock.contract import contract
from tests.cli.processes import invoke

RULES = annotations_pb2.http


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


def test_every_route_of_the_example_is_listed_without_a_backend(shop: Path) -> None:
    done = invoke("routes", cwd=shop)
    assert done.code == 0
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[0] == ["HTTP", "PATH", "RPC", "KIND", "UPSTREAM"]
    assert {(verb, path, rpc) for verb, path, rpc, *_ in rows[1:]} == annotated()
    assert {row[-1] for row in rows[1:]} == {"shop"}


def test_json_has_the_same_routes(shop: Path) -> None:
    rows = json.loads(invoke("routes", "--json", cwd=shop).out)
    assert {(row["http_method"], row["path"], row["rpc"]) for row in rows} == annotated()
    kinds = {row["rpc"].rpartition("/")[2]: row["kind"] for row in rows}
    assert kinds["ExportProducts"] == "server streaming"
    assert kinds["ImportProducts"] == "client streaming"


def test_only_all_lists_services_without_an_upstream(shop: Path) -> None:
    only = ["--set", "upstreams.shop.services=[shop.users.v1.UserService]"]
    served = invoke("routes", *only, cwd=shop).out.splitlines()
    assert all("shop.users.v1.UserService/" in line for line in served[1:])
    every = invoke("routes", "--all", *only, cwd=shop).out.splitlines()
    assert len(every) == len(annotated()) + 1
    assert sum(line.endswith("(not served)") for line in every) == len(every) - len(served)


def test_the_prefix_stands_before_every_path(shop: Path) -> None:
    rows = json.loads(invoke("routes", "--json", "--set", "rest.prefix=/api", cwd=shop).out)
    assert all(row["path"].startswith("/api/") for row in rows)
