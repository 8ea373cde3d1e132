"""`gateway check --schema-diff`: what has changed in the graph, and whom it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.cli.failure import Exit
from tests.cli.processes import Ran, invoke

PROTO = """
syntax = "proto3";
package a.v1;
message Thing {{ string id = 1; {fields} }}
message Get {{ string id = 1; {arguments} }}
enum Kind {{ KIND_UNSPECIFIED = 0; SMALL = 1; {values} }}
service Things {{ rpc GetThing(Get) returns (Thing) {{ option idempotency_level = NO_SIDE_EFFECTS; }} }}
"""
USED = "Kind kind = 2;"
ANONYMOUS = "note: every caller is anonymous: there are no auth.providers\n"


@pytest.fixture
def since(tmp_path: Path) -> Callable[..., Ran]:
    """Compares the graph of a proto with that of the same proto as it was."""
    (tmp_path / "protos").mkdir()
    (tmp_path / "gateway.yaml").write_text(
        'schema: {protos: [protos]}\nupstreams: {a: {services: ["*"], endpoints: ["127.0.0.1:1"]}}\n'
    )

    def write(parts: dict[str, str]) -> None:
        blank = {"fields": USED, "arguments": "", "values": ""}
        (tmp_path / "protos" / "a.proto").write_text(PROTO.format(**(blank | parts)))

    def compare(old: dict[str, str], new: dict[str, str]) -> Ran:
        write(old)
        assert invoke("generate", "graphql", "--out", ".", cwd=tmp_path).code == 0
        write(new)
        done = invoke("check", "--schema-diff", "schema.graphql", cwd=tmp_path)
        assert ANONYMOUS in done.err
        return replace(done, err=done.err.replace(ANONYMOUS, ""))

    return compare


def test_the_same_is_well(since: Callable[..., Ran]) -> None:
    done = since({}, {})
    assert (done.code, done.out, done.err) == (0, "ok: 1 service, 1 method, 1 route\n", "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param({}, {"fields": USED + "string more = 3;"}, id="a-field-more"),
        pytest.param(
            {"fields": "Kind kind = 2; optional int32 size = 3;"},
            {"fields": "Kind kind = 2; int32 size = 3;"},
            id="a-field-that-is-null-no-more",
        ),
    ],
)
def test_what_no_client_notices_is_well(
    old: dict[str, str], new: dict[str, str], since: Callable[..., Ran]
) -> None:
    done = since(old, new)
    assert (done.code, done.err) == (0, "")


BREAKING = [
    pytest.param(
        {"fields": USED + "string gone = 3;"}, {}, "Field Thing.gone was removed.", id="no-field"
    ),
    pytest.param(
        {"fields": USED + "int32 size = 3;"},
        {"fields": USED + "string size = 3;"},
        "Field Thing.size changed type from Int! to String!.",
        id="another-type",
    ),
    pytest.param(
        {"arguments": "int32 limit = 2;"},
        {},
        "Argument Query.getThing(limit:) was removed.",
        id="no-argument",
    ),
    pytest.param(
        {"values": "LARGE = 2;"}, {}, "Enum value Kind.LARGE was removed.", id="no-enum-value"
    ),
]


@pytest.mark.parametrize(("old", "new", "change"), BREAKING)
def test_what_breaks_clients_fails_and_is_named(
    old: dict[str, str], new: dict[str, str], change: str, since: Callable[..., Ran]
) -> None:
    done = since(old, new)
    assert (done.code, done.out) == (Exit.FAILED, "")
    assert f"schema.graphql: breaking change: {change}" in done.errors
    assert all(line.startswith("schema.graphql: breaking change: ") for line in done.errors)


def test_what_may_surprise_clients_is_a_warning(since: Callable[..., Ran]) -> None:
    done = since({}, {"values": "LARGE = 2;"})
    assert done.code == 0
    assert done.errors == [
        "warning: schema.graphql: dangerous change: Enum value Kind.LARGE was added."
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("type Query {", "old.graphql:1:13: is not a GraphQL schema", id="syntax"),
        pytest.param("type Query { a: A }", "old.graphql: is not a GraphQL schema", id="no-type"),
        pytest.param(None, "old.graphql can't be read", id="no-file"),
    ],
)
def test_a_file_that_is_no_schema(text: str | None, says: str, shop: Path) -> None:
    if text is not None:
        (shop / "old.graphql").write_text(text)
    done = invoke("check", "--schema-diff", "old.graphql", cwd=shop)
    assert done.code == Exit.MISTAKE
    assert says in done.err
    assert "Traceback" not in done.err


def test_without_a_graph_there_is_nothing_to_compare(shop: Path) -> None:
    (shop / "old.graphql").write_text("type Query { a: Int }")
    done = invoke("check", "--schema-diff", "old.graphql", "--set", "graphql=false", cwd=shop)
    assert done.code == Exit.MISTAKE
    assert "graphql is off in the config" in done.err
