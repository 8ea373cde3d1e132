"""`gateway explain`: what holds for one RPC, and what set it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from gateway.cli.failure import Exit
from tests.cli.conftest import write_config
from tests.cli.processes import invoke


def facts(out: str) -> dict[str, str]:
    """Returns values by names; of what several sections have (`timeout`), the first."""
    found: dict[str, str] = {}
    for line in out.splitlines():
        if name := line[:18].strip():
            found.setdefault(name, line[18:])
    return found


def section(out: str, title: str) -> list[list[str]]:
    """Returns the words of a section's lines."""
    lines = iter(out.splitlines())
    first = next(line for line in lines if line.startswith(f"{title} "))
    rest = itertools.takewhile(lambda line: line.startswith("  "), lines)
    return [line.split() for line in (first, *rest)]


def test_each_value_has_the_line_that_set_it_or_default(tmp_path: Path) -> None:
    write_config(tmp_path, "127.0.0.1:1", "    timeout: 250ms")
    found = facts(invoke("explain", "CatalogService.GetProduct", cwd=tmp_path).out)
    assert found["kind"] == "unary, no side effects"
    assert found["upstream"].split() == ["shop", "gateway.yaml:3:3", "upstreams.shop"]
    assert found["services"].split()[:2] == ["shop.*", "gateway.yaml:4:16"]
    assert found["endpoint"].split()[:2] == ["127.0.0.1:1", "gateway.yaml:5:17"]
    assert found["timeout"].split()[:2] == ["250ms", "gateway.yaml:6:5"]
    assert found["balancing"].split() == ["least_request", "default"]
    assert found["chain"].startswith("1. deadline gate")
    assert found["routes"].split()[:2] == ["GET", "/v1/products/{id}"]
    assert "catalog_service.proto:" in found["routes"]


def test_without_providers_every_setting_is_the_default(shop: Path) -> None:
    out = invoke("explain", "GetProduct", cwd=shop).out
    assert [" ".join(words) for words in section(out, "policies")] == [
        "policies reachable without authentication: there are no providers",
        "authenticate anonymous: there are no providers default",
        "scopes none default",
        "roles none default",
        "when none default",
        "timeout none default",
    ]


IDENTITY = """
auth:
  providers:
    customers: {api_key: {keys: {file: keys.yaml}}}
    partners: {api_key: {header: x-partner, keys: {file: keys.yaml}}}
policies:
  - methods: ["*"]
    timeout: 2s
  - methods: [shop.orders.v1.OrderService/*]
    authenticate: partners
    authorize: {scopes: [orders.read, orders.write], roles: [staff]}
  - methods: [shop.catalog.v1.CatalogService/GetProduct]
    authenticate: [customers, none]
"""


def with_identity(folder: Path) -> int:
    """Writes a config with providers and policies; returns how many lines are before these."""
    path = write_config(folder, "127.0.0.1:1")
    text = path.read_text()
    path.write_text(text + IDENTITY.lstrip())
    (folder / "keys.yaml").write_text("keys: {}\n")
    return len(text.splitlines()) + 3


def test_each_setting_of_a_policy_has_its_line(tmp_path: Path) -> None:
    first = with_identity(tmp_path)

    def lines(method: str) -> list[str]:
        out = invoke("explain", method, cwd=tmp_path).out
        return [" ".join(words) for words in section(out, "policies")]

    def at(line: int, column: int, path: str) -> str:
        return f"gateway.yaml:{first + line}:{column} policies.{path}"

    assert lines("CreateOrder") == [
        "policies for callers that are known",
        f"authenticate partners {at(6, 5, '1.authenticate')}",
        f"scopes all of orders.read, orders.write {at(7, 17, '1.authorize.scopes')}",
        f"roles any of staff {at(7, 54, '1.authorize.roles')}",
        "when none default",
        f"timeout 2s {at(4, 5, '0.timeout')}",
    ]
    assert lines("GetProduct")[:2] == [
        "policies reachable without authentication",
        f"authenticate any of customers, none {at(9, 5, '2.authenticate')}",
    ]
    assert lines("ListProducts")[:2] == [
        "policies for callers that are known",
        "authenticate any of customers, partners default",
    ]
    assert lines("WatchOrder")[-1].startswith("timeout 2s, without effect on streams gateway.yaml")


