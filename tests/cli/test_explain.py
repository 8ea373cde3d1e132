"""`gateway explain`: what holds for one RPC, and what set it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.cli.failure import Exit
from tests.cli.conftest import write_config
from tests.cli.processes import invoke


def facts(out: str) -> dict[str, str]:
    return {line[:18].strip(): line[18:] for line in out.splitlines() if line[:18].strip()}


def test_each_value_has_the_line_that_set_it_or_default(tmp_path: Path) -> None:
    write_config(tmp_path, "127.0.0.1:1", "    timeout: 250ms")
    found = facts(invoke("explain", "CatalogService.GetProduct", cwd=tmp_path).out)
    assert found["kind"] == "unary, no side effects"
    assert found["upstream"].split() == ["shop", "gateway.yaml:3:3", "upstreams.shop"]
    assert found["services"].split()[:2] == ["shop.*", "gateway.yaml:4:16"]
    assert found["endpoint"].split()[:2] == ["127.0.0.1:1", "gateway.yaml:5:17"]
    assert found["timeout"].split()[:2] == ["250ms", "gateway.yaml:6:5"]
    assert found["balancing"].split() == ["round_robin", "default"]
    assert found["chain"].startswith("1. deadline gate")
    assert found["routes"].split()[:2] == ["GET", "/v1/products/{id}"]
    assert "catalog_service.proto:" in found["routes"]


def test_the_fields_of_the_graph_that_call_it(shop: Path) -> None:
    assert facts(invoke("explain", "GetProduct", cwd=shop).out)["graphql"] == "Query.getProduct"
    assert facts(invoke("explain", "WatchStock", cwd=shop).out)["graphql"] == (
        "Subscription.watchStock"
    )
    assert facts(invoke("explain", "ImportProducts", cwd=shop).out)["graphql"] == "none"
    off = invoke("explain", "GetProduct", "--set", "graphql=false", cwd=shop).out
    assert "graphql" not in facts(off)


def test_where_a_websocket_reaches_it(shop: Path) -> None:
    setting = "websocket.limits.message_size=2MiB"
    out = invoke("explain", "WatchOrder", "--set", setting, cwd=shop).out
    lines = [line[18:].split() for line in out[out.index("websocket ") :].splitlines()]
    assert lines == [
        ["/shop.orders.v1.OrderService/WatchOrder", "waits", "for", "a", "message"],
        ["/v1/orders/{id}:watch", "starts", "at", "once"],
        ["/ws", "one", "of", "many", "calls", "default"],
        ["2MiB", "--set", "websocket.limits.message_size=…", "websocket.limits.message_size"],
    ]


def test_without_websocket_nothing_is_said_of_it(shop: Path) -> None:
    out = invoke("explain", "WatchOrder", "--set", "websocket=false", cwd=shop).out
    assert "websocket" not in facts(out)


def test_limits_are_those_of_its_kind(shop: Path) -> None:
    unary = invoke("explain", "GetProduct", cwd=shop).out
    stream = invoke("explain", "ImportProducts", cwd=shop).out
    assert "body_size" in unary
    assert "stream_idle_timeout" not in unary
    assert "body_size" not in stream
    assert "stream_size none" in stream


@pytest.mark.parametrize(
    ("method", "settings", "name", "says"),
    [
        ("GetProduct", ("timeout: 2s",), "timeout 2s", "a deadline of at most 2s,"),
        ("ImportProducts", ("timeout: 2s",), "stream_timeout none", "no deadline of its own"),
        (
            "ImportProducts",
            ("timeout: 2s", "stream_timeout: 1h"),
            "stream_timeout 1h",
            "a deadline of at most 1h,",
        ),
    ],
    ids=["unary", "stream-without-one", "stream"],
)
def test_the_deadline_is_that_of_its_kind(
    method: str, settings: tuple[str, ...], name: str, says: str, tmp_path: Path
) -> None:
    write_config(tmp_path, "127.0.0.1:1", *(f"    {each}" for each in settings))
    out = invoke("explain", method, cwd=tmp_path).out
    assert name in " ".join(out.split())
    assert says in facts(out)["chain"]


def test_columns_stay_columns(shop: Path) -> None:
    lines = invoke("explain", "ImportProducts", cwd=shop).out.splitlines()
    upstream = next(i for i, line in enumerate(lines) if line.startswith("upstream "))
    section = lines[upstream : upstream + 9]
    assert section[-1].startswith("  stream_timeout  none ")
    places = [re.search(r"gateway\.yaml:|default$", line) for line in section]
    assert len({place.start() if place else None for place in places}) == 1


@pytest.mark.parametrize("rule", ["", " { option (google.api.http) = {get: '/v1/a'}; }"])
def test_a_method_is_where_its_file_is_with_a_rule_or_without(rule: str, tmp_path: Path) -> None:
    folder = tmp_path / "protos" / "a" / "v1"
    folder.mkdir(parents=True)
    (folder / "a.proto").write_text(
        'syntax = "proto3"; package a.v1; import "google/api/annotations.proto";\n'
        "message E {}\n"
        f"service A {{ rpc Do(E) returns (E){rule or ';'} }}\n"
    )
    (tmp_path / "gateway.yaml").write_text(
        'schema: {protos: [protos]}\nupstreams: {a: {services: ["*"], endpoints: ["127.0.0.1:1"]}}\n'
    )
    found = facts(invoke("explain", "Do", cwd=tmp_path).out)
    assert found["method"].split() == ["a.v1.A/Do", "protos/a/v1/a.proto:3"]
    assert found["routes"].split()[-1] == "protos/a/v1/a.proto:3"


def test_an_override_is_a_place_too(shop: Path) -> None:
    done = invoke("explain", "GetProduct", "--set", "listener.limits.json_depth=7", cwd=shop)
    assert "json_depth 7" in done.out
    assert "--set listener.limits.json_depth" in done.out


def test_a_configured_rule_has_its_line(tmp_path: Path) -> None:
    path = write_config(tmp_path, "127.0.0.1:1")
    rule = "{selector: shop.users.v1.UserService.WhoAmI, get: /v1/me}"
    path.write_text(path.read_text().replace("schema: {", f"schema: {{http_rules: [{rule}], ", 1))
    found = facts(invoke("explain", "WhoAmI", cwd=tmp_path).out)
    assert found["routes"].split()[:3] == ["GET", "/v1/me", "gateway.yaml:1:23"]


def test_a_method_that_is_not_served_says_so(shop: Path) -> None:
    done = invoke(
        "explain", "GetProduct", "--set", "upstreams.shop.services=[shop.users.*]", cwd=shop
    )
    assert done.code == 0
    assert "it is not served" in facts(done.out)["upstream"]
    assert facts(done.out)["routes"] == "none"
    assert facts(done.out)["websocket"] == "none"


def test_an_unknown_method_tells_the_nearest(shop: Path) -> None:
    done = invoke("explain", "GetProdct", cwd=shop)
    assert done.code == Exit.MISTAKE
    assert "shop.catalog.v1.CatalogService/GetProduct" in done.err
