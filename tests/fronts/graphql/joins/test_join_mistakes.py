"""`@join`: what is said of one that is wrong. Every line that is proposed can be pasted."""

from __future__ import annotations

import re

import pytest

from gateway.fronts.graphql.joins import LookupOptions
from tests.fronts.graphql.joins.joining import API, FILE, USERS, problem, problems

BATCH = f'method: "{API}/BatchGetUsers"'
BY_OWNERS = f'method: "{API}/ListThingsByOwners", keys: {{owner_ids: "id"}}'

MISTAKES = {
    "a path that is near one": (
        'owner: User @join(by: "ownerId")',
        '"ownerId" is not a field of test.v1.Thing',
        'did you mean owner_id? write: owner: User @join(by: "owner_id")',
    ),
    "a path inside that is near one": (
        'owner: User @join(by: "maker.userid")',
        '"userid" is not a field of test.v1.Maker',
        'did you mean maker.user_id? write: owner: User @join(by: "maker.user_id")',
    ),
    "a path through a list": (
        'owner: User @join(by: "makers.user_id")',
        '"makers" of test.v1.Thing is repeated test.v1.Maker; a path goes through single messages',
        "",
    ),
    "a path through a scalar": (
        'owner: User @join(by: "id.id")',
        '"id" of test.v1.Thing is string; a path goes through single messages',
        "",
    ),
    "an empty path": ('owner: User @join(by: "")', "a name in the path is empty", ""),
    "a key that is a message": (
        'owner: User @join(by: "maker")',
        '"maker" is test.v1.Maker; a key is a string or a whole number',
        'did you mean maker.user_id? write: owner: User @join(by: "maker.user_id")',
    ),
    "a key that is a map": (
        'owner: User @join(by: "labels")',
        '"labels" is map<string, string>; a key is a string or a whole number',
        "did you mean",
    ),
    "a key that is true or false": (
        'owner: User @join(by: "flag")',
        '"flag" is bool; a key is a string or a whole number',
        "did you mean",
    ),
    "a key of another kind": (
        'owner: User @join(by: "small")',
        f'"small" of test.v1.Thing is int32, and ids of {API}/BatchGetUsers takes repeated string',
        "did you mean id, owner_id or part_ids?",
    ),
    "no key": (
        "owner: User @join",
        "by is missing: which field of test.v1.Thing holds the key?",
        "did you mean id, owner_id, part_ids, small, big or 1 more?",
    ),
    "a type that is near one": (
        'owner: Usr @join(by: "owner_id")',
        "the graph has no type Usr",
        'write: owner: User @join(by: "owner_id")',
    ),
    "a type that is no message's": (
        'owner: String @join(by: "owner_id")',
        "a join gives messages, and String is not one's type",
        "",
    ),
    "a type that may not be null": (
        'owner: User! @join(by: "owner_id")',
        "Thing.owner is User!: a join may find nothing, so its field is nullable",
        'write: owner: User @join(by: "owner_id")',
    ),
    "a list for one key": (
        f'owner: [User!] @join({BATCH}, keys: {{ids: "owner_id"}})',
        "one key gives one answer, but with many: true",
        f'write: owner: [User!] @join({BATCH}, keys: {{ ids: "owner_id" }}, many: true)',
    ),
    "one for many": (
        f'things: Thing @join({BY_OWNERS}, by: "owner_id", many: true)',
        "Thing.things is Thing: many gives a list",
        "write: things: [Thing!] @join(",
    ),
    "a list of lists": (
        f'things: [[Thing]] @join({BY_OWNERS}, by: "owner_id", many: true)',
        "Thing.things is [[Thing]]: many gives a list",
        "write: things: [Thing!] @join(",
    ),
    "one for a list of keys": (
        'parts: Part @join(by: "part_ids")',
        "a list of keys gives a list, with null for each that is missing",
        'write: parts: [Part] @join(by: "part_ids")',
    ),
    "a list of keys without place for null": (
        'parts: [Part!] @join(by: "part_ids")',
        "a list of keys gives a list, with null for each that is missing",
        'write: parts: [Part] @join(by: "part_ids")',
    ),
    "many for a list of keys": (
        'parts: [Part] @join(by: "part_ids", many: true)',
        "many is for one key with several answers, and the key is a list",
        'write: parts: [Part] @join(by: "part_ids")',
    ),
    "a method that is near one": (
        f'owner: User @join(by: "owner_id", method: "{API}/BatchGetUser")',
        f'there is no RPC "{API}/BatchGetUser"',
        f'write: owner: User @join(by: "owner_id", method: "{API}/BatchGetUsers")',
    ),
    "a method without its package": (
        'owner: User @join(by: "owner_id", method: "Api/BatchGetUsers")',
        'there is no RPC "Api/BatchGetUsers"',
        f'write: owner: User @join(by: "owner_id", method: "{API}/BatchGetUsers")',
    ),
    "a method that streams": (
        f'owner: User @join(by: "owner_id", method: "{API}/WatchUser")',
        f"{API}/WatchUser is server streaming; a join calls a unary RPC",
        "",
    ),
    "a method with side effects": (
        f'owner: User @join(by: "owner_id", method: "{API}/ChangeUsers")',
        f"{API}/ChangeUsers may have side effects",
        "",
    ),
    "a method of another message": (
        f'part: Part @join(by: "id", {BATCH})',
        "test.v1.Users has no repeated field or map of test.v1.Part",
        "",
    ),
    "a method that might take either keys": (
        f'owner: User @join(by: "owner_id", method: "{API}/UsersOfTwoKeys")',
        "test.v1.TwoKeys has ids and names that could take the keys; say which",
        (
            f"declare it under graphql.lookups: - {{method: {API}/UsersOfTwoKeys, "
            "type: test.v1.User, keys: ids}"
        ),
    ),
    "a method that might have answers in either list": (
        f'owner: User @join(by: "owner_id", method: "{API}/TwoListsOfUsers")',
        "test.v1.TwoLists has users and guests of test.v1.User; say which holds the answers",
        (
            f"declare it under graphql.lookups: - {{method: {API}/TwoListsOfUsers, "
            "type: test.v1.User, items: users}"
        ),
    ),
    "numbers that may not fit": (
        f'owner: User @join(method: "{API}/UsersOfNumbers", keys: {{numbers: "big"}}, by: "number")',
        f'"big" of test.v1.Thing is int64, and numbers of {API}/UsersOfNumbers takes',
        "did you mean small?",
    ),
    "keys without a method": (
        'owner: User @join(keys: {ids: "owner_id"})',
        "keys needs the method too",
        f'write: owner: User @join(keys: {{ ids: "owner_id" }}, {BATCH})',
    ),
    "keys of two fields": (
        f'owner: User @join({BATCH}, keys: {{ids: "owner_id", limit: "small"}})',
        "keys has one entry, the request field and the path of the parent",
        "",
    ),
    "keys that are no path": (
        f"owner: User @join({BATCH}, keys: {{ids: 1}})",
        "keys has one entry, the request field and the path of the parent",
        "",
    ),
    "a request field that is near one": (
        f'owner: User @join({BATCH}, keys: {{id: "owner_id"}})',
        '"id" is not a field of test.v1.Keys',
        f'write: owner: User @join({BATCH}, keys: {{ids: "owner_id"}})',
    ),
    "a request field that takes no keys": (
        f'owner: User @join({BATCH}, keys: {{color: "owner_id"}})',
        '"color" of test.v1.Keys is test.v1.Color; keys go into a field of the request itself',
        f'write: owner: User @join({BATCH}, keys: {{ids: "owner_id"}})',
    ),
    "a key of answers that is near one": (
        f'owner: User @join({BATCH}, keys: {{ids: "owner_id"}}, by: "di")',
        '"di" is not a field of test.v1.User',
        f'write: owner: User @join({BATCH}, keys: {{ ids: "owner_id" }}, by: "id")',
    ),
    "a key of answers of another kind": (
        f'owner: User @join({BATCH}, keys: {{ids: "owner_id"}}, by: "number")',
        '"number" of test.v1.User is int64, and ids takes repeated string',
        f'write: owner: User @join({BATCH}, keys: {{ ids: "owner_id" }}, by: "id")',
    ),
    "a key of answers that is a list": (
        f'owner: User @join({BATCH}, keys: {{ids: "owner_id"}}, by: "teams")',
        '"teams" of test.v1.User is a list; an answer has one key',
        f'write: owner: User @join({BATCH}, keys: {{ ids: "owner_id" }}, by: "id")',
    ),
    "an argument of the directive that is near one": (
        'owner: User @join(bye: "owner_id")',
        "@join has no bye; it has by, method, keys, many and with",
        'did you mean by? write: owner: User @join(by: "owner_id")',
    ),
    "an argument of the directive of another kind": (
        "owner: User @join(by: 1)",
        "by is a text, not 1",
        "",
    ),
    "an argument of the directive twice": (
        'owner: User @join(by: "owner_id", by: "id")',
        "@join has by twice",
        "",
    ),
    "an argument that is no request field": (
        'owner(limits: Int): User @join(by: "owner_id")',
        "argument limits: test.v1.Keys has no such field; it has ids, limit, color and page",
        'write: owner(limit: Int): User @join(by: "owner_id")',
    ),
    "an argument of another type": (
        'owner(limit: String): User @join(by: "owner_id")',
        "argument limit: it is String, and test.v1.Keys.limit takes Int",
        'write: owner(limit: Int): User @join(by: "owner_id")',
    ),
    "an argument of an unknown type": (
        'owner(limit: Integer): User @join(by: "owner_id")',
        "argument limit: Integer is no type of the graph",
        'write: owner(limit: Int): User @join(by: "owner_id")',
    ),
    "an argument of a type of outputs": (
        'owner(page: User): User @join(by: "owner_id")',
        "argument page: User is no type of inputs",
        'write: owner(page: PageInput): User @join(by: "owner_id")',
    ),
    "a default that does not fit": (
        'owner(limit: Int = "x"): User @join(by: "owner_id")',
        "argument limit: its default does not fit: ",
        "",
    ),
    "an argument for the keys": (
        'owner(ids: [String!]): User @join(by: "owner_id")',
        "argument ids: ids is set by the keys already",
        'write: owner: User @join(by: "owner_id")',
    ),
    "an argument twice": (
        'owner(limit: Int, limit: Int): User @join(by: "owner_id")',
        "argument limit is there twice",
        "",
    ),
    "two arguments for one request field": (
        'owner(limit: Int, first: Int): User @join(by: "owner_id", with: {limit: "$first"})',
        "argument limit: limit is set by with limit already",
        'write: owner(first: Int): User @join(by: "owner_id", with: { limit: "$first" })',
    ),
    "a value of the parent": (
        'owner: User @join(by: "owner_id", with: {limit: "small"})',
        'with limit: "small" is a path of the parent, and there is none here',
        "",
    ),
    "a required request field that nothing sets": (
        f'owner: User @join(by: "owner_id", method: "{API}/UsersOfTenant")',
        "test.v1.Tenant requires tenant, and nothing sets it",
        f'write: owner(tenant: String!): User @join(by: "owner_id", method: "{API}/UsersOfTenant")',
    ),
    "a required request field that may stay unset": (
        f'owner(tenant: ID): User @join(by: "owner_id", method: "{API}/UsersOfTenant")',
        "argument tenant sets tenant, which test.v1.Tenant requires; it needs a ! or a default",
        f'write: owner(tenant: ID!): User @join(by: "owner_id", method: "{API}/UsersOfTenant")',
    ),
    "a field that the message has": (
        'ownerId: User @join(by: "owner_id")',
        "test.v1.Thing has the field already, made of owner_id",
        "give the join another name",
    ),
    "a name of GraphQL's own": (
        '__owner: User @join(by: "owner_id")',
        "names with __ are GraphQL's own",
        "",
    ),
    "an unknown directive": (
        'owner: User @jion(by: "owner_id")',
        "there is no directive @jion; there are @join, @call and @deprecated",
        "did you mean @join?",
    ),
    "no directive": (
        "owner: User",
        "a field has one @join or @call, and this one has neither",
        'write: owner: User @join(by: "…")',
    ),
    "two directives": (
        f'owner: User @join(by: "id") @call(method: "{API}/GetUser")',
        "a field has one @join or @call, and this one has 2 of them",
        "",
    ),
    "a deprecation that is wrong": (
        'owner: User @join(by: "owner_id") @deprecated(reason: 1)',
        "@deprecated: ",
        "",
    ),
}


