"""Arguments become the request that ProtoJSON makes of the same values, or are refused by path."""

import json

import pytest
from google.protobuf import json_format
from graphql import get_named_type
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.fronts.graphql.errors import RequestError
from tests.fronts.graphql import graphs
from tests.fronts.graphql.execute.inputs import (
    is_writable,
    literal,
    one_of_each,
    proto_json,
    values,
)
from tests.fronts.graphql.execute.test_differential import SLOW, answering
from tests.fronts.graphql.execute.upstreams import Backend, Bench

FIELDS = {
    "getPlaces": "every scalar",
    "getMaps": "every map",
    "getTree": "recursion",
    "getFlat": "flat oneofs",
    "getUnion": "a oneof that is a union",
    "getWellKnown": "the types of google.protobuf",
    "getEnums": "enums",
    "getLegacy": "proto2",
    "getBehavior": "required fields",
}


def bench():
    registry = graphs.torture_registry()
    return Bench(graphs.torture().schema, Backend(registry, answering(registry, 1, 0.0)))


def arguments_of(field):
    return graphs.torture().schema.query_type.fields[field].args


def below(field):
    named = get_named_type(graphs.torture().schema.query_type.fields[field].type)
    return "{ __typename }" if hasattr(named, "fields") else ""


def sent(field, written, declared="", variables=None):
    """The request that a document makes, and the response."""
    found = bench()
    query = f"query{declared} {{ {field}({written}) {below(field)} }}"
    response = found.run(query, variables)
    return (found.backend.asked[0].request if found.backend.asked else None), response


@st.composite
def given_to(draw, field):
    definitions = arguments_of(field)
    required = [name for name in definitions if str(definitions[name].type).endswith("!")]
    more = draw(st.lists(st.sampled_from(sorted(definitions)), max_size=5))
    names = one_of_each(dict.fromkeys([*required, *more]), definitions)
    return {name: draw(values(definitions[name])) for name in names}


@pytest.mark.parametrize("field", FIELDS, ids=FIELDS.values())
def test_a_request_is_what_proto_json_makes_of_the_same_values(field):
    definitions = arguments_of(field)

    @SLOW
    @given(given_to(field), st.data())
    def run(given_values, data):
        assume(given_values)
        written, declared, variables = [], [], {}
        for name, value in given_values.items():
            type_ = definitions[name].type
            if not is_writable(value) or data.draw(st.booleans()):
                declared.append(f"$v_{name}: {type_}")
                written.append(f"{name}: $v_{name}")
                variables[f"v_{name}"] = value
            else:
                written.append(f"{name}: {literal(type_, value)}")
        head = f"({', '.join(declared)})" if declared else ""
        request, response = sent(field, ", ".join(written), head, variables)
        assert "errors" not in response
        wanted = type(request)()
        pool = graphs.torture_registry().pool
        json_format.ParseDict(proto_json(definitions, given_values), wanted, descriptor_pool=pool)
        assert type(request).SerializeToString(request, deterministic=True) == type(
            wanted
        ).SerializeToString(wanted, deterministic=True)

    run()


def shown(field, written, declared="", variables=None):
    request, response = sent(field, written, declared, variables)
    assert "errors" not in response, response
    return json_format.MessageToDict(request, preserving_proto_field_name=True)


