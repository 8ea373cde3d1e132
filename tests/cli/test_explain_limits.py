"""`gateway explain` tells the limits of a method, and `gateway check` what is wrong with them."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.cli.failure import Exit
from tests.cli.conftest import write_config
from tests.cli.processes import invoke
from tests.cli.test_explain import section

POLICIES = """
auth:
  providers:
    partners: {api_key: {keys: {file: keys.yaml}}}
policies:
  - methods: ["*"]
    rate_limits:
      - {name: user, rate: 100/s, burst: 200}
      - {name: all, rate: 5000/s, key: [plan, method], on_limit: delay, max_delay: 250ms}
  - methods: ["shop.inventory.v1.InventoryService/WatchStock"]
    rate_limits:
      - {name: user, rate: unlimited}
      - {name: ticks, rate: 600/m, algorithm: fixed_window, messages: true, dark: true}
plans:
  free:
    rate_limits: {user: 10/s}
    quotas: {calls: 10000/d}
  pro:
    rate_limits: {user: unlimited}
"""


def write(folder: Path, policies: str) -> int:
    """Writes a config; returns how many lines are before these."""
    (folder / "keys.yaml").write_text("keys: {}\n")
    path = write_config(folder, "127.0.0.1:1", *policies.splitlines())
    return path.read_text().splitlines().index("policies:") + 1


def told(folder: Path, method: str) -> list[str]:
    out = invoke("explain", method, cwd=folder).out
    return [" ".join(words) for words in section(out, "rate limits")]


def test_limits_are_told_with_what_plans_say_of_them(tmp_path: Path) -> None:
    first = write(tmp_path, POLICIES)

    def at(line: int, column: int, key: str) -> str:
        return f"gateway.yaml:{first + line}:{column} {key}"

    own = at(3, 9, "policies.0.rate_limits.0")
    assert told(tmp_path, "GetProduct") == [
        f"rate limits user 100/s, 200 at once, by principal, token_bucket {own}",
        f"of the plan free: 10/s {at(11, 19, 'plans.free.rate_limits.user')}",
        f"of the plan pro: unlimited {at(14, 19, 'plans.pro.rate_limits.user')}",
        "all 5000/s, by plan and method, token_bucket, delayed by 250ms at most "
        + at(4, 9, "policies.0.rate_limits.1"),
        "quota of the plan free: calls 10000/d, of all methods together "
        + at(12, 14, "plans.free.quotas.calls"),
    ]


def test_what_becomes_of_calls_without_redis_is_told_where_there_is_one(tmp_path: Path) -> None:
    policies = """
policies:
  - methods: ["*"]
    rate_limits: [{name: a, rate: 1/s}, {name: b, rate: 1/s, on_error: deny}]
plans: {free: {quotas: {bytes: 2KiB/month}}}
"""
    write(tmp_path, policies)
    shared = ("--set", "state=redis://127.0.0.1:1")
    out = invoke("explain", "GetProduct", *shared, cwd=tmp_path).out
    found = [" ".join(words) for words in section(out, "rate limits")]
    assert (
        "token_bucket, counted by this machine alone while Redis is away gateway.yaml" in found[0]
    )
    assert "token_bucket, refused while Redis is away gateway.yaml" in found[1]
    assert found[2].startswith("quota of the plan free: bytes 2KiB/month, of all methods together")
    assert "Redis" not in "".join(told(tmp_path, "GetProduct"))


def test_a_limit_that_is_taken_back_is_told(tmp_path: Path) -> None:
    first = write(tmp_path, POLICIES)
    found = told(tmp_path, "WatchStock")
    own = f"gateway.yaml:{first + 7}:9 policies.1.rate_limits.0"
    assert found[0] == f"rate limits user unlimited {own}"
    assert found[2].startswith(
        "ticks 600/m, by principal, fixed_window, messages too, dark: refuses nothing gateway.yaml:"
    )


def test_the_chain_names_them(tmp_path: Path) -> None:
    write(tmp_path, POLICIES)
    out = invoke("explain", "WatchStock", cwd=tmp_path).out
    assert "rate limits: Takes a share of all, ticks, calls/d, or refuses." in out
    assert "message limits: Takes a share for each message of a stream, either way" in out


WRONG = """
policies:
  - methods: ["*"]
    rate_limits:
      - name: a
        rate: 1/s
        algorithm: fixed_window
        burst: 5
        on_limit: delay
      - {name: b, rate: 1/s, on_limit: delay, max_delay: 2m}
  - methods: [shop.catalog.v1.CatalogService/GetProduct]
    rate_limits:
      - {name: c, rate: 1/s, key: [principal, "field:nothing"]}
  - methods: [shop.catalog.v1.CatalogService/ListProducts]
    rate_limits: [{name: d, rate: 1/s, key: "field:price_range"}]
  - methods: [shop.inventory.v1.InventoryService/WatchStock]
    rate_limits: [{name: e, rate: 1/s, key: "field:product_ids"}]
  - methods: ["*"]
    rate_limits: [{name: f, rate: 1/s, key: "field:idd"}]
