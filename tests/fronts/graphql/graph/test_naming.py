"""Names: the forms of one, and who gets one that several would have."""

import pytest
from graphql import GraphQLError, assert_name
from hypothesis import given
from hypothesis import strategies as st

from gateway.fronts.graphql.graph.naming import (
    Role,
    Unit,
    camel,
    escaped,
    field_choices,
    group_choices,
    is_name,
    method_choices,
    package_prefixes,
    pascal,
    settle,
    type_choices,
    value_choices,
)

IDENTIFIERS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
FULL_NAMES = st.lists(IDENTIFIERS, min_size=1, max_size=4).map(".".join)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("GetProduct", "getProduct", id="a method's"),
        pytest.param("page_size", "pageSize", id="a field's"),
        pytest.param("HTTPRule", "httpRule", id="capitals at the start become small together"),
        pytest.param("URL", "url", id="capitals only"),
        pytest.param("A", "a", id="one capital"),
        pytest.param("_leading", "leading", id="leading underscores go"),
        pytest.param("_1", "_1", id="a name can't begin with a digit"),
        pytest.param("__", "_", id="underscores only"),
    ],
)
def test_lower_camel_case(name, expected):
    assert camel(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("Product", "Product", id="as it is"),
        pytest.param("Order.Item", "OrderItem", id="a nested message has its outer one before it"),
        pytest.param("lower_case", "LowerCase", id="underscores go"),
        pytest.param("__Leading", "Leading", id="leading underscores go"),
    ],
)
def test_pascal_case(name, expected):
    assert pascal(name) == expected


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        pytest.param("shop.catalog.v2", ["CatalogV2", "ShopCatalogV2"], id="no version alone"),
        pytest.param("v1", ["V1"], id="but where there is nothing else"),
        pytest.param("a.v1beta1", ["AV1beta1"], id="a beta is a version too"),
        pytest.param("a.b_c", ["BC", "ABC"], id="parts in Pascal case"),
        pytest.param("", [], id="none"),
    ],
)
def test_prefixes_of_a_package_are_its_ends_shortest_first(package, expected):
    assert package_prefixes(package) == expected


@given(FULL_NAMES, FULL_NAMES)
def test_escaped_names_of_two_are_two(one, other):
    assert (escaped(one) == escaped(other)) == (one == other)


@given(FULL_NAMES, st.integers(0, 3), st.sampled_from(Role))
def test_every_choice_of_a_type_is_a_name(full_name, parts, role):
    package = ".".join(full_name.split(".")[:-1][:parts])
    for choice in type_choices(Unit(role, full_name, package)):
        assert is_name(choice), choice


@given(IDENTIFIERS, st.text(max_size=5))
def test_fields_and_values_have_a_choice_and_every_choice_is_a_name(name, json_name):
    for choices in (field_choices(name, json_name), value_choices(name)):
        assert choices
        assert all(map(is_name, choices))
    assert not {"true", "false", "null"}.intersection(value_choices(name))


@given(FULL_NAMES, IDENTIFIERS)
def test_methods_and_groups_have_a_choice_and_every_choice_is_a_name(service, method):
    package = service.rpartition(".")[0]
    for choice in (*method_choices(service, package, method), *group_choices(service, package)):
        assert is_name(choice), choice


@given(st.text(max_size=6))
def test_is_name_agrees_with_graphql_core(text):
    try:
        assert_name(text)
        valid = not text.startswith("__")
    except GraphQLError:
        valid = False
    assert is_name(text) == valid


def test_choices_of_a_type():
    unit = Unit(Role.INPUT, "shop.catalog.v2.Order.Item", "shop.catalog.v2")
    assert type_choices(unit)[:3] == (
        "OrderItemInput",
        "CatalogV2OrderItemInput",
        "ShopCatalogV2OrderItemInput",
    )


def test_choices_of_a_method_are_its_name_then_with_package_then_with_service():
    assert method_choices("shop.catalog.v2.Products", "shop.catalog.v2", "Get")[:4] == (
        "get",
        "catalogV2Get",
        "shopCatalogV2Get",
        "productsGet",
    )


class TestFieldChoices:
    def test_begin_with_the_json_name(self):
        assert field_choices("stock_keeping_unit", "sku")[0] == "sku"

    @pytest.mark.parametrize("json_name", ["@other", "", "__typename", "1st", "straße"])
    def test_pass_a_json_name_that_is_no_name(self, json_name):
        assert field_choices("some_name", json_name)[0] == "someName"

    def test_go_on_with_the_protos_name(self):
        assert field_choices("some_name", "someName")[1] == "some_name"


class TestSettle:
    def test_without_a_clash_everyone_has_the_first_choice(self):
        settled = settle({"a": ("x", "ax"), "b": ("y", "by")})
        assert settled.names == {"a": "x", "b": "y"}
        assert not settled.clashes

    def test_all_that_clash_take_their_next_choice(self):
        settled = settle({"a": ("x", "ax"), "b": ("x", "bx"), "c": ("y", "cy")})
        assert settled.names == {"a": "ax", "b": "bx", "c": "y"}
        assert [(each.name, each.keys, each.taken) for each in settled.clashes] == [
            ("x", ("a", "b"), False)
        ]

    def test_those_still_alike_go_on(self):
        choices = {
            "a.p": ("P", "AP", "XAP"),
            "x.b.p": ("P", "BP", "XBP"),
            "y.b.p": ("P", "BP", "YBP"),
        }
        assert settle(choices).names == {"a.p": "AP", "x.b.p": "XBP", "y.b.p": "YBP"}

    def test_a_name_that_someone_flees_to_is_nobodys(self):
        choices = {"a": ("x", "y", "z1"), "b": ("x", "bx"), "c": ("y", "cy")}
        assert settle(choices).names == {"a": "z1", "b": "bx", "c": "cy"}

    def test_taken_names_are_nobodys(self):
        settled = settle({"a": ("Query", "AQuery")}, {"Query"})
        assert settled.names == {"a": "AQuery"}
        assert settled.clashes[0].taken

    def test_who_has_one_choice_keeps_it_and_others_move(self):
        assert settle({"a": ("x",), "b": ("x", "bx")}).names == {"a": "x", "b": "bx"}

    def test_two_with_one_choice_are_unsettled(self):
        (clash,) = settle({"a": ("x",), "b": ("x",)}).unsettled
        assert (clash.name, clash.keys) == ("x", ("a", "b"))

    @given(
        st.dictionaries(
            st.integers(0, 20),
            st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4),
            max_size=8,
        ),
        st.randoms(use_true_random=False),
        st.sets(st.sampled_from("abcdef"), max_size=2),
    )
    def test_the_result_depends_on_the_set_only_and_names_are_of_one_each(
        self, wanted, random, taken
    ):
        choices = {key: (*names, f"own{key}") for key, names in wanted.items()}
        items = list(choices.items())
        random.shuffle(items)
        settled, shuffled = settle(choices, taken), settle(dict(items), taken)
        assert settled.names == shuffled.names
        assert settled.clashes == shuffled.clashes
        assert not settled.unsettled
        assert len(set(settled.names.values())) == len(choices)
        assert taken.isdisjoint(settled.names.values())
