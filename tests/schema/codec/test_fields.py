"""Access to fields: presence as each syntax has it, values of all types, JSON of one field."""

import json

import pytest

from gateway.schema.codec import Codec, CodecError, JsonOptions


def values(codec):
    """A value of each field that differs from its default, by name."""
    inner = codec.message("codec.v1.Everything.Inner")
    time = codec.message("google.protobuf.Timestamp")
    return {
        "a_double": 1.5,
        "a_float": 0.25,
        "an_int64": -5,
        "a_uint64": 2**64 - 1,
        "a_bool": True,
        "text": "a",
        "data": b"\x00\xff",
        "color": 1,
        "maybe_text": "",
        "maybe_int32": 0,
        "maybe_color": 0,
        "chosen_text": "",
        "chosen_int32": 0,
        "chosen_null": 0,
        "inner": inner.new(),
        "time": time.from_json(b'"2020-01-01T00:00:00Z"'),
        "class": "keyword",
        "from_json": "method",
        "__dunder__": 3,
        "renamed": "x",
        "int32s": [1, 2],
        "by_int64": {5: "five"},
        "by_bool": {True: "yes"},
        "times": [time.new()],
    }


def names():
    return [
        *("a_double", "a_float", "an_int64", "a_uint64", "a_bool", "text", "data", "color"),
        *("maybe_text", "maybe_int32", "maybe_color", "chosen_text", "chosen_int32"),
        *("chosen_null", "inner", "time", "class", "from_json", "__dunder__", "renamed"),
        *("int32s", "by_int64", "by_bool", "times"),
    ]


@pytest.mark.parametrize("around", [(), ("child",), ("child", "chosen_child", "child")], ids=len)
@pytest.mark.parametrize("name", names())
def test_set_get_present(codec, everything, reference, name, around):
    field = everything.field((*around, name))
    value = values(codec)[name]
    message = everything.new()
    assert not field.present(message)
    absent = field.get(message)
    assert absent is None or not absent
    assert everything.to_wire(message) == b""  # looking makes nothing

    field.set(message, value)
    assert field.present(message)
    assert field.get(message) == value
    # The reference finds it set too.
    parsed = reference.type("codec.v1.Everything").FromString(everything.to_wire(message))
    for part in around:
        assert parsed.HasField(part)
        parsed = getattr(parsed, part)
    assert [each.name for each, _ in parsed.ListFields()] == [name]


@pytest.mark.parametrize("name", ["a_double", "an_int64", "a_bool", "text", "data", "color"])
def test_without_presence_the_default_is_not_present(everything, name):
    field, message = everything.field((name,)), everything.new()
    field.set(
        message, type(field.get(message))(0) if name not in ("text", "data") else field.get(message)
    )
    assert not field.present(message)
    assert everything.to_wire(message) == b""


@pytest.mark.parametrize(
    ("type_name", "path", "default", "value"),
    [
        ("legacy.v2.Old", ("number",), 7, 0),
        ("legacy.v2.Old", ("mood",), 1, 1),
        ("legacy.v2.Old", ("text",), "", ""),
        ("legacy.v2.Old", ("pair", "left"), 0, 0),
        ("modern.v1.New", ("explicit",), 0, 0),
        ("modern.v1.New", ("delimited", "explicit"), 0, 0),
    ],
    ids=["proto2", "proto2 enum", "proto2 string", "group", "edition", "delimited"],
)
def test_presence_of_other_syntaxes(codec, type_name, path, default, value):
    messages = codec.message(type_name)
    field, message = messages.field(path), messages.new()
    assert not field.present(message)
    assert field.get(message) == default
    field.set(message, value)
    again = messages.from_wire(messages.to_wire(message))
    assert field.present(again)
    assert field.get(again) == value


def test_an_edition_may_have_no_presence(codec):
    messages = codec.message("modern.v1.New")
    field, message = messages.field(("implicit",)), messages.new()
    field.set(message, 0)
    assert not field.present(message)


