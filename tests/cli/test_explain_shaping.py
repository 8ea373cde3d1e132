"""`gateway explain` tells where the calls of a method go; `gateway check` what is wrong with that."""

from __future__ import annotations

from pathlib import Path

from gateway.cli.failure import Exit
from tests.cli.conftest import write_config
from tests.cli.processes import invoke
from tests.cli.test_explain import facts

MORE = """
  canary: {endpoints: ["127.0.0.1:2"]}
  next: {endpoints: ["127.0.0.1:3"]}
policies:
  - methods: ["shop.catalog.v1.CatalogService/*"]
    route:
      - {upstream: canary, header: {X-Canary: always}, query: {v: "2"}, when: "method != ''"}
    split: [{upstream: canary, percent: 2.5, hash_on: principal}, {upstream: next, percent: 10}]
  - methods: ["shop.catalog.v1.CatalogService/GetProduct"]
    mirror: {upstream: next, percent: 50}
    deprecated: {since: 2026-06-30, sunset: 2027-06-30, link: /v2}
    faults: {delay: 100ms, code: UNAVAILABLE, percent: 5}
  - methods: ["shop.catalog.v1.CatalogService/ListProducts"]
    route: []
    split: []
    faults: {percent: 0}
"""


def told(folder: Path, method: str) -> dict[str, list[str]]:
    """Returns the words of each fact of a method."""
    write_config(folder, "127.0.0.1:1", *MORE.strip("\n").splitlines())
    out = invoke("explain", method, cwd=folder).out
    return {name: value.split() for name, value in facts(out).items()}


def test_each_setting_is_told_with_its_line(tmp_path: Path) -> None:
    found = told(tmp_path, "GetProduct")
    assert " ".join(found["route"]) == (
        "canary if x-canary: always and ?v=2 and method != '' gateway.yaml:10:5 policies.0.route"
    )
    assert " ".join(found["split"]) == (
        "2.5 % to canary by principal, 10 % to next gateway.yaml:12:5 policies.0.split"
    )
    assert " ".join(found["mirror"]).startswith("50 % to next gateway.yaml:14:5")
    said = " ".join(found["deprecated"])
    assert said.startswith("since 2026-06-30, until 2027-06-30, /v2 gateway.yaml:15:5")
    assert " ".join(found["faults"]).startswith("100ms and UNAVAILABLE for 5 % gateway.yaml:16:5")


def test_the_chain_tells_what_becomes_of_calls(tmp_path: Path) -> None:
    write_config(tmp_path, "127.0.0.1:1", *MORE.strip("\n").splitlines())
    out = invoke("explain", "GetProduct", cwd=tmp_path).out
    for line in (
        "2. deprecated: Tells clients that the method goes away, by Deprecation: @1782777600",
        "3. inject faults: On purpose, 5 % of the calls are delayed by 100 ms and fail with",
        "4. choose upstream: Chooses the upstream: canary where x-canary is always and ?v=2 and",
        "5. mirror: Sends copies of 50 % of the calls to next, and waits for no answer.",
        "6. elsewhere: Sends calls for canary, next there, within their bounds; what follows is",
    ):
        assert line in out


def test_each_upstream_is_told_with_what_holds_there(tmp_path: Path) -> None:
    resilient = MORE.replace(
        '{endpoints: ["127.0.0.1:2"]}', '{endpoints: ["127.0.0.1:2"], retries: {attempts: 2}}'
    )

    def blocks(method: str, more: str) -> list[list[str]]:
        """The lines of each upstream, as words."""
        write_config(tmp_path, "127.0.0.1:1", *more.strip("\n").splitlines())
        out = invoke("explain", method, cwd=tmp_path).out
        told = out[out.index("\nupstream ") : out.index("\npolicies ")].split("\nupstream ")[1:]
        return [[" ".join(line.split()) for line in each.splitlines()] for each in told]

    shop, canary, other = blocks("GetProduct", resilient)
    assert shop[0] == "shop gateway.yaml:3:3 upstreams.shop"
    assert "retries off default" in shop
    assert canary[0].startswith("canary, by policy gateway.yaml:6:3")
    assert canary[1].startswith("endpoint 127.0.0.1:2 gateway.yaml:6")
    assert any(line.startswith("retries attempts 2 gateway.yaml:6") for line in canary)
    assert any(line.startswith("timeout ") for line in other)
    assert [each[0].split()[0] for each in blocks("ListProducts", resilient)] == ["shop"]
    *_, copies = blocks("GetProduct", resilient.replace(", {upstream: next, percent: 10}", ""))
    assert copies[0].startswith("next, of copies gateway.yaml:7:3")
    assert any(
        line.startswith(
            "may be repeated only if no backend saw it gateway.yaml:14:5 policies.1.mirror"
        )
        for line in copies
    )


def test_what_is_taken_back_is_told_as_nothing(tmp_path: Path) -> None:
    found = told(tmp_path, "ListProducts")
    assert found["route"][:2] == ["no", "rules"]
    assert found["split"][:2] == ["no", "shares"]
    assert found["faults"][0] == "none"
    assert "mirror" not in found


def test_a_check_names_the_line_of_a_rule_that_does_not_compile(tmp_path: Path) -> None:
    wrong = MORE.replace("method != ''", "method != 1").strip("\n").splitlines()
    write_config(tmp_path, "127.0.0.1:1", *wrong)
    result = invoke("check", cwd=tmp_path)
    assert result.code == Exit.MISTAKE
    assert "gateway.yaml:11:73: policies.0.route.0.when: " in result.err