def test_the_chain_is_told_in_the_words_of_its_policies(tmp_path: Path) -> None:
    with_identity(tmp_path)
    out = invoke("explain", "CreateOrder", cwd=tmp_path).out
    chain = out[out.index("chain ") : out.index("limits ")].splitlines()
    asked = "has all scopes of orders.read, orders.write and has a role of staff"
    assert [line[18:].partition(": ")[::2] for line in chain] == [
        (
            "1. deadline gate",
            "Gives each call a deadline of at most 2s, and refuses one whose time is over.",
        ),
        ("2. authenticate", "Lets in whom partners knows, and nobody else."),
        ("3. authorize", f"Admits a call whose caller {asked}."),
    ]


def test_bounds_on_calls_at_a_time_are_told_where_there_are_any(tmp_path: Path) -> None:
    path = write_config(tmp_path, "127.0.0.1:1")
    assert "at a time" not in invoke("explain", "GetProduct", cwd=tmp_path).out
    said = "concurrency: 9, concurrency_per_principal: 2, priority: low"
    more = f"policies: [{{methods: ['*'], {said}}}]\nadaptive_concurrency: {{enabled: true}}\n"
    path.write_text(path.read_text() + more)
    out = invoke("explain", "GetProduct", cwd=tmp_path).out
    said_of = {words[0]: words[1] for words in section(out, "policies") if len(words) > 1}
    assert said_of["concurrency"] == "9"
    assert said_of["concurrency_per_principal"] == "2"
    assert said_of["priority"] == "low"
    assert "this method's with low priority." in out
    assert "Refuses a call while 9 calls of the method run in this process." in out
    assert "adaptive" not in invoke("explain", "WatchOrder", cwd=tmp_path).out


def test_adaptive_concurrency_is_told_with_its_numbers(tmp_path: Path) -> None:
    path = write_config(tmp_path, "127.0.0.1:1")
    path.write_text(path.read_text() + "adaptive_concurrency: {enabled: true, min: 4, queue: 7}\n")
    out = invoke("explain", "GetProduct", cwd=tmp_path).out
    assert [" ".join(words) for words in section(out, "adaptive")] == [
        "adaptive concurrency, in each process",
        "min 4 calls of the upstream at a time, never fewer gateway.yaml:6:39 adaptive_concurrency.min",
        "max 1000 at a time, never more default",
        "queue 7 calls that may wait for their turn gateway.yaml:6:47 adaptive_concurrency.queue",
        "max_wait 1s that a call waits at most default",
    ]


def test_values_are_a_column_however_long_names_are(tmp_path: Path) -> None:
    path = write_config(tmp_path, "127.0.0.1:1")
    said = "concurrency_per_principal: 2, cache: {stale_while_revalidate: 1m}, timeout: 1s"
    path.write_text(path.read_text() + f"policies: [{{methods: ['*'], {said}}}]\n")
    lines = invoke("explain", "GetProduct", cwd=tmp_path).out.splitlines()
    named = [line for line in lines if line.strip()]
    wide = len("  cache.stale_while_revalidate ")
    assert any(line.startswith("  cache.stale_while_revalidate 1m  ") for line in named)
    assert {line[wide - 1] for line in named} == {" "}
    assert all(line[wide] != " " for line in named if not line.startswith(" "))


EVERYTHING = """
auth: {providers: {partners: {api_key: {keys: {file: keys.yaml}}}}}
usage: {enabled: true}
adaptive_concurrency: {enabled: true}
policies:
  - methods: ["*"]
    rate_limits: [{name: user, rate: 1/s, messages: true}]
    authorize: {scopes: [read], when: principal.subject != ''}
    concurrency: 1
    concurrency_per_principal: 1
    validate: true
  - methods: [shop.catalog.v1.CatalogService/GetProduct]
    cache: {ttl: 1m}
  - methods: [shop.catalog.v1.CatalogService/ListProducts]
    coalesce: true
plans: {free: {quotas: {bytes: 1KiB/d}}}
"""


@pytest.mark.parametrize(
    "method", ["GetProduct", "ListProducts", "CreateOrder", "WatchStock", "ImportProducts"]
)
def test_each_line_of_the_chain_is_a_sentence(tmp_path: Path, method: str) -> None:
    (tmp_path / "keys.yaml").write_text("keys: {}\n")
    path = write_config(tmp_path, "127.0.0.1:1")
    path.write_text(path.read_text() + EVERYTHING)
    lines = [
        " ".join(words) for words in section(invoke("explain", method, cwd=tmp_path).out, "chain")
    ]
    assert len(lines) > 8
    for line in lines:
        assert re.fullmatch(r"(chain )?\d+\. [a-z ]+: [A-Z][^`()]+\.", line), line


