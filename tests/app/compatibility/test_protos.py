"""Changes of protos, each with all that is told of it; what is not listed is safe.

All cases are built at once: each is a package of its own, in one folder as it was and in one as it
is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest

from gateway.app.compatibility.change import Change, Effect
from gateway.app.compatibility.compare import compare
from gateway.app.compatibility.rules import RULES
from tests.app.compatibility.conftest import surface

FILE = """syntax = "proto3"; package {package};
import "google/api/annotations.proto";
import "google/api/field_behavior.proto";
import "google/api/httpbody.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "buf/validate/validate.proto";
message Req {{ string id = 1; {req} }}
message Rep {{ string id = 1; {rep} }}
{more}
service S {{
  rpc Get({takes}) returns ({gives}) {{ option (google.api.http) = {{ {http} }}; }}
  {rpcs}
}}
"""
USUAL = {
    "req": "",
    "rep": "",
    "more": "",
    "takes": "Req",
    "gives": "Rep",
    "http": "get: '/{package}/{{id}}'",
    "rpcs": "",
}
POST = "post: '/{package}' body: '*'"
ALIASED = "enum Kind { option allow_alias = true; NONE = 0; NIL = 0; LARGE = 1;"
KINDS = "enum Kind { NONE = 0; SMALL = 1; LARGE = 2; }"


class Case(NamedTuple):
    """A change: the parts of a file as they were and as they are, and what is told of it."""

    old: Mapping[str, str]
    new: Mapping[str, str]
    told: Mapping[str, str] = {}
    both: Mapping[str, str] = {}


BREAKS, MAY_BREAK = "breaking", "dangerous"

CASES = {
    # REST: where
    "same": Case({}, {}),
    "a_variable_is_called_otherwise": Case(
        {"http": "get: '/{package}/{{id}}'"},
        {"http": "get: '/{package}/{{id=*}}'"},
    ),
    "no_route": Case(
        {
            "rpcs": "rpc Gone(Req) returns (Rep) { option (google.api.http).get = '/{package}:gone'; }"
        },
        {},
        {
            "rest.route-removed GET /{package}:gone": BREAKS,
            "websocket.method-removed {package}.S/Gone": BREAKS,
            "websocket.socket-removed /{package}:gone": BREAKS,
        },
    ),
    "a_route_elsewhere": Case(
        {},
        {"http": "get: '/{package}/of/{{id}}'"},
        {
            "rest.route-moved GET /{package}/{id}": BREAKS,
            "websocket.socket-removed /{package}/{id}": BREAKS,
        },
    ),
    "another_place_beside": Case(
        {},
        {"http": "get: '/{package}/{{id}}' additional_bindings {{ get: '/{package}/of/{{id}}' }}"},
    ),
    "another_verb": Case(
        {},
        {"http": "delete: '/{package}/{{id}}'"},
        {"rest.verb-changed GET /{package}/{id}": BREAKS},
    ),
    "any_verb": Case({}, {"http": "custom: {{ kind: '*' path: '/{package}/{{id}}' }}"}),
    "more_paths": Case(
        {},
        {"http": "get: '/{package}/{{id=**}}'"},
    ),
    "more_paths_before_a_verb": Case(
        {"http": "get: '/{package}/{{id=a/*}}/tasks:watch'"},
        {"http": "get: '/{package}/{{id=a/**}}/tasks:watch'"},
    ),
    "fewer_paths": Case(
        {"http": "get: '/{package}/{{id=a/*}}'"},
        {"http": "get: '/{package}/{{id=a/b}}'"},
        {
            "rest.route-narrowed GET /{package}/{id=a/*}": BREAKS,
            "websocket.socket-removed /{package}/{id=a/*}": BREAKS,
        },
    ),
    "a_literal_before_a_variable": Case(
        {},
        {"rpcs": "rpc Mine(Req) returns (Rep) { option (google.api.http).get = '/{package}/me'; }"},
        {"rest.route-shadowed GET /{package}/me": MAY_BREAK},
    ),
    # REST: what a route takes
    "a_path_variable_is_a_number": Case(
        {},
        {"http": "get: '/{package}/{{number}}'"},
        {
            "rest.path-type-changed GET /{package}/{id} {id}": BREAKS,
            "rest.query-field-bound {package}.Req.number": BREAKS,
        },
        both={"req": "int32 number = 2;"},
    ),
    "no_query_parameter": Case(
        {"req": "int32 size = 2;"},
        {},
        {
            "rest.query-field-removed {package}.Req.size": BREAKS,
            "json.request-field-removed {package}.Req.size": BREAKS,
            "proto.field-removed {package}.Req.size": BREAKS,
        },
    ),
    "a_parameter_may_be_repeated": Case(
        {"req": "int32 size = 2;"},
        {"req": "repeated int32 size = 2;"},
        {
            "json.request-cardinality-changed {package}.Req.size": BREAKS,
            "proto.field-cardinality-changed {package}.Req.size": BREAKS,
        },
    ),
    "a_body_where_parameters_were": Case(
        {"http": "post: '/{package}/{{id}}'", "req": "int32 size = 2;"},
        {"http": "post: '/{package}/{{id}}' body: '*'", "req": "int32 size = 2;"},
        {
            "rest.body-changed POST /{package}/{id}": BREAKS,
            "websocket.start-changed /{package}/{id}": BREAKS,
        },
    ),
    "a_body_where_nothing_was": Case(
        {"http": "post: '/{package}/{{id}}'"},
        {"http": "post: '/{package}/{{id}}' body: '*'"},
        {"websocket.start-changed /{package}/{id}": BREAKS},
    ),
    "a_part_is_the_reply": Case(
        {},
        {"http": "get: '/{package}/{{id}}' response_body: 'id'"},
        {"rest.reply-changed GET /{package}/{id}": BREAKS},
    ),
    "a_reply_of_any_content_type": Case(
        {},
        {"gives": "google.api.HttpBody"},
        {
            "rest.content-type-changed GET /{package}/{id} (reply)": BREAKS,
            "json.reply-field-renamed {package}.Rep.id": BREAKS,
            "proto.field-renamed {package}.Rep.id": "safe",
        },
    ),
    "a_body_of_any_content_type": Case(
        {"takes": "Req", "http": POST},
        {"takes": "google.api.HttpBody", "http": POST},
        {
            "rest.content-type-changed POST /{package} (request)": BREAKS,
            "json.request-field-renamed {package}.Req.id": BREAKS,
            "proto.field-renamed {package}.Req.id": "safe",
        },
    ),
    "a_part_that_is_the_body": Case(
        {"more": "message Part { string a = 1; int32 b = 2; }"},
        {"more": "message Part { string a = 1; }"},
        {
            "json.request-field-removed {package}.Part.b": BREAKS,
            "proto.field-removed {package}.Part.b": BREAKS,
        },
        both={"req": "Part part = 2;", "http": "post: '/{package}' body: 'part'"},
    ),
    "another_part_is_the_body": Case(
        {"http": "post: '/{package}' body: 'a'"},
        {"http": "post: '/{package}' body: 'b'"},
        {
            "json.request-type-changed {package}.Req.a": BREAKS,
            "rest.query-field-bound {package}.Req.b": BREAKS,
        },
        both={"req": "string a = 2; int32 b = 3;"},
    ),
    "a_part_that_is_the_reply": Case(
        {"rep": "repeated string all = 2;"},
        {"rep": "repeated int32 all = 2;"},
        {
            "json.reply-type-changed {package}.Rep.all": BREAKS,
            "proto.field-type-changed {package}.Rep.all": BREAKS,
        },
        both={"http": "get: '/{package}/{{id}}' response_body: 'all'"},
    ),
    "an_enum_that_is_the_reply": Case(
        {"more": KINDS},
        {"more": "enum Kind { NONE = 0; SMALL = 1; HUGE = 2; }"},
        {"json.reply-enum-value-renamed {package}.Kind.LARGE": BREAKS},
        both={
            "rep": "Kind kind = 2;",
            "http": "get: '/{package}/{{id}}' response_body: 'kind'",
        },
    ),
    "keys_of_a_map": Case(
        {"req": "map<string, int32> sizes = 2;", "http": POST},
        {"req": "map<int32, int32> sizes = 2;", "http": POST},
        {
            "json.request-type-changed {package}.Req.sizes": BREAKS,
            "proto.field-cardinality-changed {package}.Req.sizes": BREAKS,
        },
    ),
    "a_deep_parameter": Case(
        {"more": "message Page { int32 size = 1; string of = 2; }"},
        {"more": "message Page { int32 size = 1; }"},
        {
            "rest.query-field-removed {package}.Page.of": BREAKS,
            "json.request-field-removed {package}.Page.of": BREAKS,
            "proto.field-removed {package}.Page.of": BREAKS,
        },
        both={"req": "Page page = 2;"},
    ),
    "a_stream": Case(
        {},
        {"gives": "stream Rep"},
        {
            "rest.stream-changed GET /{package}/{id}": BREAKS,
            "websocket.kind-changed {package}.S/Get": BREAKS,
        },
    ),
    # Messages
    "a_field_more_each_way": Case(
        {}, {"req": "string more = 2;", "rep": "string more = 2; repeated Rep all = 3;"}
    ),
    "another_type_of_the_same_fields": Case(
        {}, {"gives": "Rep2", "more": "message Rep2 { string id = 1; }"}
    ),
    "no_reply_field": Case(
        {"rep": "string name = 2;"},
        {},
        {
            "json.reply-field-removed {package}.Rep.name": BREAKS,
            "proto.field-removed {package}.Rep.name": BREAKS,
        },
    ),
    "another_name": Case(
        {"rep": "string name = 2;"},
        {"rep": "string title = 2;"},
        {
            "json.reply-field-renamed {package}.Rep.name": BREAKS,
            "proto.field-renamed {package}.Rep.name": "safe",
        },
    ),
    "the_old_name_in_json": Case(
        {"rep": "string name = 2;"},
        {"rep": "string title = 2 [json_name = 'name'];"},
        {"proto.field-renamed {package}.Rep.name": "safe"},
    ),
    "another_number": Case(
        {"rep": "string name = 2;"},
        {"rep": "string name = 3;"},
        {"proto.field-renumbered {package}.Rep.name": BREAKS},
    ),
    "numbers_that_are_swapped": Case(
        {"rep": "string name = 2; string title = 3;"},
        {"rep": "string name = 3; string title = 2;"},
        {
            "proto.field-renumbered {package}.Rep.name": BREAKS,
            "proto.field-renumbered {package}.Rep.title": BREAKS,
        },
    ),
    "numbers_of_an_enum": Case(
        {"more": KINDS},
        {"more": KINDS.replace("= 2", "= 3")},
        {"proto.enum-value-renumbered {package}.Kind.LARGE": BREAKS},
        both={"rep": "Kind kind = 2;"},
    ),
    "what_no_query_can_have": Case(
        {"more": "message Page { int32 size = 1; string of = 2; }"},
        {"more": "message Page { int32 size = 1; }"},
        {
            "json.request-field-removed {package}.Page.of": BREAKS,
            "proto.field-removed {package}.Page.of": BREAKS,
        },
        both={"req": "repeated Page pages = 2;"},
    ),
    "a_wider_number_in_requests": Case(
        {"req": "int32 size = 2;"},
        {"req": "int64 size = 2;"},
        {
            "rest.query-type-widened {package}.Req.size": MAY_BREAK,
            "json.request-type-widened {package}.Req.size": MAY_BREAK,
            "proto.field-type-changed {package}.Req.size": MAY_BREAK,
        },
    ),
    "a_number_that_stays_one_in_json": Case(
        {"req": "float size = 2;"},
        {"req": "double size = 2;"},
        {"proto.field-type-changed {package}.Req.size": BREAKS},
    ),
    "a_wider_number_in_a_path": Case(
        {"req": "int32 size = 2;", "http": "get: '/{package}/{{size}}'"},
        {"req": "int64 size = 2;", "http": "get: '/{package}/{{size}}'"},
        {
            "rest.path-type-widened GET /{package}/{size} {size}": MAY_BREAK,
            "json.request-type-widened {package}.Req.size": MAY_BREAK,
            "proto.field-type-changed {package}.Req.size": MAY_BREAK,
        },
    ),
    "a_narrower_number_in_requests": Case(
        {"req": "int64 size = 2;"},
        {"req": "int32 size = 2;"},
        {
            "rest.query-type-changed {package}.Req.size": BREAKS,
            "json.request-type-changed {package}.Req.size": BREAKS,
            "proto.field-type-changed {package}.Req.size": MAY_BREAK,
        },
    ),
    "a_wider_number_in_replies_is_a_text": Case(
        {"rep": "int32 size = 2;"},
        {"rep": "int64 size = 2;"},
        {
            "json.reply-type-changed {package}.Rep.size": BREAKS,
            "proto.field-type-changed {package}.Rep.size": MAY_BREAK,
        },
    ),
    "another_encoding_of_the_same_json": Case(
        {"rep": "int32 size = 2;"},
        {"rep": "sint32 size = 2;"},
        {"proto.field-type-changed {package}.Rep.size": BREAKS},
    ),
    "a_list_packed_or_not": Case(
        {"rep": "repeated int32 sizes = 2;"}, {"rep": "repeated int32 sizes = 2 [packed = false];"}
    ),
    "a_list": Case(
        {"rep": "string name = 2;"},
        {"rep": "repeated string name = 2;"},
        {
            "json.reply-cardinality-changed {package}.Rep.name": BREAKS,
            "proto.field-cardinality-changed {package}.Rep.name": BREAKS,
        },
    ),
    "a_time_that_was_a_message": Case(
        {"rep": "At at = 2;"},
        {"rep": "google.protobuf.Timestamp at = 2;"},
        {"json.reply-type-changed {package}.Rep.at": BREAKS},
        both={"more": "message At { int64 seconds = 1; int32 nanos = 2; }"},
    ),
    "a_wrapper_of_the_same_json": Case(
        {"rep": "int64 size = 2;"},
        {"rep": "google.protobuf.Int64Value size = 2;"},
        {"proto.field-type-changed {package}.Rep.size": BREAKS},
    ),
    "presence_in_replies": Case({"rep": "int32 size = 2;"}, {"rep": "optional int32 size = 2;"}),
    "deep_within_itself": Case(
        {"rep": "Node node = 2;", "more": "message Node { Node next = 1; string name = 2; }"},
        {"rep": "Node node = 2;", "more": "message Node { Node next = 1; }"},
        {
            "json.reply-field-removed {package}.Node.name": BREAKS,
            "proto.field-removed {package}.Node.name": BREAKS,
        },
    ),
    "no_enum_value_in_requests": Case(
        {"more": KINDS},
        {"more": "enum Kind { NONE = 0; SMALL = 1; }"},
        {
            "json.request-enum-value-removed {package}.Kind.LARGE": BREAKS,
            "rest.query-enum-value-removed {package}.Kind.LARGE": BREAKS,
        },
        both={"req": "Kind kind = 2;"},
    ),
    "no_enum_value_in_replies": Case(
        {"more": KINDS},
        {"more": "enum Kind { NONE = 0; SMALL = 1; }"},
        both={"rep": "Kind kind = 2;"},
    ),
    "an_alias_that_replies_never_had": Case(
        {"more": f"{ALIASED} BIG = 1; }}"},
        {"more": f"{ALIASED} }}"},
        both={"rep": "Kind kind = 2;"},
    ),
    "the_name_that_replies_had_of_aliases": Case(
        {"more": f"{ALIASED} BIG = 1; }}"},
        {"more": "enum Kind { option allow_alias = true; NONE = 0; NIL = 0; BIG = 1; }"},
        {"json.reply-enum-value-renamed {package}.Kind.LARGE": MAY_BREAK},
        both={"rep": "Kind kind = 2;"},
    ),
    "the_order_of_aliases": Case(
        {"more": f"{ALIASED} BIG = 1; }}"},
        {"more": f"{ALIASED.replace(' LARGE = 1;', '')} BIG = 1; LARGE = 1; }}"},
        {"json.reply-enum-value-renamed {package}.Kind.LARGE": MAY_BREAK},
        both={"rep": "Kind kind = 2;"},
    ),
    "an_alias_in_requests": Case(
        {"more": f"{ALIASED} BIG = 1; }}"},
        {"more": f"{ALIASED} }}"},
        {"json.request-enum-value-renamed {package}.Kind.BIG": BREAKS},
        both={"req": "Kind kind = 2;", "http": POST},
    ),
    "another_name_with_the_same_in_json": Case(
        {"req": "string the_title = 2;"},
        {"req": "string title = 2 [json_name = 'theTitle'];"},
        {
            "json.request-field-renamed {package}.Req.the_title": MAY_BREAK,
            "rest.query-field-renamed {package}.Req.the_title": MAY_BREAK,
        },
    ),
    "another_name_in_replies_with_the_same_in_json": Case(
        {"rep": "string the_title = 2;"},
        {"rep": "string title = 2 [json_name = 'theTitle'];"},
    ),
    "an_enum_value_more_in_replies": Case(
        {"more": "enum Kind { NONE = 0; SMALL = 1; }"},
        {"more": KINDS},
        {"json.reply-enum-value-added {package}.Kind.LARGE": MAY_BREAK},
        both={"rep": "Kind kind = 2;"},
    ),
    "another_name_of_a_value": Case(
        {"more": KINDS},
        {"more": "enum Kind { NONE = 0; SMALL = 1; HUGE = 2; }"},
        {"json.reply-enum-value-renamed {package}.Kind.LARGE": BREAKS},
        both={"rep": "Kind kind = 2;"},
    ),
    "fields_that_exclude_each_other": Case(
        {"req": "string a = 2; string b = 3;", "http": POST},
        {"req": "oneof one { string a = 2; string b = 3; }", "http": POST},
        {"json.request-oneof-joined {package}.Req.one": BREAKS},
    ),
    "a_field_and_a_new_one_that_exclude_each_other": Case(
        {"req": "string a = 2;", "http": POST},
        {"req": "oneof one { string a = 2; string b = 3; }", "http": POST},
    ),
    # What requests must have
    "a_required_field": Case(
        {"req": "string a = 2;", "http": POST},
        {"req": "string a = 2 [(google.api.field_behavior) = REQUIRED];", "http": POST},
        {"json.request-field-required {package}.Req.a": BREAKS},
    ),
    "a_new_required_field": Case(
        {"http": POST},
        {"req": "string a = 2 [(google.api.field_behavior) = REQUIRED];", "http": POST},
        {"json.request-field-required {package}.Req.a": BREAKS},
    ),
    "validated_shorter": Case(
        {"req": "string a = 2 [(buf.validate.field).string.max_len = 9];", "http": POST},
        {"req": "string a = 2 [(buf.validate.field).string.max_len = 8];", "http": POST},
        {"validation.rule-tightened {package}.Req.a string.max_len": BREAKS},
    ),
    "validated_longer": Case(
        {"req": "string a = 2 [(buf.validate.field).string.max_len = 8];", "http": POST},
        {"req": "string a = 2 [(buf.validate.field).string.max_len = 9];", "http": POST},
    ),
    "validated_more": Case(
        {"req": "int32 a = 2;", "http": POST},
        {"req": "int32 a = 2 [(buf.validate.field).int32.gte = 1];", "http": POST},
        {"validation.rule-tightened {package}.Req.a int32.gte": BREAKS},
    ),
    "validated_fewer_values": Case(
        {"req": "string a = 2 [(buf.validate.field).string = {in: ['x', 'y']}];", "http": POST},
        {"req": "string a = 2 [(buf.validate.field).string = {in: ['x']}];", "http": POST},
        {"validation.rule-tightened {package}.Req.a string.in": BREAKS},
    ),
    "validated_by_another_pattern": Case(
        {"req": "string a = 2 [(buf.validate.field).string.pattern = 'a+'];", "http": POST},
        {"req": "string a = 2 [(buf.validate.field).string.pattern = 'a*'];", "http": POST},
        {"validation.rule-changed {package}.Req.a string.pattern": MAY_BREAK},
    ),
    "validated_new_field": Case(
        {"http": POST},
        {"req": "string a = 2 [(buf.validate.field).string.min_len = 1];", "http": POST},
        {"validation.rule-changed {package}.Req.a": MAY_BREAK},
    ),
    "rules_that_nobody_asks_for": Case(
        {"req": "string a = 2;", "http": POST},
        {"req": "string a = 2 [(buf.validate.field).string.min_len = 1];", "http": POST},
    ),
}


def _file(name: str, parts: Mapping[str, str]) -> str:
    said = {**USUAL, **parts}
    said["http"] = said["http"].replace("{package}", name).replace("{{", "{").replace("}}", "}")
    said["rpcs"] = said["rpcs"].replace("{package}", name)
    return FILE.format(package=name, **said)


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> list[Change]:
    folder = tmp_path_factory.mktemp("protos")
    validated = [{"methods": ["validated_*"], "validate": True}]
    sides = [
        surface(
            folder / side,
            {
                f"{name}.proto": _file(name, {**case.both, **getattr(case, side)})
                for name, case in CASES.items()
            },
            graphql=False,
            policies=validated,
        )
        for side in ("old", "new")
    ]
    return compare(*sides)


@pytest.mark.parametrize("name", CASES)
def test_of_a_change_is_told_what_it_does(name: str, changes: list[Change]) -> None:
    told = {key.replace("{package}", name): effect for key, effect in CASES[name].told.items()}
    marks = (f"{name}.", f"/{name}/", f"/{name}:", f"/{name} ")
    of_case = [each for each in changes if any(mark in f"{each.subject} " for mark in marks)]
    found = {
        each.id: each.effect.value
        for each in of_case
        if each.effect is not Effect.SAFE or each.id in told
    }
    assert found == told


def test_every_rule_is_explained(changes: list[Change]) -> None:
    assert {each.rule for each in changes} <= set(RULES)


def test_a_change_says_where_clients_meet_it(changes: list[Change]) -> None:
    (change,) = (
        each for each in changes if each.id.startswith("json.reply-field-removed no_reply")
    )
    assert change.met == ("GET /no_reply_field/{id}", "WebSocket no_reply_field.S/Get")


def test_a_new_name_is_said_to_harm_json_alone(changes: list[Change]) -> None:
    (change,) = (
        each for each in changes if each.id == "json.reply-field-renamed another_name.Rep.name"
    )
    assert "its number is the same, so grpcws.v1.proto has it still" in change.message


def test_the_worst_is_told_first(changes: list[Change]) -> None:
    order = [list(Effect).index(each.effect) for each in changes]
    assert order == sorted(order)