@pytest.mark.parametrize(("line", "message", "hint"), MISTAKES.values(), ids=MISTAKES)
def test_mistake(line, message, hint):
    found = problem(line, USERS)
    assert (found.where, found.line) == (FILE, 2)
    assert found.column >= 1
    assert message in found.message
    assert hint in found.hint
    assert hint or not found.hint.startswith("write")


@pytest.mark.parametrize("line", [line for line, _, _ in MISTAKES.values()], ids=MISTAKES)
def test_what_is_proposed_can_be_pasted(line):
    for written in re.findall(r"write: ([^…|]*)$", problem(line, USERS).hint):
        assert problems(f"extend type Thing {{\n{written}\n}}", USERS) == []


def test_several_lookups_are_listed_each_as_a_line():
    found = problem('owner: User @join(by: "owner_id")', USERS, LookupOptions(f"{API}/MapUsers"))
    assert found.message == (
        f"Thing.owner: 2 lookups find test.v1.User: {API}/BatchGetUsers by ids, {API}/MapUsers by ids"
    )
    lines = found.hint.removeprefix("write one of: ").split(" | ")
    assert len(lines) == 2
    for line in lines:
        assert problems(f"extend type Thing {{ {line} }}", USERS) == []


def test_several_lookups_of_one_rpc_are_told_apart_by_their_keys():
    either = [LookupOptions(f"{API}/UsersOfTwoKeys", keys=keys) for keys in ("ids", "names")]
    found = problem('owner: User @join(by: "owner_id")', *either)
    lines = found.hint.removeprefix("write one of: ").split(" | ")
    assert [re.search(r"keys: {(\w+):", line)[1] for line in lines] == ["ids", "names"]
    for line in lines:
        pasted = line.replace("…", "owner_id")
        assert problems(f"extend type Thing {{ {pasted} }}", *either) == []


def test_without_a_lookup_those_that_could_be_declared_are_proposed():
    found = problem('alone: Lonely @join(by: "id")')
    assert found.message == "Thing.alone: no lookup finds test.v1.Lonely"
    assert found.hint == (
        f"declare it under graphql.lookups: - {{method: {API}/BatchGetLonely, "
        "type: test.v1.Lonely, keys: ids, items: lonelies, by: id}"
    )


def test_many_without_a_batch():
    found = problem(
        f'users: [User!] @join(by: "id", method: "{API}/GetUser", many: true)',
    )
    assert f"{API}/GetUser gives one answer a call; many needs a batch" in found.message
    assert "@call with pick" in found.hint


def test_everything_is_told_at_once_in_the_order_of_the_file():
    sdl = """
extend type Thing {
  owner: Usr @join(by: "ownerId")
  part(limit: Int): Part! @join(by: "idd")
}
extend type Thng { user: User @join(by: "id") }
type Other { id: ID }
"""
    found = problems(sdl, USERS)
    assert [(each.line, each.column) for each in found] == [
        (3, 10),
        (3, 24),
        (4, 8),
        (4, 37),
        (6, 13),
        (7, 1),
    ]
