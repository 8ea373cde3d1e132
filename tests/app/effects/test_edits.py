"""Edits of protos, rules and joins as they are loaded: each is told, by what it does.

All edits of protos are loaded at once: each is of a package of its own.
"""

from __future__ import annotations

import asyncio

import pytest

from gateway.app import build
from gateway.app.effects import facts_of
from gateway.app.effects.comparing import effects
from gateway.app.pool import UpstreamPool
from gateway.config import from_mapping

PROTO = """syntax = "proto3";
package x.v1;
import "buf/validate/validate.proto";
import "google/api/annotations.proto";
import "google/api/field_behavior.proto";
// A thing.
message Thing {
  string id = 1;
  string owner_id = 2;
  string maker_id = 3;
  string full_name = 4;
  string note = 5 [(buf.validate.field).string.min_len = 1];
  oneof size { int32 small = 6; int32 large = 7; }
  Kind kind = 8;
  repeated string tags = 9;
}
enum Kind { option allow_alias = true; NONE = 0; FIRST = 1; LEADING = 1; }
message GetThing { string id = 1; }
message People { repeated Person people = 1; }
message Person { string id = 1; }
message GetPeople { repeated string ids = 1; }
service S {
  rpc Put(Thing) returns (Thing) {
    option (google.api.http) = {post: "/x.v1/things" body: "*"};
  }
  rpc Get(GetThing) returns (Thing) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Find(GetPeople) returns (People) { option idempotency_level = NO_SIDE_EFFECTS; }
}
"""
JOINS = """# Who has it.
extend type Thing {
  owner: Person @join(by: "id", method: "x.v1.S/Find", keys: {ids: "owner_id"})
}
"""
RULE = '(buf.validate.message).cel = {id: "a" message: "b" expression: "true"}'

EDITS = {
    "a body is a part of the message": ('body: "*"', 'body: "note"', "route-body"),
    "a reply is a part of the message": (
        'body: "*"',
        'body: "*" response_body: "note"',
        "route-body",
    ),
    "a route is elsewhere": ("/things", "/stuff", "route-added"),
    "a field has another name in JSON": (
        "full_name = 4",
        'full_name = 4 [json_name = "called"]',
        "message",
    ),
    "a oneof is dissolved": (
        "oneof size { int32 small = 6; int32 large = 7; }",
        "int32 small = 6; int32 large = 7;",
        "message",
    ),
    "a field tells whether it is there": (
        "string full_name",
        "optional string full_name",
        "message",
    ),
    "a field has another number": ("full_name = 4", "full_name = 14", "message"),
    "a field is required": (
        "full_name = 4",
        "full_name = 4 [(google.api.field_behavior) = REQUIRED]",
        "message",
    ),
    "a list is a value": ("repeated string tags", "string tags", "message"),
    "a rule is another": ("min_len = 1", "min_len = 2", "message"),
    "a rule of the message": (
        "string id = 1;\n  string owner_id",
        f"option {RULE}; string id = 1; string owner_id",
        "message",
    ),
    "a value has another first name": (
        "FIRST = 1; LEADING = 1;",
        "LEADING = 1; FIRST = 1;",
        "message",
    ),
    "an RPC is deprecated": (
        "rpc Put(Thing) returns (Thing) {",
        "rpc Put(Thing) returns (Thing) { option deprecated = true;",
        "method-form",
    ),
    "an RPC has side effects": (
        "returns (Thing) { option idempotency_level = NO_SIDE_EFFECTS; }",
        "returns (Thing);",
        "method-form",
    ),
    "an RPC streams": ("returns (People)", "returns (stream People)", "method-form"),
}
UNSEEN = {
    "a comment": ("// A thing.", "// Some thing."),
    "an option that nobody reads": ("package x.v1;", 'package x.v1; option java_package = "x";'),
}
EDITS_OF_JOINS = {
    "a join by another key of the parent": ("owner_id", "maker_id", "graph-field-source"),
    "a join that gives many": (
        'Person @join(by: "id", ',
        '[Person!] @join(by: "id", many: true, ',
        "graph-field-changed",
    ),
    "a join has another name": ("owner:", "has:", "graph-field-added"),
    "a comment": ("# Who has it.", "# Who owns it.", "joins-text"),
}


async def facts(folder, protos, joins=""):
    """Takes the facts of protos, and of a graph with joins where there are any."""
    (folder / "protos").mkdir(parents=True)
    for name, text in protos.items():
        (folder / "protos" / f"{name}.proto").write_text(text)
    (folder / "joins.graphql").write_text(joins)
    data = {
        "schema": {"protos": ["protos"]},
        "upstreams": {"x": {"services": ["*"], "endpoints": ["127.0.0.1:1"]}},
        "policies": [{"methods": ["*"], "validate": True}],
        "graphql": {"joins": ["joins.graphql"]} if joins else False,
    }
    pool = UpstreamPool()
    try:
        return facts_of(await build(from_mapping(data, origin="test", directory=folder), pool))
    finally:
        await pool.close(0)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What all edits of protos do, without a graph, which would tell some of it."""
    before, after = {}, {}
    for number, (was, becomes, _) in enumerate(EDITS.values()):
        assert PROTO.count(was) == 1
        package = f"case{number:02}"
        before[package] = PROTO.replace("x.v1", package)
        after[package] = PROTO.replace(was, becomes).replace("x.v1", package)

    async def both():
        folder = tmp_path_factory.mktemp("edits")
        return [await facts(folder / name, each) for name, each in (("a", before), ("b", after))]

    return effects(*asyncio.run(both()))


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_a_proto_is_told_where_no_graph_tells_it(told, edit):
    package = f"case{[*EDITS].index(edit):02}"
    kinds = {each.kind for each in told if any(package in name for name in each.names)}
    assert EDITS[edit][2] in kinds


@pytest.mark.parametrize(("was", "becomes"), UNSEEN.values(), ids=UNSEEN)
async def test_what_alters_no_call_is_told_as_that(tmp_path, was, becomes):
    assert PROTO.count(was) == 1
    before = await facts(tmp_path / "a", {"x": PROTO})
    (effect,) = effects(before, await facts(tmp_path / "b", {"x": PROTO.replace(was, becomes)}))
    assert str(effect) == (
        "1 proto changed in comments, layout or options that alter no call: x.proto"
    )


@pytest.mark.parametrize(("was", "becomes", "kind"), EDITS_OF_JOINS.values(), ids=EDITS_OF_JOINS)
async def test_an_edit_of_a_join_is_told(tmp_path, was, becomes, kind):
    assert JOINS.count(was) == 1
    before = await facts(tmp_path / "a", {"x": PROTO}, JOINS)
    found = effects(before, await facts(tmp_path / "b", {"x": PROTO}, JOINS.replace(was, becomes)))
    assert kind in {each.kind for each in found}


async def test_the_same_files_elsewhere_change_nothing(tmp_path):
    before = await facts(tmp_path / "a", {"x": PROTO}, JOINS)
    assert effects(before, await facts(tmp_path / "b", {"x": PROTO}, JOINS)) == []
