"""Lines that the gateway prints, taken apart and written again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app import BuildError
from gateway.app.findings import Finding, Severity
from gateway.cli.findings import of_line, of_mistake
from gateway.config import ConfigError
from gateway.config.problems import Problem as ConfigProblem
from gateway.schema.problem import Problem, SchemaError

CASES = {
    "a-key": (
        "gateway.yaml:12:5: policies.0.timeout: found 5",
        ("config.policies", "gateway.yaml", 12, 5, "policies.0.timeout", "found 5"),
    ),
    "a-quoted-key": (
        'a.yaml:1:2: hosts."*.x.example": nothing: is served',
        ("config.hosts", "a.yaml", 1, 2, 'hosts."*.x.example"', "nothing: is served"),
    ),
    "an-override": (
        "--set rest.x=…: rest.x: unknown key",
        ("config.rest", "--set rest.x=…", 0, 0, "rest.x", "unknown key"),
    ),
    "a-default": (
        "default: websocket.path: /ws is taken",
        ("config.websocket", "default", 0, 0, "websocket.path", "/ws is taken"),
    ),
    "a-whole-file": (
        "other.yaml: no such file",
        ("config", "other.yaml", 0, 0, "", "no such file"),
    ),
    "a-line-of-a-proto": (
        "protos/a.proto:3: a rule: is wrong",
        ("proto", "protos/a.proto", 3, 0, "", "a rule: is wrong"),
    ),
    "a-setting-of-a-proto": (
        "a.proto:3: authorize.scopes: nobody has any",
        ("proto", "a.proto", 3, 0, "", "authorize.scopes: nobody has any"),
    ),
    "a-rule-of-the-config": (
        "gateway.yaml:3:7: schema.http_rules[0] (a.v1.S.Get): no field",
        ("config.schema", "gateway.yaml", 3, 7, "", "schema.http_rules[0] (a.v1.S.Get): no field"),
    ),
    "a-document": (
        "operations/home.graphql:2:1: no field: x",
        ("document", "operations/home.graphql", 2, 1, "", "no field: x"),
    ),
    "words-alone": (
        "GET /x is never reached: the path is for graphql.path",
        ("serving", "", 0, 0, "", "GET /x is never reached: the path is for graphql.path"),
    ),
    "several-lines": (
        "reachable without authentication:\n  shop.v1.S: Get",
        ("serving", "", 0, 0, "", "reachable without authentication:\n  shop.v1.S: Get"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_line_is_taken_apart_and_printed_as_it_was(name: str) -> None:
    line, (rule, file, number, column, path, message) = CASES[name]
    found = of_line(line, Severity.WARNING)
    assert found == Finding(rule, Severity.WARNING, message, file, number, column, path)
    assert str(found) == line


@given(
    st.sampled_from(["", "gateway.yaml:1:2: ", "--set a.b=…: ", "default: ", "x.proto:3: "]),
    st.sampled_from(["", "rest.prefix: ", 'hosts."a: b".rest: ', "schema.http_rules[0]: "]),
    st.text(min_size=1),
)
def test_any_line_is_printed_as_it_was(place: str, path: str, text: str) -> None:
    assert str(of_line(f"{place}{path}{text}", Severity.ERROR)) == f"{place}{path}{text}"


@pytest.mark.parametrize(
    "mistake",
    [
        ConfigError(
            [
                ConfigProblem("a.yaml", 3, 4, "rest.prefix", 'found "a\nb"'),
                ConfigProblem("a.yaml", None, None, "", "no such file"),
            ]
        ),
        SchemaError([Problem("a.proto", 2, 1, "unknown type", "import it"), Problem("b.proto")]),
        BuildError(["a.yaml:2:1: policies: wrong", "words alone"]),
        ValueError("words: alone"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_mistake_is_printed_as_it_says(mistake: Exception) -> None:
    told = [str(each) for each in getattr(mistake, "problems", [mistake])]
    found = of_mistake(mistake)
    assert [str(each) for each in found] == [line.removesuffix(": ") for line in told]
    assert all(each.severity is Severity.ERROR for each in found)
