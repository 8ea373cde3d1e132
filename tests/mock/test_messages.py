"""Made-up messages: right ones of their type, that keep its rules, and look like what they are."""

from __future__ import annotations

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from protovalidate import Validator

from gateway.mock.dice import Dice
from tests.examples import examples
from tests.mock.types import NOW, ROOT, RULED, built, files, maker_of, registry_of

SHOP = registry_of(ROOT / "protos")


def broken(message, validator=Validator()):  # noqa: B008  it keeps what it compiles, by types' names
    """What of a message's rules it breaks."""
    return [str(each.proto) for each in validator.collect_violations(message)]


def json_of(message, registry):
    return json_format.MessageToDict(message, descriptor_pool=registry.pool)


# Of any type.


@settings(max_examples=examples(), deadline=None)
@given(file=files(), seed=st.binary(max_size=3))
def test_every_message_is_one_of_its_type_and_keeps_its_rules(file, seed):
    registry = built(file)
    maker, validator = maker_of(registry), Validator()
    for each in file.message_type:
        made = maker.message(registry.message(f"made.up.{each.name}"), Dice(seed))
        data = made.SerializeToString(deterministic=True)
        assert type(made).FromString(data) == made
        json_format.MessageToJson(made, descriptor_pool=registry.pool)
        assert not broken(made, validator)
    assert not maker.unkept


@settings(max_examples=10, deadline=None)
@given(file=files(), seed=st.binary(max_size=3))
def test_the_same_dice_make_the_same_bytes(file, seed):
    def made():
        registry = built(file)
        of = registry.message("made.up.M0")
        return maker_of(registry).message(of, Dice(seed)).SerializeToString(deterministic=True)

    assert made() == made()


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("name", ["Standard", "Inner", "Either", "Mapped", "Many", "Plain"])
def test_standard_rules_of_every_kind_are_kept(name, number):
    maker = maker_of(RULED)
    made = maker.message(RULED.message(f"rules.v1.{name}"), Dice(b"0").of(number))
    assert not broken(made)
    assert not maker.unkept


def test_what_is_to_be_in_the_past_is():
    made = maker_of(RULED).message(RULED.message("rules.v1.Standard"), Dice(b"0"))
    assert made.a_time.seconds * 10**9 < NOW


@pytest.mark.parametrize("name", ["Written", "Listing", "Holding"])
def test_rules_in_cel_are_told_of(name):
    maker = maker_of(RULED)
    maker.message(RULED.message(f"rules.v1.{name}"), Dice(b"0"))
    assert maker.unkept


