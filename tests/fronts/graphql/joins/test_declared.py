"""Declared lookups held against the protos: every part, told where it is written."""

from __future__ import annotations

import re

import pytest
import yaml

from gateway.fronts.graphql.graph.sources import source_of
from gateway.fronts.graphql.joins import LookupOptions, Place
from tests.fronts.graphql.graphs import of_text
from tests.fronts.graphql.joins.joining import API, joined, problems

PLACE = Place("gateway.yaml", 12, 7)

MISTAKES = {
    "an RPC that is near one": (
        {"method": f"{API}/BatchGetUser"},
        f'method: there is no RPC "{API}/BatchGetUser"',
        f"write: - {{method: {API}/BatchGetUsers}}",
    ),
    "an RPC with side effects": (
        {"method": f"{API}/ChangeUsers"},
        f"method: {API}/ChangeUsers may have side effects",
        "",
    ),
    "an RPC that streams": (
        {"method": f"{API}/WatchUser"},
        f"method: {API}/WatchUser is server streaming; a join calls a unary RPC",
        "",
    ),
    "a message that is none": (
        {"method": f"{API}/BatchGetUsers", "type": "test.v1.Usr"},
        'type: there is no message "test.v1.Usr"',
        f"write: - {{method: {API}/BatchGetUsers, type: test.v1.User}}",
    ),
    "a message that it does not find": (
        {"method": f"{API}/BatchGetUsers", "type": "test.v1.Part"},
        "items: test.v1.Users has no repeated field or map of test.v1.Part",
        "",
    ),
    "keys that are near some": (
        {"method": f"{API}/BatchGetUsers", "keys": "id"},
        'keys: "id" is not a field of test.v1.Keys',
        f"write: - {{method: {API}/BatchGetUsers, keys: ids}}",
    ),
    "keys that are not said": (
        {"method": f"{API}/UsersOfTwoKeys"},
        "keys: test.v1.TwoKeys has ids and names that could take the keys; say which",
        f"write: - {{method: {API}/UsersOfTwoKeys, keys: ids}}",
    ),
    "keys inside a message": (
        {"method": f"{API}/BatchGetUsers", "keys": "page.sort"},
        "keys go into a field of the request itself",
        f"write: - {{method: {API}/BatchGetUsers, keys: ids}}",
    ),
    "items that are near some": (
        {"method": f"{API}/BatchGetUsers", "items": "user"},
        'items: "user" is not a field of test.v1.Users',
        f"write: - {{method: {API}/BatchGetUsers, items: users}}",
    ),
    "items that are not said": (
        {"method": f"{API}/TwoListsOfUsers"},
        "items: test.v1.TwoLists has users and guests; say which holds the answers",
        f"write: - {{method: {API}/TwoListsOfUsers, items: users}}",
    ),
    "items that are no messages": (
        {"method": f"{API}/BatchGetUsers", "items": "next"},
        'items: "next" of test.v1.Users is string; the answers are a repeated message field',
        f"write: - {{method: {API}/BatchGetUsers, items: users}}",
    ),
    "by that is near one": (
        {"method": f"{API}/BatchGetUsers", "by": "Id"},
        'by: "Id" is not a field of test.v1.User',
        f"write: - {{method: {API}/BatchGetUsers, by: id}}",
    ),
    "by of another kind": (
        {"method": f"{API}/BatchGetUsers", "by": "number"},
        'by: "number" of test.v1.User is int64, and ids takes repeated string',
        f"write: - {{method: {API}/BatchGetUsers, by: id}}",
    ),
    "by that is not said": (
        {"method": f"{API}/BatchGetStock"},
        "by: which field of test.v1.Stock is the key that ids asks for?",
        f"write: - {{method: {API}/BatchGetStock, by: part_id}}",
    ),
    "by with a map": (
        {"method": f"{API}/MapUsers", "by": "id"},
        'by: "users" is a map: its keys are the keys',
        f"write: - {{method: {API}/MapUsers}}",
    ),
    "items with one key a call": (
        {"method": f"{API}/GetUser", "items": "teams"},
        "items: id takes one key: with one key a call, the reply itself is the answer",
        f"write: - {{method: {API}/GetUser}}",
    ),
    "by with one key a call": (
        {"method": f"{API}/GetUser", "by": "id"},
        "by: id takes one key: with one key a call, the reply itself is the answer",
        f"write: - {{method: {API}/GetUser}}",
    ),
    "a message that is not the reply": (
        {"method": f"{API}/GetUser", "type": "test.v1.Part"},
        "type: id takes one key and the reply is test.v1.User, not test.v1.Part",
        f"write: - {{method: {API}/GetUser, type: test.v1.User}}",
    ),
    "a negative batch": (
        {"method": f"{API}/BatchGetUsers", "max_batch": -1},
        "max_batch: max_batch is negative; 0 is no limit",
        f"write: - {{method: {API}/BatchGetUsers}}",
    ),
    "a mask that is none": (
        {"method": f"{API}/BatchGetParts", "mask": "ids"},
        'mask: "ids" is no google.protobuf.FieldMask of test.v1.PartIds',
        f"write: - {{method: {API}/BatchGetParts, mask: read_mask}}",
    ),
}