@pytest.mark.parametrize(
    ("field", "written", "declared", "variables", "request_json"),
    [
        ("getTree", "parent: {name: $n}", "($n: String)", {"n": "x"}, {"parent": {"name": "x"}}),
        ("getTree", "parent: {name: $n}", "($n: String)", {}, {"parent": {}}),
        ("getTree", "parent: {name: $n}", '($n: String = "d")', {}, {"parent": {"name": "d"}}),
        ("getTree", "parent: {name: $n}", '($n: String = "d")', {"n": None}, {"parent": {}}),
        ("getTree", "children: [$c]", "($c: TreeInput!)", {"c": {"name": "x"}}, {"children": [{"name": "x"}]}),
        ("getTree", "children: {name: $n}", "($n: String)", {"n": "x"}, {"children": [{"name": "x"}]}),
        ("getTree", "name: null", "", {}, {}),
        ("getTree", "name: $n", "($n: String)", {"n": None}, {}),
        ("getTree", "parent: {}", "", {}, {"parent": {}}),
        ("getTree", "parent: null", "", {}, {}),
        ("getPlaces", 'maybeString: ""', "", {}, {"maybe_string": ""}),
        ("getPlaces", "maybeInt32: 0", "", {}, {"maybe_int32": 0}),
        ("getPlaces", "manyInt32: 5", "", {}, {"many_int32": [5]}),
        ("getPlaces", "manyInt64: $x", "($x: [Int64!])", {"x": 5}, {"many_int64": ["5"]}),
        ("getPlaces", "manyInt32: [$x, 2]", "($x: Int!)", {"x": 1}, {"many_int32": [1, 2]}),
        ("getUnion", "thing: {text: $t}", "($t: String!)", {"t": "x"}, {"text": "x"}),
        ("getFlat", "text: $t, leaf: $l", "($t: String, $l: LeafInput)", {"t": "x"}, {"text": "x"}),
        ("getFlat", 'text: "x", leaf: $l', "($l: LeafInput)", {"l": None}, {"text": "x"}),
        ("getMaps", 'stringByText: {key: "k", value: $v}', "($v: String!)", {"v": "x"}, {"string_by_text": {"k": "x"}}),
        ("getWellKnown", "value: {a: [1, null, {b: true}]}", "", {}, {"value": {"a": [1.0, None, {"b": True}]}}),
        ("getWellKnown", "empty: {}", "", {}, {"empty": {}}),
        ("getWellKnown", "stringWrapper: $s", "($s: String)", {"s": ""}, {"string_wrapper": ""}),
        ("getWellKnown", "values: [null, 1]", "", {}, {"values": [None, 1.0]}),
        ("getWellKnown", "value: null", "", {}, {}),
        ("getText", 'value: "x"', "", {}, "x"),
        ("getTime", "seconds: 1, nanos: $n", "($n: Int)", {"n": 5}, "1970-01-01T00:00:01.000000005Z"),
        ("getStruct", 'fields: {key: "a", value: null}', "", {}, {"a": None}),
    ],
    ids=[
        "a variable within an object", "one that is not given", "its default", "null is no default",
        "a variable within a list", "one object for a list", "null", "a variable that is null",
        "an empty object", "a null object", "an empty text that is set", "a zero that is set",
        "one for a list", "one variable for a list", "a variable among literals",
        "a variable in @oneOf", "a case that is not given", "a case that is null",
        "a variable in a map", "JSON", "an empty message", "an empty wrapper",
        "null among JSON values", "a null JSON value", "a wrapper", "a time", "a struct with null",
    ],
)  # fmt: skip
def test_what_variables_and_literals_come_to(field, written, declared, variables, request_json):
    assert shown(field, written, declared, variables) == request_json


