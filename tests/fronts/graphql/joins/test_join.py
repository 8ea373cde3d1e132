"""`@join`: what it means where it is right."""

from __future__ import annotations

import pytest
from graphql import Undefined, validate_schema

from gateway.fronts.graphql.graph.sources import Argument, Join, input_source, source_of
from gateway.fronts.graphql.joins import LookupOptions
from tests.fronts.graphql.joins.joining import API, USERS, field, joined, names, source


def test_a_key_and_the_lookup_of_the_type():
    found = source('owner: User @join(by: "owner_id")', USERS)
    assert isinstance(found, Join)
    assert found.lookup.method.name == f"{API}/BatchGetUsers"
    assert names(found.key) == "owner_id"
    assert (found.lookup.keys.name, names(found.lookup.items), names(found.lookup.by)) == (
        "ids",
        "users",
        "id",
    )
    assert found.lookup.item.full_name == "test.v1.User"
    assert found.lookup.max_batch == 100
    assert found.lookup.source == "gateway.yaml:7"
    assert not found.many


def test_the_lookup_of_an_option_on_the_rpc():
    found = source('part: Part @join(by: "id")')
    assert found.lookup.method.name == f"{API}/BatchGetParts"
    assert found.lookup.max_batch == 50
    assert found.lookup.source.startswith("test.proto:")


def test_the_configuration_counts_and_not_the_option():
    over = LookupOptions(f"{API}/BatchGetParts", keys="ids", max_batch=5, mask="read_mask")
    found = source('part: Part @join(by: "id")', over)
    assert found.lookup.max_batch == 5
    assert found.lookup.mask.name == "read_mask"


@pytest.mark.parametrize(
    ("by", "path"),
    [
        pytest.param("owner_id", "owner_id", id="a field"),
        pytest.param("maker.user_id", "maker.user_id", id="through a message"),
        pytest.param("editor_id", "editor_id.value", id="a wrapper stands for its value"),
    ],
)
def test_the_path_of_the_key(by, path):
    assert names(source(f'user: User @join(by: "{by}")', USERS).key) == path


def test_a_repeated_key_gives_a_list_with_nulls():
    made = field('parts: [Part] @join(by: "part_ids")')
    assert str(made.type) == "[Part]"
    assert source_of(made).key[-1].is_repeated


@pytest.mark.parametrize("type_", ["[Thing!]", "[Thing]"])
def test_many_gives_all_answers_of_a_key(type_):
    made = field(
        f'things: {type_} @join(method: "{API}/ListThingsByOwners", keys: {{owner_ids: "id"}},'
        ' by: "owner_id", many: true)',
        on="User",
    )
    assert str(made.type) == type_
    assert source_of(made).many


def test_a_whole_number_fits_where_all_its_values_do():
    line = f'user: User @join(by: "small", method: "{API}/UsersOfBigNumbers")'
    numbers = LookupOptions(f"{API}/UsersOfBigNumbers", by="number")
    assert names(source(line, numbers).key) == "small"


def test_a_map_of_answers_has_its_keys():
    line = f'user: User @join(by: "owner_id", method: "{API}/MapUsers")'
    lookup = source(line).lookup
    assert names(lookup.items) == "users"
    assert lookup.by == ()
    assert lookup.item.full_name == "test.v1.User"


class TestInference:
    """What is left out is found by the shape of the messages, if there is one choice."""

    def test_everything_but_the_method(self):
        lookup = source(f'user: User @join(by: "owner_id", method: "{API}/BatchGetUsers")').lookup
        assert (lookup.keys.name, names(lookup.items), names(lookup.by)) == ("ids", "users", "id")
        assert lookup.max_batch == 0

    def test_the_key_of_an_answer_is_called_like_the_request_field(self):
        line = (
            f'things: [Thing!] @join(method: "{API}/ListThingsByOwners", keys: {{owner_ids: "id"}},'
            " many: true)"
        )
        assert names(source(line, on="User").lookup.by) == "owner_id"

    def test_a_batch_is_preferred_to_a_call_a_key(self):
        single = LookupOptions(f"{API}/GetUser")
        found = source('owner: User @join(by: "owner_id")', single, USERS)
        assert found.lookup.method.name == f"{API}/BatchGetUsers"

    def test_keys_take_what_is_declared_for_their_field(self):
        line = (
            f'owner: User @join(method: "{API}/BatchGetUsers", keys: {{ids: "owner_id"}}, by: "id")'
        )
        assert source(line, USERS).lookup.max_batch == 100

    def test_keys_with_another_by_keep_the_rest_of_what_is_declared(self):
        line = (
            f'owner: User @join(method: "{API}/BatchGetUsers", keys: {{ids: "owner_id"}},'
            ' by: "name")'
        )
        lookup = source(line, USERS).lookup
        assert names(lookup.by) == "name"
        assert lookup.max_batch == 100


class TestArguments:
    """Arguments set request fields of their name; all calls of one batch share them."""

    LINE = f'owner%s: User @join(by: "owner_id", method: "{API}/BatchGetUsers"%s)'

    @pytest.mark.parametrize(
        ("argument", "path"),
        [
            pytest.param("limit: Int", "limit", id="a field"),
            pytest.param("color: Color", "color", id="an enum"),
            pytest.param("page: PageInput", "page", id="a message"),
        ],
    )
    def test_by_name(self, argument, path):
        made = field(self.LINE % (f"({argument})", ""))
        (found,) = made.args.values()
        assert isinstance(input_source(found), Argument)
        assert names(input_source(found).path) == path

    def test_a_default(self):
        made = field(self.LINE % ("(limit: Int = 20)", ""))
        assert made.args["limit"].default.literal.value == "20"
        assert made.args["limit"].default_value is Undefined

    def test_another_name(self):
        made = field(self.LINE % ("(first: Int)", ', with: {page: {size: "$first"}}'))
        assert names(input_source(made.args["first"]).path) == "page.size"

    def test_fixed_values(self):
        with_ = (
            ", with: {limit: 5, color: COLOR_RED, page: {token: \"'t'\", sort: [\"'a'\", \"'b'\"]}}"
        )
        given = {names(each.path): each.value for each in source(self.LINE % ("", with_)).given}
        assert given == {"limit": 5, "color": 1, "page.token": "t", "page.sort": ("a", "b")}


def test_a_join_without_a_batch_works_and_is_told():
    sdl = 'extend type Thing {\n owner: User @join(by: "owner_id")\n}'
    _, made = joined(sdl, LookupOptions(f"{API}/GetUser"))
    found = source_of(made.fields["Thing"]["owner"])
    assert not found.lookup.batches
    assert found.lookup.max_batch == 1
    assert [str(each) for each in made.warnings] == [
        (
            f"joins.graphql:2:2: N + 1: Thing.owner calls {API}/GetUser once for each owner_id "
            "(an RPC that takes several keys would make it one call for all)"
        )
    ]


def test_a_batch_is_not_warned_of():
    _, made = joined('extend type Thing { owner: User @join(by: "owner_id") }', USERS)
    assert made.warnings == ()


def test_descriptions_and_deprecation_are_the_fields():
    made = field('"Whose." owner: User @join(by: "owner_id") @deprecated(reason: "Old.")', USERS)
    assert made.description == "Whose."
    assert made.deprecation_reason == "Old."


def test_the_schema_with_its_edges_is_valid():
    graph, _ = joined(
        'extend type Thing { owner: User @join(by: "owner_id") }'
        ' extend type User { parts: Part @join(by: "id") }',
        USERS,
    )
    assert validate_schema(graph.schema) == []
    assert "owner" in graph.schema.type_map["Thing"].fields