@pytest.mark.parametrize(("entry", "message", "hint"), MISTAKES.values(), ids=MISTAKES)
def test_mistake(entry, message, hint):
    (found,) = problems("", LookupOptions(**entry, place=PLACE))
    assert (found.where, found.line, found.column) == ("gateway.yaml", 12, 7)
    assert message in found.message
    assert found.hint.endswith(hint)
    assert bool(hint) == bool(found.hint)


@pytest.mark.parametrize("entry", [entry for entry, _, _ in MISTAKES.values()], ids=MISTAKES)
def test_what_is_proposed_can_be_pasted(entry):
    (found,) = problems("", LookupOptions(**entry, place=PLACE))
    for line in re.findall(r"write: (.*)$", found.hint):
        (pasted,) = yaml.safe_load(line)
        assert problems("", LookupOptions(**pasted)) == []


def test_every_wrong_part_is_told():
    entry = LookupOptions(f"{API}/BatchGetUsers", keys="ids", by="nme", mask="color", max_batch=-3)
    told = [each.message.partition(": ")[2].partition(":")[0] for each in problems("", entry)]
    assert sorted(told) == ["by", "mask", "max_batch"]


def test_one_lookup_twice():
    first = LookupOptions(f"{API}/BatchGetUsers", place=Place("gateway.yaml", 5))
    second = LookupOptions(f"{API}/BatchGetUsers", keys="ids", place=Place("gateway.yaml", 6))
    (found,) = problems("", first, second)
    assert (found.line, found.hint) == (6, "delete one of the two")
    assert found.message.endswith("looks up test.v1.User by ids already, at gateway.yaml:5")


def test_an_option_that_is_wrong_is_told_in_the_proto():
    registry = of_text("""
        message User { string id = 1; }
        message Ids { repeated string ids = 1; }
        message Users { repeated User users = 1; }
        service Api {
          rpc BatchGetUsers(Ids) returns (Users) {
            option idempotency_level = NO_SIDE_EFFECTS;
            option (gateway.v1.method).lookups = {
              type: "test.v1.User" keys: "ids" items: "user" by: "id"
            };
          }
        }
    """)
    (found,) = problems("", of=registry)
    assert found.where.startswith("test.proto")
    assert found.line > 0
    assert 'items: "user" is not a field of test.v1.Users' in found.message
    assert found.hint == (
        "did you mean users? write: option (gateway.v1.method).lookups = "
        '{type: "test.v1.User", keys: "ids", items: "users", by: "id"};'
    )


def test_a_mask_is_kept_from_arguments():
    lookup = LookupOptions(f"{API}/BatchGetParts", mask="read_mask")
    sdl = 'extend type Thing { part(readMask: FieldMask): Part @join(by: "id") }'
    (found,) = problems(sdl, lookup)
    assert "read_mask is set by the mask already" in found.message


def test_without_edges_there_are_no_fields():
    _, made = joined("", LookupOptions(f"{API}/BatchGetUsers"))
    assert made.fields == {}


def test_a_lookup_with_one_key_a_call():
    sdl = 'extend type Thing { user: User @join(by: "owner_id") }'
    _, made = joined(sdl, LookupOptions(f"{API}/GetUser"))
    lookup = source_of(made.fields["Thing"]["user"]).lookup
    assert (lookup.items, lookup.by, lookup.max_batch) == ((), (), 1)
