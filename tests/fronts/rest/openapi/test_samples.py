"""Examples of bodies: what a page that tries calls sends first is understood."""

import json

import pytest
from google.protobuf import json_format, message_factory
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gateway.fronts.rest.openapi.samples import add_examples
from tests.fronts.rest.openapi.describing import described, loaded, operations

DOCUMENT = described()
OPERATIONS = operations(DOCUMENT)


def body(name):
    return OPERATIONS[f"nasty.v1.Things.{name}"]["requestBody"]["content"]["application/json"]


def example(schema, **schemas):
    media = {"schema": schema}
    add_examples(
        {"/": {"post": {"requestBody": {"content": {"application/json": media}}}}}, schemas
    )
    return media.get("example")


def test_it_is_of_its_schema_and_of_its_message():
    sent = body("Put")["example"]
    Draft202012Validator({**body("Put")["schema"], "components": DOCUMENT["components"]}).validate(
        sent
    )
    made = message_factory.GetMessageClass(loaded().registry.message("nasty.v1.Thing"))()
    json_format.ParseDict(sent, made, descriptor_pool=loaded().registry.pool)
    assert made.WhichOneof("kind") == "text"
    assert made.WhichOneof("needed") == "one"


def test_it_leaves_out_what_is_not_sent_or_goes_away():
    sent = body("Put")["example"]
    assert {"name", "veryOdd", "secret"} <= sent.keys()
    assert not {"made", "old", "inner", "number", "other"} & sent.keys()


def test_an_example_of_a_field_is_taken_and_an_enum_is_specified():
    sent = body("Put")["example"]
    assert (sent["big"], sent["color"]) == ("12", "COLOR_RED")


def test_of_a_stream_it_is_a_list_of_one():
    assert [each["one"] for each in body("Talk")["example"]] == ["text"]


def test_it_is_the_same_each_time():
    assert json.dumps(described()) == json.dumps(DOCUMENT)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "minLength": 6}, "textaa"),
        ({"type": "string", "maxLength": 2}, "a"),
        ({"type": "string", "pattern": "^[0-9]+$"}, "1"),
        ({"type": "string", "format": "uuid"}, "123e4567-e89b-42d3-a456-426614174000"),
        ({"type": "string", "const": "x"}, "x"),
        ({"type": "string", "enum": ["NONE", "ONE"]}, "ONE"),
        ({"type": "string", "enum": ["NONE", "ONE"], "not": {"enum": ["ONE"]}}, "NONE"),
        ({"type": "integer", "minimum": 7}, 7),
        ({"type": "integer", "exclusiveMinimum": 1, "maximum": 9}, 2),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "number", "not": {"const": 1}}, 0),
        ({"type": "boolean", "const": True}, True),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2}, ["text", "text"]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"text": 1}),
        (
            {
                "type": "object",
                "additionalProperties": {"type": "null"},
                "propertyNames": {"enum": ["true", "false"]},
            },
            {"false": None},
        ),
    ],
    ids=lambda each: json.dumps(each) if isinstance(each, dict) and "type" in each else "",
)
def test_a_value_keeps_its_rules(schema, expected):
    assert example({"type": "object", "properties": {"a": schema}}) == {"a": expected}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^[0-9]{3}-[0-9]{4}$"},
        {"type": "string", "pattern": "(?<name>"},
        {"type": "array", "items": {"type": "string"}, "minItems": 2, "uniqueItems": True},
        {"$ref": "#/components/schemas/Round"},
    ],
    ids=["pattern", "no-pattern-of-python", "unlike-each-other", "within-itself"],
)
def test_what_no_value_is_found_for_is_left_out_or_there_is_no_example(schema):
    around = {"type": "object", "properties": {"a": schema, "b": {"type": "boolean"}}}
    needs = {
        "type": "object",
        "properties": {"round": {"$ref": "#/components/schemas/Round"}},
        "required": ["round"],
    }
    assert example(around, Round=needs) == {"b": True}
    assert example({**around, "required": ["a"]}, Round=needs) is None


def test_of_many_members_that_exclude_each_other_there_is_one():
    names = [f"f{number}" for number in range(20)]
    schema = {
        "type": "object",
        "properties": {name: {} for name in names},
        "x-at-most-one": [names],
    }
    assert example(schema) == {"f0": "text"}


def test_a_message_of_many_messages_has_a_small_one():
    names = [f"f{number}" for number in range(30)]
    schemas = {
        f"M{level}": {
            "type": "object",
            "properties": {name: {"$ref": f"#/components/schemas/M{level + 1}"} for name in names},
        }
        for level in range(3)
    }
    schemas["M3"] = {"type": "object", "properties": {"text": {"type": "string"}}}
    made = example({"$ref": "#/components/schemas/M0"}, **schemas)
    assert json.dumps(made).count("text") < 100


@given(
    st.integers(-50, 50),
    st.integers(0, 100),
    st.sampled_from(["minimum", "exclusiveMinimum"]),
    st.sampled_from(["maximum", "exclusiveMaximum"]),
)
def test_a_number_is_within_its_bounds(low, width, least, most):
    schema = {"type": "integer", least: low, most: low + width}
    made = example({"type": "object", "properties": {"a": schema}})
    values = [
        each
        for each in range(low - 1, low + width + 2)
        if Draft202012Validator(schema).is_valid(each)
    ]
    assert (made["a"] in values) if values else (made is None)
