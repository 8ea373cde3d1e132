"""Names of types, modules and methods: readable, and never two alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.typescript.names import specifier
from gateway.typescript.services import class_names
from gateway.typescript.words import camel, free, tsdoc
from tests.typescript.made import asked, types_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GetProduct", "getProduct"),
        ("HTTPCheck", "httpCheck"),
        ("URL", "url"),
        ("URL2", "url2"),
        ("A", "a"),
        ("AProduct", "aProduct"),
        ("already", "already"),
        ("IDs", "iDs"),
        ("_Odd", "_Odd"),
    ],
)
def test_camel_case(name, expected):
    assert camel(name) == expected


@pytest.mark.parametrize(
    ("message", "declared"),
    [
        pytest.param("symbol", "symbol_", id="a-type-of-typescript"),
        pytest.param("class", "class_", id="a-reserved-word"),
        pytest.param("OneOf", "OneOf_", id="what-the-runtime-has"),
        pytest.param("Partial", "Partial_", id="a-global-that-is-used"),
        pytest.param("testV1", "testV1_", id="the-name-of-a-module"),
    ],
)
def test_a_name_that_is_taken_gets_an_end(message, declared):
    text = types_of(asked(f"message {message} {{}} message Answer {{}}", message))
    assert f"export type {declared} =" in text


def test_nested_types_are_told_apart_from_those_that_look_alike():
    text = types_of(
        asked(
            "message Ask { message B { string x = 1; } B b = 1; Ask_B c = 2; } message Ask_B { int32 y = 1; } message Answer {}"
        )
    )
    assert "export interface Ask_B {\n  y?: number;" in text
    assert "export interface Ask_B_ {\n  x?: string;" in text
    assert "b?: Ask_B_;\n  c?: Ask_B;" in text


def test_the_name_of_an_input_gives_way_to_a_message_of_that_name():
    both = "string a = 1 [(google.api.field_behavior) = REQUIRED]; BothInput b = 2;"
    text = types_of(asked(f"message Both {{ {both} }} message BothInput {{}}", "Both", "Both"))
    assert "export type BothInput =" in text
    assert "export interface BothInput_ {" in text


def test_services_of_one_name_get_the_end_of_their_package_that_tells_them_apart():
    services = ["shop.catalog.v1.S", "shop.catalog.v2.S", "shop.users.v1.S", "shop.Other"]
    assert class_names(services, ()) == {
        "shop.Other": "Other",
        "shop.catalog.v1.S": "CatalogV1S",
        "shop.catalog.v2.S": "V2S",
        "shop.users.v1.S": "UsersV1S",
    }


@pytest.mark.parametrize(
    ("module", "of", "expected"),
    [
        ("runtime/json", "types/shop/v1", "../../runtime/json.js"),
        ("types/shop/v1", "rest", "./types/shop/v1.js"),
        ("types/shop/v2", "types/shop/v1", "./v2.js"),
    ],
)
def test_imports_are_relative(module, of, expected):
    assert specifier(module, of) == expected


@given(st.text())
def test_no_comment_ends_early(text):
    written = tsdoc(text)
    assert written.count("*/") == (1 if written else 0)


@given(st.sampled_from("abc"), st.sets(st.sampled_from(["a", "a_", "b", "c__"])))
def test_a_free_name_is_free(name, taken):
    assert free(name, taken) not in taken