def test_a_member_of_a_oneof_replaces_another(everything):
    text, number = everything.field(("chosen_text",)), everything.field(("chosen_int32",))
    message = everything.new()
    text.set(message, "a")
    number.set(message, 5)
    assert number.present(message)
    assert not text.present(message)
    assert text.get(message) == ""


def test_append_and_put(everything):
    texts = everything.field(("child", "texts"))
    by_text = everything.field(("child", "by_text"))
    message = everything.new()
    texts.append(message, "a")
    texts.append(message, "b")
    by_text.put(message, "k", "v")
    assert json.loads(everything.to_json(message)) == {
        "child": {"texts": ["a", "b"], "byText": {"k": "v"}}
    }


def test_messages_of_other_codecs_fit(codec, everything):
    """Types are made when first needed, and have one class each whichever type reached them."""
    late = Codec(codec._context)  # a new set of types over the same pool
    mask = late.message("google.protobuf.FieldMask")
    message = late.message("codec.v1.Everything")
    made = message.new()
    message.field(("mask",)).set(made, mask.from_json(b'"a,b"'))
    message.field(("inner",)).set(made, late.message("codec.v1.Everything.Inner").new())
    assert json.loads(message.to_json(made)) == {"mask": "a,b", "inner": {}}
    field = message.field(("time",))
    field.set(made, late.message("google.protobuf.Timestamp").from_json(b'"2020-01-01T00:00:00Z"'))
    assert field.get(made) == late.message("google.protobuf.Timestamp").from_json(
        b'"2020-01-01T00:00:00.000Z"'
    )


@pytest.mark.parametrize(
    "path",
    [
        ("nope",),
        ("child", "nope"),
        ("text", "x"),
        ("children", "text"),
        ("children_by_text", "value"),
    ],
    ids=".".join,
)
def test_paths_go_through_singular_messages_only(everything, path):
    with pytest.raises(KeyError):
        everything.field(path)


def test_an_accessor_is_made_once(everything):
    assert everything.field(("child", "text")) is everything.field(("child", "text"))


# Field, its JSON as a client writes it, its JSON as it is written.
JSON = [
    ("text", '"a"', '"a"'),
    ("data", '"-_8"', '"+/8="'),
    ("an_int64", "5", '"5"'),
    ("a_uint32", '"5"', "5"),
    ("a_float", "0.1", "0.1"),
    ("a_double", '"NaN"', '"NaN"'),
    ("a_bool", " true ", "true"),
    ("color", "1", '"COLOR_RED"'),
    ("color", "99", "99"),
    ("chosen_null", "null", "null"),
    ("maybe_text", '""', '""'),
    ("chosen_int32", "0", "0"),
    ("time", '"2020-01-01T00:00:00Z"', '"2020-01-01T00:00:00Z"'),
    ("int64_wrapper", "5", '"5"'),
    ("value", "null", "null"),
    ("value", '[1, {"a": null}]', '[1.0,{"a":null}]'),
    ("inner", "{}", "{}"),
    ("child", '{"anInt32": 1}', '{"anInt32":1}'),
    ("texts", '["a", "b"]', '["a","b"]'),
    ("int64s", '[1, "2"]', '["1","2"]'),
    ("floats", "[0.1]", "[0.1]"),
    ("colors", '["COLOR_RED", -2, 5]', '["COLOR_RED","COLOR_BLUE",5]'),
    ("children", '[{"text": "a"}, {}]', '[{"text":"a"},{}]'),
    ("values", "[null, 1]", "[null,1.0]"),
    ("by_text", '{"a b": "\\""}', '{"a b":"\\""}'),
    ("by_int64", '{"5": "x"}', '{"5":"x"}'),
    ("by_bool", '{"true": "x"}', '{"true":"x"}'),
    ("children_by_text", '{"é": {}}', '{"é":{}}'),
    ("colors_by_text", '{"a": "COLOR_BLUE"}', '{"a":"COLOR_BLUE"}'),
]