@pytest.mark.parametrize(
    ("field", "written", "declared", "variables", "where"),
    [
        ("getPlaces", "aFloat: 1e39", "", {}, "aFloat"),
        ("getPlaces", "aFloat: $x", "($x: Float)", {"x": -1e300}, "aFloat"),
        ("getPlaces", "manyFloat: [1, 1e39]", "", {}, "manyFloat[1]"),
        ("getWellKnown", "floatWrapper: 1e39", "", {}, "floatWrapper"),
        ("getPlaces", "aString: $x", "($x: String)", {"x": "\ud800"}, "aString"),
        ("getPlaces", "manyString: $x", "($x: [String!])", {"x": ["a", "\ud800"]}, "manyString"),
        ("getPlaces", "aLeaf: {text: $x}", "($x: String)", {"x": "\ud800"}, "aLeaf.text"),
        ("getPlaces", r'aString: "\ud800"', "", {}, None),
        ("getFlat", 'text: "x", leaf: {}', "", {}, "leaf"),
        ("getFlat", "text: $t, leaf: {}", "($t: String)", {"t": "x"}, "leaf"),
        ("getFlat", "text: $t, leaf: $l", "($t: String, $l: LeafInput)", {"t": "x", "l": {}}, "leaf"),
        ("getMaps", 'stringByText: [{key: "k", value: "1"}, {key: "k", value: "2"}]', "", {}, "stringByText[1].key"),
        ("getMaps", "stringByText: $m", "($m: [MapsStringByTextEntryInput!])",
         {"m": [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]}, "stringByText[1].key"),
        ("getMaps", 'floatByText: {key: "k", value: 1e39}', "", {}, "floatByText[0].value"),
        ("getMaps", 'leafByText: {key: "k", value: {text: $x}}', "($x: String)", {"x": "\ud800"}, "leafByText[0].value.text"),
        ("getWellKnown", "struct: 5", "", {}, "struct"),
        ("getWellKnown", "structs: [{}, [1]]", "", {}, "structs[1]"),
        ("getWellKnown", "list: {}", "", {}, "list"),
        ("getWellKnown", "any: $a", "($a: JSON)", {"a": {"@type": "x/no.Such"}}, "any"),
        ("getWellKnown", "any: {a: 1}", "", {}, "any"),
        ("getTree", 'parent: {children: [{}, {bush: {tree: {named: [{key: "a", value: {}}, {key: "a", value: {}}]}}}]}', "", {},
         "parent.children[1].bush.tree.named[1].key"),
    ],
    ids=[
        "a float out of range", "a variable out of range", "one of many", "a wrapped float",
        "a lone surrogate", "a lone surrogate of many", "a lone surrogate within",
        "a lone surrogate in a document", "two cases", "a variable and a literal case",
        "two variable cases", "a key twice", "a key twice in a variable", "a float in a map", "a message in a map",
        "no struct", "no struct of many", "no list", "no known type", "no type at all", "deep",
    ],
)  # fmt: skip
def test_what_a_request_can_not_take_names_its_path(field, written, declared, variables, where):
    try:
        request, response = sent(field, written, declared, variables)
    except RequestError as refused:
        assert where is None
        assert refused.errors[0].extensions["code"] == "GRAPHQL_PARSE_FAILED"
        return
    assert request is None
    assert response["data"] == {field: None}
    (error,) = response["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["path"] == [field]
    assert f"'{where}'" in error["message"]
    json.dumps(error).encode()


@pytest.mark.parametrize(
    ("field", "type_", "value"),
    [
        ("aInt32", "Int", 2**31),
        ("aInt32", "Int", "1"),
        ("aUint64", "UInt64", 2**64),
        ("aUint64", "UInt64", "-1"),
        ("aInt64", "Int64", 2**63),
        ("aUint32", "UInt32", -1),
        ("aDouble", "Float", "NaN"),
        ("aDouble", "Float", float("inf")),
        ("aBytes", "Bytes", "a"),
        ("aColor", "Color", "COLOR_NONE"),
        ("aColor", "Color", 1),
        ("aLeaf", "LeafInput", {"noSuch": 1}),
        ("aBool", "Boolean", 0),
    ],
    ids=lambda value: repr(value)[:25],
)
def test_a_variable_of_another_kind_refuses_the_request(field, type_, value):
    with pytest.raises(RequestError) as refused:
        sent("getPlaces", f"{field}: $x", f"($x: {type_})", {"x": value})
    (error,) = refused.value.errors
    assert error.extensions["code"] == "BAD_USER_INPUT"
    assert "$x" in error.message


@pytest.mark.parametrize(
    "given_value", [{}, {"text": "x", "number": 1}, {"text": None}], ids=["none", "two", "null"]
)
def test_one_of_takes_exactly_one(given_value):
    with pytest.raises(RequestError) as refused:
        sent("getUnion", "thing: $x", "($x: UnionsThingInput)", {"x": given_value})
    assert refused.value.errors[0].extensions["code"] == "BAD_USER_INPUT"


def test_an_argument_that_must_be_given_may_not_be_null_through_a_default():
    declared = '($id: String = "x", $t: [String!]!, $l: LeafInput!, $o: String!)'
    variables = {"id": None, "t": [], "l": {}, "o": ""}
    written = "id: $id, tags: $t, leaf: $l, oldAndRequired: $o"
    request, response = sent("getBehavior", written, declared, variables)
    assert request is None
    (error,) = response["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["getBehavior"], "BAD_USER_INPUT")
    assert "'id'" in error["message"]


def test_fields_named_as_the_attributes_of_messages_are_set():
    request, response = sent("getNames", 'DESCRIPTOR: "d", HasField: "h", self: "s", None: "n"')
    assert "errors" not in response
    wanted = type(request)(DESCRIPTOR="d", HasField="h", **{"self": "s", "None": "n"})
    assert request == wanted