def test_what_an_address_may_ask_is_a_limit_where_there_are_providers(tmp_path: Path) -> None:
    write_config(tmp_path, "127.0.0.1:1")
    assert "unauthenticated" not in invoke("explain", "GetProduct", cwd=tmp_path).out
    with_identity(tmp_path)
    out = invoke(
        "explain", "GetProduct", "--set", "listener.limits.unauthenticated=7/s", cwd=tmp_path
    ).out
    (line,) = [line.split("  ") for line in out.splitlines() if "unauthenticated 7/s" in line]
    words = [each.strip() for each in line if each]
    assert words[0] == "unauthenticated 7/s, of an address, while nobody is known"
    assert words[1].startswith("--set listener.limits.unauthenticated")


def test_the_chain_of_a_stream_has_what_stands_around_streams(tmp_path: Path) -> None:
    with_identity(tmp_path)
    out = invoke("explain", "WatchOrder", cwd=tmp_path).out
    chain = out[out.index("chain ") : out.index("limits ")].splitlines()
    assert [line[18:].partition(": ")[2] for line in chain][2] == (
        "Ends a stream when its caller is not known any more; asks every 60s."
    )


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


@pytest.mark.parametrize(
    ("method", "said", "where"),
    [
        pytest.param("GetProduct", "after a failure, or before", " GET", id="a GET rule"),
        pytest.param(
            "DeleteProduct", "after a failure: twice is as once", " DELETE", id="a DELETE"
        ),
        pytest.param("CreateOrder", "only if no backend saw it", "default", id="nothing is known"),
    ],
)
def test_it_says_how_often_a_call_may_be_made(
    shop: Path, method: str, said: str, where: str
) -> None:
    told = facts(invoke("explain", method, cwd=shop).out)["may be repeated"]
    assert told.startswith(said)
    assert told.endswith(where)


def test_a_policy_that_says_so_is_what_set_it(tmp_path: Path) -> None:
    write_config(
        tmp_path,
        "127.0.0.1:1",
        "policies:",
        "  - {methods: [shop.orders.v1.OrderService/CreateOrder], idempotent: true}",
    )
    told = facts(invoke("explain", "CreateOrder", cwd=tmp_path).out)["may be repeated"].split()
    assert told[:2] == ["after", "a"]
    assert "gateway.yaml:7" in " ".join(told)


def test_a_policy_sets_nothing_where_the_proto_says_more(tmp_path: Path) -> None:
    policy = "  - {methods: [shop.catalog.v1.CatalogService/*], idempotent: true}"
    write_config(tmp_path, "127.0.0.1:1", "policies:", policy)

    def told(method: str) -> str:
        return " ".join(
            facts(invoke("explain", method, cwd=tmp_path).out)["may be repeated"].split()
        )

    assert told("GetProduct").startswith("after a failure, or before: it changes nothing ")
    assert "policies" not in told("GetProduct")
    assert told("ImportProducts").endswith("policies.0.idempotent")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("affinity.on=principal", ["on principal"]),
        ("affinity.cookie=gw", ["cookie gw", "ttl 1h"]),
    ],
)
def test_who_keeps_clients_by_what_is_told_and_nothing_idle(
    setting: str, said: list[str], shop: Path
) -> None:
    out = invoke("explain", "GetProduct", "--set", f"upstreams.shop.{setting}", cwd=shop).out
    lines = out.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("  affinity "))
    told = [" ".join(line.removeprefix("  affinity").split()) for line in lines[first:]]
    assert all(text.startswith(each) for text, each in zip(told, said, strict=False))
    assert ("ttl" in out) is ("ttl 1h" in said)


def test_what_is_set_for_failures_is_told_key_by_key_where_it_has_an_effect(tmp_path: Path) -> None:
    write_config(tmp_path, "127.0.0.1:1", "    retries: {attempts: 2}", "    hedging: {}")

    def told(method: str) -> list[list[str]]:
        out = invoke("explain", method, cwd=tmp_path).out
        lines = out[out.index("  retries ") : out.index("  circuit_breaker ")].splitlines()
        return [line.split() for line in lines]

    read = told("GetProduct")
    assert read[0][:3] == ["retries", "attempts", "2"]
    assert "gateway.yaml:6" in read[0][3]
    assert ["on", "UNAVAILABLE", "default"] in read
    assert ["backoff.base", "25ms", "default"] in read
    assert ["hedging", "delay", "50ms", "default"] in read
    assert told("DeleteProduct")[0][:2] == ["retries", "attempts"]
    assert told("DeleteProduct")[-1][:3] == ["hedging", "without", "effect"]
    assert [words[1] for words in told("CreateOrder")] == ["without", "without"]