@pytest.fixture(scope="module")
def demanding(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demanding")
    (folder / "a.proto").write_text(
        """syntax = "proto3"; import "buf/validate/validate.proto";
        message Items { repeated int32 x = 1 [(buf.validate.field).repeated.min_items = 100000000]; }
        message Pairs { map<string, string> x = 1 [(buf.validate.field).map.min_pairs = 100000000]; }
        message Long { string x = 1 [(buf.validate.field).string.min_len = 1000000000]; }
        message Bytes { bytes x = 1 [(buf.validate.field).bytes.min_len = 1000000000]; }
        message Nested { string x = 1 [(buf.validate.field).string.pattern = "(a{1000}){1000}"]; }
        message Itself {
          Itself one = 1 [(buf.validate.field).required = true];
          Itself two = 2 [(buf.validate.field).required = true];
        }
        message Chain { Chain x = 1 [(buf.validate.field).required = true]; }
        message Forest { repeated Forest x = 1 [(buf.validate.field).repeated.min_items = 3]; }
        message Atlas { map<string, Atlas> x = 1 [(buf.validate.field).map.min_pairs = 1]; }
        message Words {
          // Example: quick notebook of somebody who has too many words for it
          string x = 1 [(buf.validate.field).string.pattern = "^([a-z]+ ?)+!$"];
        }"""
    )
    return registry_of(folder)


RECURSIVE = ["Itself", "Chain", "Forest", "Atlas"]


@pytest.mark.parametrize("name", ["Items", "Pairs", "Long", "Bytes", "Nested", *RECURSIVE])
def test_what_rules_demand_ends_and_is_told_of_where_it_is_too_much(demanding, name):
    maker = maker_of(demanding)
    made = maker.message(demanding.message(name), Dice(b"0"))
    assert maker.unkept
    assert made.ByteSize() < 1 << 20


def test_a_pattern_that_python_would_try_in_all_ways_costs_nothing(demanding):
    made = maker_of(demanding).message(demanding.message("Words"), Dice(b"0"))
    assert made.x.endswith("!")


INTEGERS = {
    **dict.fromkeys(("int32", "sint32", "sfixed32"), (-(2**31), 2**31 - 1)),
    **dict.fromkeys(("int64", "sint64", "sfixed64"), (-(2**63), 2**63 - 1)),
    **dict.fromkeys(("uint32", "fixed32"), (0, 2**32 - 1)),
    **dict.fromkeys(("uint64", "fixed64"), (0, 2**64 - 1)),
}


@pytest.fixture(scope="module")
def edges(tmp_path_factory):
    """Rules at the ends of what each kind of integer holds: one that nothing keeps, one that can be."""
    text = ['syntax = "proto3"; import "buf/validate/validate.proto"; ']
    for kind, (least, most) in INTEGERS.items():
        said = {
            "Above": f"gt: {most}",
            "Below": f"lt: {least}",
            "Most": f"gte: {most}",
            "Least": f"lte: {least}",
            "Outside": f"gt: {most - 1}, lt: {least + 1}",
        }
        for name, rule in said.items():
            rules = f"[(buf.validate.field).{kind} = {{{rule}}}]"
            text.append(f"message {kind}{name} {{ {kind} x = 1 {rules}; }}")
    folder = tmp_path_factory.mktemp("edges")
    (folder / "a.proto").write_text("\n".join(text))
    return registry_of(folder)


@pytest.mark.parametrize("kind", INTEGERS)
def test_no_integer_is_beyond_the_ends_of_its_kind(edges, kind):
    maker = maker_of(edges)
    least, most = INTEGERS[kind]

    def made(name):
        return maker.message(edges.message(f"{kind}{name}"), Dice(b"0")).x

    assert made("Most") == most
    assert made("Least") == least
    assert made("Outside") in (least, most)
    assert not maker.unkept
    assert (made("Above"), made("Below")) == (0, 0)
    assert list(maker.unkept) == [f"{kind}Above.x", f"{kind}Below.x"]


@pytest.mark.parametrize("example", ["1e300", "-1e39", "inf", "nan", "1e400"])
def test_an_example_that_is_no_number_of_its_kind_is_not_taken(tmp_path, example):
    (tmp_path / "a.proto").write_text(
        f'syntax = "proto3"; message M {{\n// Example: {example}\nfloat ratio = 1;\n}}'
    )
    registry = registry_of(tmp_path)
    assert maker_of(registry).message(registry.message("M"), Dice(b"0")).ratio == 1


# Of the shop.


def shop(name, *names):
    of = SHOP.message(f"shop.{name}")
    roots = "shop.catalog.v1.Product", "shop.users.v1.User", of.full_name
    return json_of(maker_of(SHOP, *roots).message(of, Dice(b"0").of(*names)), SHOP)


def test_values_look_like_what_their_fields_are_named_and_typed():
    user = shop("users.v1.User", 1)
    assert user["email"].endswith("@example.com") or user["email"].count("@") == 1
    assert len(user["displayName"].split()) == 2
    assert 1900 < user["birthYear"] < 2030
    assert "ROLE_UNSPECIFIED" not in user["roles"]
    product = shop("catalog.v1.Product", 1)
    assert product["price"]["currencyCode"] == "EUR"
    assert 1 <= product["rating"] <= 5
    assert product["createTime"] < product["updateTime"]
    assert product["state"] != "PRODUCT_STATE_UNSPECIFIED"


def test_ids_look_the_same_wherever_they_are():
    assert shop("catalog.v1.Product", 1)["id"].startswith("p")  # `such as p1`, says its comment
    order = shop("orders.v1.Order", 1)
    assert {each["productId"][0] for each in order["items"]} == {"p"}
    assert order["userId"].startswith("u")
    assert len(shop("catalog.v1.Product", 1)["relatedIds"][0]) <= 3


def test_one_member_of_a_oneof_is_set():
    members = {"parcel", "download", "giftCardText"}
    chosen = [members & shop("catalog.v1.Product", number).keys() for number in range(20)]
    assert {len(each) for each in chosen} == {1}
    assert set.union(*chosen) == members


def test_a_type_within_itself_ends():
    category = shop("catalog.v1.Category")
    assert category["children"]
    assert "children" not in category["children"][0]


def test_what_is_deprecated_or_only_ever_sent_is_left_out():
    assert "legacyId" not in shop("catalog.v1.Product", 1)
    orders = [shop("orders.v1.Order", number) for number in range(20)]
    cards = [each["card"] for each in orders if "card" in each]
    assert cards
    assert all("token" not in card and "lastFour" in card for card in cards)


def test_keys_are_another_one_for_each_number():
    maker = maker_of(SHOP)
    key = SHOP.message("shop.catalog.v1.Product").fields_by_name["id"]
    assert [maker.key(key, number) for number in (1, 2, 30)] == ["p1", "p2", "p30"]


def test_what_was_given_is_completed_by_its_server_and_hides_what_is_secret():
    maker = maker_of(SHOP)
    order = maker.new(SHOP.message("shop.orders.v1.Order"))
    order.user_id, order.card.token = "u1", "tok"
    order.items.add(product_id="p1", quantity=2)
    maker.completed(order, Dice(b"0"))
    assert (order.user_id, order.card.token, order.items[0].quantity) == ("u1", "", 2)
    assert order.card.last_four
    assert order.items[0].unit_price.units
    assert order.HasField("create_time")
    assert not order.HasField("note")