"""


def _place(line: str) -> str:
    return line.partition(": ")[0]


def test_what_can_not_be_is_told_with_its_line(tmp_path: Path) -> None:
    first = write(tmp_path, WRONG)
    done = invoke("check", cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    shop = "shop.catalog.v1"
    places = [f"gateway.yaml:{first + line}" for line in (6, 7, 8, 11)]
    assert [line.partition(": ")[2] for line in done.errors[:4]] == [
        "policies.0.rate_limits.0.burst: a fixed_window has no burst; only a token_bucket has",
        (
            "policies.0.rate_limits.0.on_limit: a fixed_window can't tell when it is a call's turn; "
            "only a token_bucket delays"
        ),
        "policies.0.rate_limits.1.max_delay: expected 60s at most",
        (
            f"policies.1.rate_limits.0: key: {shop}.GetProductRequest has no field nothing "
            f"({shop}.CatalogService/GetProduct)"
        ),
    ]
    assert [line.rpartition(":")[0] for line in map(_place, done.errors)][:4] == places
    assert "policies.2.rate_limits.0: key: " in done.errors[4]
    assert done.errors[5].startswith(
        f"gateway.yaml:{first + 15}:19: policies.3.rate_limits.0: key: field:product_ids: "
        "there is no request yet when a stream begins"
    )
    # Streams are among them, which have no request: what is told is the name that is wrong.
    assert re.fullmatch(
        rf"gateway\.yaml:{first + 17}:19: policies\.4\.rate_limits\.0: key: \S+ has no field idd "
        r"\(\S+ and \d+ more\)",
        done.errors[6],
    )
    assert len(done.errors) == 7


IDLE = """
policies:
  - methods: ["*"]
    rate_limits: [{name: user, rate: 1/s, key: api_key}]
plans:
  free: {rate_limits: {usr: 10/s}}
"""


def test_what_has_no_effect_is_told(tmp_path: Path) -> None:
    first = write(tmp_path, IDLE)
    done = invoke("check", cwd=tmp_path)
    assert done.code == 0
    said = [line.removeprefix("warning: ") for line in done.errors]
    assert [line for line in said if "plans" in line or "api_key" in line or "API" in line] == [
        (
            f"gateway.yaml:{first + 4}:24: plans.free.rate_limits.usr: no policy has a limit of this "
            "name: nothing is limited"
        ),
        f"gateway.yaml:{first + 3}:1: plans: nobody has a plan: there are no auth.providers",
        (
            f"gateway.yaml:{first + 2}:43: policies.0.rate_limits.0.key: no provider takes API keys: "
            "all callers are counted by their address"
        ),
    ]


WITHOUT_EFFECT = """
cache: {}
policies:
  - methods: ["*"]
    rate_limits:
      - {name: a, rate: 1/s, max_delay: 2s}
      - {name: b, rate: unlimited}
      - {name: c, rate: 1/s, messages: true}
  - methods: [shop.catalog.v1.CatalogService/GetProduct]
    rate_limits: [{name: d, rate: 1/s, messages: true}]
    cache: {tags: [catalog]}
    priority: high
  - methods: [shop.catalog.v1.CatalogService/ListProducts]
    cache: {ttl: 1m, tags: [catalog]}
    rate_limits: [{name: e, rate: 1/s, on_limit: delay, max_delay: 2s}]
adaptive_concurrency: {priority_header: x-priority}
"""


def test_settings_without_effect_are_noted(tmp_path: Path) -> None:
    first = write(tmp_path, WITHOUT_EFFECT)
    done = invoke("check", cwd=tmp_path)
    assert done.code == 0

    def lines(kind: str) -> list[str]:
        return [
            line.removeprefix(f"{kind}: gateway.yaml:")
            for line in done.errors
            if line.startswith(f"{kind}: ") and "without" in line
        ]

    assert lines("warning") == [
        (
            f"{first + 9}:5: policies.1.priority: without effect: adaptive_concurrency is off, and "
            "no call waits for another"
        ),
        (
            f"{first + 13}:24: adaptive_concurrency.priority_header: without effect: "
            "listener.trusted_proxies are who may send it, and there are none"
        ),
    ]
    assert lines("note") == [
        (
            f"{first + 3}:30: policies.0.rate_limits.0.max_delay: without effect: only on_limit: "
            "delay has calls wait"
        ),
        (f"{first + 4}:9: policies.0.rate_limits.1: without effect: no policy has a rate for b"),
        (
            f"{first + 7}:40: policies.1.rate_limits.0.messages: without effect: all methods of the "
            "policy are unary, and calls are charged"
        ),
        (
            f"{first + 8}:13: policies.1.cache.tags: without a ttl, only what the backend says of "
            "its replies is kept (shop.catalog.v1.CatalogService/GetProduct)"
        ),
    ]


PLANNED = """
auth:
  providers:
    partners: {api_key: {keys: {file: keys.yaml}}}
policies:
  - {methods: ["*"], rate_limits: [{name: user, rate: 1/s}]}
plans:
  free: {rate_limits: {user: 10/s}}
"""


def test_plans_of_keys_that_are_nowhere_are_told(tmp_path: Path) -> None:
    first = write(tmp_path, PLANNED)
    (tmp_path / "keys.yaml").unlink()
    for plan in ("gold", "gold", "free"):
        made = invoke("keys", "new", "--owner", "ada", "--plan", plan, cwd=tmp_path)
        assert made.code == 0, made.err
    done = invoke("check", cwd=tmp_path)
    assert done.code == 0
    (said,) = [line for line in done.errors if "gold" in line]
    assert re.fullmatch(
        rf"warning: gateway\.yaml:{first - 1}:5: auth\.providers\.partners: there is no plan gold in "
        r"plans, which its file gives to \S+, \S+; they have the policies' numbers",
        said,
    )
