"""Messages and enums as JSON Schema, as ProtoJSON writes them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gateway.fronts.rest.openapi.scalars import digits_to
from tests.fronts.rest.openapi.describing import described

SCHEMAS = described()["components"]["schemas"]
INPUT = SCHEMAS["nasty.v1.Thing-Input"]
OUTPUT = SCHEMAS["nasty.v1.Thing"]


def plain(schema):
    return {name: each for name, each in schema.items() if name not in {"description", "examples"}}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("big", {"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"}),
        ("data", {"type": "string", "format": "byte", "contentEncoding": "base64"}),
        ("ratio", {"type": "number", "format": "double"}),
        ("color", {"$ref": "#/components/schemas/nasty.v1.Color"}),
        ("made", {"type": "string", "format": "date-time", "readOnly": True}),
        ("maybe", {"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"}),
        ("note", {"type": "string"}),
        ("anything", {}),
        ("nothing", {"type": "null"}),
        ("inner", {"$ref": "#/components/schemas/nasty.v1.Thing"}),
        ("veryOdd", {"type": "string"}),
        ("secret", {"type": "string", "writeOnly": True}),
        ("old", {"type": "string", "deprecated": True}),
    ],
)
def test_a_field_is_what_is_written(field, expected):
    assert plain(OUTPUT["properties"][field]) == expected


def test_what_is_answered_promises_nothing():
    assert "required" not in OUTPUT
    assert "additionalProperties" not in OUTPUT
    assert "maxLength" not in OUTPUT["properties"]["name"]


def test_what_is_sent_has_its_required_fields_and_no_others():
    assert INPUT["required"] == ["name"]
    assert INPUT["additionalProperties"] is False
    lenient = described(ignore_unknown_fields=True)["components"]["schemas"]
    assert "additionalProperties" not in lenient["nasty.v1.Thing-Input"]


def test_what_is_sent_alone_has_its_own_name():
    assert "nasty.v1.Filter" not in SCHEMAS  # of queries only
    assert {"nasty.v1.Thing", "nasty.v1.Thing-Input"} <= set(SCHEMAS)


def test_rules_are_keywords_of_what_is_sent():
    name = plain(INPUT["properties"]["name"])
    assert name == {"type": "string", "minLength": 1, "maxLength": 20, "pattern": "^[a-z]+$"}
    small = INPUT["properties"]["small"]
    assert (small["exclusiveMinimum"], small["maximum"]) == (1, 9)
    tags = INPUT["properties"]["tags"]
    assert (tags["maxItems"], tags["uniqueItems"], tags["items"]["minLength"]) == (3, True, 2)
    assert INPUT["properties"]["mail"]["format"] == "email"


def test_rules_that_have_no_keyword_are_told():
    assert "Must be at least `5`." in INPUT["properties"]["big"]["description"]
    assert INPUT["properties"]["checked"]["description"] == "Must be checked."
    assert "`$.`" not in str(INPUT)


def test_what_json_has_no_number_for_is_told():
    least = INPUT["properties"]["least"]
    assert (least["maximum"], least["examples"]) == (1, [0.5])
    assert "exclusiveMinimum" not in least
    assert least["description"] == "Must be greater than `-inf`."
    several = INPUT["properties"]["several"]
    assert "enum" not in several["items"]
    assert several["description"] == "Each item: Must be one of `1.0`, `inf`."


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("chosen", "Must not be one of `COLOR_UNSPECIFIED`, `7`."),
        ("colors", "Each item: Must be one of `COLOR_RED`, `COLOR_OLD`."),
        ("painted", "Each value: Must be exactly `COLOR_RED`."),
    ],
)
def test_rules_of_enums_are_told_by_name(field, told):
    assert INPUT["properties"][field]["description"] == told


def test_rules_of_keys_and_values_are_told_too():
    words = INPUT["properties"]["words"]
    assert words["propertyNames"]["minLength"] == 2
    assert words["description"] == (
        "Each key: Must begin with `a`.\n\nEach value: Must contain `b`."
    )


def test_a_pattern_is_one_of_json_schema():
    assert INPUT["properties"]["phone"]["pattern"] == r"^[0-9]{3}\x2d[0-9]{4}$"
    shouted = INPUT["properties"]["shouted"]
    assert "pattern" not in shouted
    assert shouted["description"] == "Must match `^(?i)a$`."


def test_immutable_is_told_and_insiders_words_are_not():
    assert OUTPUT["properties"]["id"]["description"] == "Its id .\n\nCan't be changed later."


def test_an_example_is_of_the_fields_type():
    assert OUTPUT["properties"]["big"]["examples"] == ["12"]


@pytest.mark.parametrize(
    ("sent", "right"),
    [
        ({"one": "x"}, True),
        ({"other": "x", "text": "y"}, True),
        ({}, False),
        ({"one": "x", "other": "y"}, False),
        ({"one": "x", "text": "y", "number": 1}, False),
        ({"one": "x", "byNumber": {"-2147483648": {"name": "a", "one": "x"}}}, True),
        ({"one": "x", "byNumber": {"2147483649": {}}}, False),
        ({"one": "x", "byFlag": {"true": "y"}}, True),
        ({"one": "x", "byFlag": {"yes": "y"}}, False),
        ({"one": "x", "takes": "-1.5s"}, True),
        ({"one": "x", "takes": "315575999999s"}, True),
        ({"one": "x", "takes": "315576000001s"}, False),
        ({"one": "x", "extras": [{"@type": "type.googleapis.com/a.B", "more": 1}]}, True),
        ({"one": "x", "extras": [{"more": 1}]}, False),
        ({"one": "x", "unknown": 1}, False),
    ],
    ids=str,
)
def test_a_validator_judges_what_is_sent(sent, right):
    whole = {
        "components": {"schemas": SCHEMAS},
        "$ref": "#/components/schemas/nasty.v1.Thing-Input",
    }
    assert Draft202012Validator(whole).is_valid({"name": "a", **sent}) is right


def test_an_enum_is_its_names_or_its_numbers():
    color = SCHEMAS["nasty.v1.Color"]
    assert color["enum"] == ["COLOR_UNSPECIFIED", "COLOR_RED", "COLOR_OLD"]
    assert color["description"] == (
        "A colour.\n\n- `COLOR_UNSPECIFIED`: None.\n- `COLOR_OLD` (deprecated)"
    )
    numbered = described(enums_as_numbers=True)["components"]["schemas"]["nasty.v1.Color"]
    assert (numbered["type"], numbered["enum"]) == ("integer", [0, 1, 2])
    assert "- `1` COLOR_RED" in numbered["description"]


def test_names_are_those_of_the_options():
    thing = described(proto_names=True)["components"]["schemas"]["nasty.v1.Thing"]
    assert {"by_number", "odd"} <= set(thing["properties"])


def test_what_is_always_written_is_required_of_answers():
    thing = described(emit_defaults=True)["components"]["schemas"]["nasty.v1.Thing"]
    assert {"id", "tags", "byNumber", "color"} <= set(thing["required"])
    assert not {"veryOdd", "text", "made", "note"} & set(thing["required"])


@given(limit=st.integers(10, 10**20), number=st.integers(0, 10**21))
def test_digits_to_a_limit(limit, number):
    for each in (number, limit, limit + 1, limit - 1):
        assert (re.fullmatch(digits_to(limit), str(each)) is not None) is (each <= limit)