@pytest.mark.parametrize("around", [(), ("child", "chosen_child")], ids=["here", "inside"])
@pytest.mark.parametrize(("name", "body", "written"), JSON)
def test_json_of_a_field(everything, name, body, written, around):
    field = everything.field((*around, name))
    message = everything.new()
    field.from_json(message, body.encode())
    assert field.present(message)
    assert field.to_json(message) == written.encode()
    assert field.to_json(everything.from_wire(everything.to_wire(message))) == written.encode()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("child", "null"),
        ("time", "null"),
        ("int64_wrapper", "null"),
        ("text", '""'),
        ("data", '""'),
        ("an_int64", '"0"'),
        ("an_int32", "0"),
        ("a_double", "0.0"),
        ("a_bool", "false"),
        ("color", '"COLOR_UNSPECIFIED"'),
        ("maybe_text", '""'),
        ("chosen_text", '""'),
        ("texts", "[]"),
        ("children", "[]"),
        ("by_text", "{}"),
        ("children_by_text", "{}"),
    ],
)
def test_json_of_a_field_that_is_not_set(everything, name, written):
    assert everything.field((name,)).to_json(everything.new()) == written.encode()
    assert everything.field(("child", name)).to_json(everything.new()) == written.encode()


def test_json_of_a_field_under_options(registry):
    messages = Codec(
        registry, JsonOptions(emit_defaults=True, enums_as_numbers=True, proto_names=True)
    ).message("codec.v1.Everything")
    message = messages.from_json(b'{"colors": [1], "inner": {}, "anInt32": 1}')
    assert messages.field(("colors",)).to_json(message) == b"[1]"
    assert json.loads(messages.field(("inner",)).to_json(message)) == {"depth": 0, "kind": 0}
    assert json.loads(messages.to_json(message))["an_int32"] == 1
    assert json.loads(messages.to_json(message))["int32s"] == []


REFUSED = [
    ("an_int32", "1, 2", "more text"),
    ("an_int32", '1, "text": "a"', "more text"),
    ("an_int32", "1}", "more text"),
    ("an_int32", "", "early"),
    ("an_int32", "null", "expected an integer, found null"),
    ("an_int32", "1.5", "a fraction"),
    ("an_int32", '"x"', "found a string"),
    ("text", "a", "expected a value"),
    ("color", '"NOPE"', "not the name of a value"),
    ("color", "2147483648", "must be from"),
    ("child", "null", "expected an object, found null"),
    ("child", '{"text": "a", "text": "b"}', "given twice"),
    ("child", '{"chosenText": "a", "chosenInt32": 1}', "oneof"),
    ("time", "null", "found null"),
    ("texts", "null", "expected an array, found null"),
    ("texts", '"a"', "expected an array, found a string"),
    ("texts", '["a", null]', "[1]: expected a string, found null"),
    ("texts", '["\\ud800"]', "[0]: has half of a surrogate pair"),
    ("children", '[{}, {"an_int32": "x"}]', "[1].an_int32: expected an integer"),
    ("by_text", "[]", "expected an object, found an array"),
    ("by_text", '{"a": "b", "a": "c"}', "a: the key is given twice"),
    ("by_int64", '{"1": "b", "1.0": "c"}', '["1.0"]: the key is given twice'),
    ("any", '{"@type": "x/nope.Nope"}', "@type: is not a type"),
]


@pytest.mark.parametrize(("name", "body", "sentence"), REFUSED)
def test_json_of_a_field_is_as_strict_as_of_a_message(with_options, name, body, sentence):
    for lenient in (False, True):
        if lenient and name == "color":
            continue  # values that are not known
        messages = with_options(ignore_unknown_fields=lenient)
        message = messages.new()
        with pytest.raises(CodecError) as refused:
            messages.field((name,)).from_json(message, body.encode())
        assert sentence in str(refused.value)
        assert messages.to_wire(message) == b""


def test_required_fields_elsewhere_do_not_matter(codec):
    messages = codec.message("legacy.v2.Strict")
    message = messages.new()
    messages.field(("tags",)).from_json(message, b'["a", "\\u00e9"]')
    messages.field(("note",)).from_json(message, b'"b"')
    assert messages.field(("tags",)).to_json(message) == '["a","é"]'.encode()
    assert messages.field(("note",)).to_json(message) == b'"b"'
