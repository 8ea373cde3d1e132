"""What JSON is taken, and what is refused where: the ProtoJSON specification, one rule a row.

Rules of the specification's page and of the conformance suite (conformance/json_*_test.cc), and the
strict choices of docs/json.md.
"""

import json

import pytest

from gateway.schema.codec import CodecError

A = "type.googleapis.com/"


def rows(*table):
    return [pytest.param(*row[1:], id=row[0]) for row in table]


# Rule, body, the JSON that it is written as again.
TAKEN = rows(
    ("empty object", "{}", {}),
    ("white space around", ' \t\r\n{ "text" : "a" } \n', {"text": "a"}),
    ("escaped name", '{"te\\u0078t": "a"}', {"text": "a"}),
    ("proto name", '{"an_int32": 1}', {"anInt32": 1}),
    ("json_name", '{"@other": "a"}', {"@other": "a"}),
    ("proto name beside a json_name", '{"renamed": "a"}', {"@other": "a"}),
    ("keyword as a name", '{"class": "a", "fromJson": "b"}', {"class": "a", "fromJson": "b"}),
    ("underscores as a name", '{"__dunder__": 3}', {"Dunder": 3}),
    ("null leaves unset", '{"text": null, "int32s": null, "child": null, "byText": null}', {}),
    ("null of an optional", '{"maybeText": null}', {}),
    ("null of an enum", '{"color": null}', {}),
    ("null of a wrapper", '{"int32Wrapper": null}', {}),
    ("null is a Value", '{"value": null}', {"value": None}),
    ("null is a NullValue", '{"chosenNull": null}', {"chosenNull": None}),
    ("null in a list of Values", '{"values": [null, 1]}', {"values": [None, 1.0]}),
    ("optional with its default", '{"maybeText": "", "maybeInt32": 0}', {"maybeText": "", "maybeInt32": 0}),
    ("oneof with its default", '{"chosenInt32": 0}', {"chosenInt32": 0}),
    ("oneof, null first", '{"chosenInt32": null, "chosenText": "a"}', {"chosenText": "a"}),
    ("oneof, null second", '{"chosenText": "a", "chosenInt32": null}', {"chosenText": "a"}),
    ("oneof, message null second", '{"chosenText": "a", "chosenChild": null}', {"chosenText": "a"}),
    ("int32 at its limits", '{"int32s": [2147483647, -2147483648]}', {"int32s": [2147483647, -2147483648]}),
    ("int64 at its limits", '{"int64s": [9223372036854775807, "-9223372036854775808"]}', {"int64s": ["9223372036854775807", "-9223372036854775808"]}),
    ("uint64 at its limit", '{"aUint64": 18446744073709551615}', {"aUint64": "18446744073709551615"}),
    ("uint64 at its limit with an exponent", '{"aUint64": 1.8446744073709551615e19}', {"aUint64": "18446744073709551615"}),
    ("int64 with a fraction of zero at its limit", '{"anInt64": 9223372036854775807.0}', {"anInt64": "9223372036854775807"}),
    ("uint32 at its limit", '{"aUint32": 4294967295, "aFixed32": "4294967295"}', {"aUint32": 4294967295, "aFixed32": 4294967295}),
    ("int32 with an exponent", '{"anInt32": 1e3}', {"anInt32": 1000}),
    ("int32 with an exponent, quoted", '{"anInt32": "1E+3"}', {"anInt32": 1000}),
    ("int32 with a fraction of zero", '{"anInt32": 100000.000}', {"anInt32": 100000}),
    ("int32 with a negative exponent", '{"anInt32": 10e-1}', {"anInt32": 1}),
    ("int32 minus zero", '{"anInt32": -0}', {}),
    ("int32 quoted", '{"anInt32": "12345"}', {"anInt32": 12345}),
    ("double of all forms", '{"doubles": [1, "1.5", 1e5, -0.0, "NaN", "Infinity", "-Infinity"]}', {"doubles": [1.0, 1.5, 1e5, -0.0, "NaN", "Infinity", "-Infinity"]}),
    ("double at its limits", '{"doubles": [1.7976931348623157e308, 5e-324]}', {"doubles": [1.7976931348623157e308, 5e-324]}),
    ("double too small is zero", '{"aDouble": 1e-400}', {}),
    ("double of a long integer", '{"aDouble": 123456789012345678901234567890}', {"aDouble": 1.2345678901234568e29}),
    ("float at its limit", '{"aFloat": 3.4028234663852886e38}', {"aFloat": 3.4028234663852886e38}),
    ("float that rounds to the limit", '{"floats": [3.4028235e38, "-3.40282347e38"]}', {"floats": [3.4028234663852886e38, -3.4028234663852886e38]}),
    ("double beside such a float", '{"aFloat": 3.4028235e38, "doubles": [3.4028235e38], "value": 3.4028235e38}', {"aFloat": 3.4028234663852886e38, "doubles": [3.4028235e38], "value": 3.4028235e38}),
    ("bool", '{"bools": [true, false]}', {"bools": [True, False]}),
    ("string with all escapes", r'{"text": "\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000"}', {"text": '"\\/\b\f\n\r\té😀\0'}),
    ("bytes of both alphabets", '{"datas": ["+/8=", "-_8=", "+/8", "-_8", ""]}', {"datas": ["+/8="] * 4 + [""]}),
    ("enum by name", '{"color": "COLOR_RED"}', {"color": "COLOR_RED"}),
    ("enum by alias", '{"color": "COLOR_CRIMSON"}', {"color": "COLOR_RED"}),
    ("enum by number", '{"color": -2}', {"color": "COLOR_BLUE"}),
    ("open enum, unknown number", '{"color": 77}', {"color": 77}),
    ("enum numbers at their limits", '{"colors": [2147483647, -2147483648]}', {"colors": [2147483647, -2147483648]}),
    ("map keys", '{"byInt32": {"-1": "a"}, "byUint64": {"18446744073709551615": "b"}, "byBool": {"true": "c", "false": "d"}}', {"byInt32": {"-1": "a"}, "byUint64": {"18446744073709551615": "b"}, "byBool": {"true": "c", "false": "d"}}),
    ("map key of one unusual form", '{"byInt32": {"01": "a"}}', {"byInt32": {"1": "a"}}),
    ("map key empty", '{"byText": {"": "a"}}', {"byText": {"": "a"}}),
    ("map of messages", '{"childrenByText": {"a b": {"text": "x"}}}', {"childrenByText": {"a b": {"text": "x"}}}),
    ("timestamp with an offset", '{"time": "2020-01-01T00:00:00+08:00"}', {"time": "2019-12-31T16:00:00Z"}),
    ("timestamp with nanoseconds", '{"time": "2020-01-01T00:00:00.123456789Z"}', {"time": "2020-01-01T00:00:00.123456789Z"}),
    ("timestamps at their limits", '{"times": ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"]}', {"times": ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"]}),
    ("timestamp writes 3, 6 or 9 digits", '{"times": ["2020-01-01T00:00:00.1Z", "2020-01-01T00:00:00.1234Z"]}', {"times": ["2020-01-01T00:00:00.100Z", "2020-01-01T00:00:00.123400Z"]}),
    ("duration", '{"duration": "1.5s"}', {"duration": "1.500s"}),
    ("duration below zero", '{"duration": "-0.5s"}', {"duration": "-0.500s"}),
    ("duration at its limit", '{"duration": "-315576000000s"}', {"duration": "-315576000000s"}),
    ("field mask", '{"mask": "fooBar,a.bC"}', {"mask": "fooBar,a.bC"}),
    ("field mask empty", '{"mask": ""}', {"mask": ""}),
    ("struct", '{"struct": {"a": null, "b": [1, {"c": "d"}], "anInt32": true}}', {"struct": {"a": None, "b": [1.0, {"c": "d"}], "anInt32": True}}),
    ("struct with the names of rivals", '{"struct": {"chosenText": 1, "chosenInt32": 2, "an_int32": 3, "anInt32": 4}}', {"struct": {"chosenText": 1.0, "chosenInt32": 2.0, "an_int32": 3.0, "anInt32": 4.0}}),
    ("list value", '{"list": [1, [], {}]}', {"list": [1.0, [], {}]}),
    ("empty message", '{"empty": {}}', {"empty": {}}),
    ("wrappers", '{"boolWrapper": true, "int64Wrapper": 5, "stringWrapper": "", "bytesWrapper": "YQ"}', {"boolWrapper": True, "int64Wrapper": "5", "stringWrapper": "", "bytesWrapper": "YQ=="}),
    ("any of a message", f'{{"any": {{"text": "a", "@type": "{A}codec.v1.Everything"}}}}', {"any": {"@type": f"{A}codec.v1.Everything", "text": "a"}}),
    ("any of a well-known type", f'{{"any": {{"@type": "{A}google.protobuf.Duration", "value": "1s"}}}}', {"any": {"@type": f"{A}google.protobuf.Duration", "value": "1s"}}),
    ("any of a null Value", f'{{"any": {{"@type": "{A}google.protobuf.Value", "value": null}}}}', {"any": {"@type": f"{A}google.protobuf.Value", "value": None}}),
    ("any of a Struct", f'{{"any": {{"@type": "{A}google.protobuf.Struct", "value": {{"a": 1}}}}}}', {"any": {"@type": f"{A}google.protobuf.Struct", "value": {"a": 1.0}}}),
    ("any of Empty", f'{{"any": {{"@type": "{A}google.protobuf.Empty"}}}}', {"any": {"@type": f"{A}google.protobuf.Empty"}}),
    ("any in an any", f'{{"any": {{"@type": "{A}google.protobuf.Any", "value": {{"@type": "{A}codec.v1.Plain", "id": "a"}}}}}}', {"any": {"@type": f"{A}google.protobuf.Any", "value": {"@type": f"{A}codec.v1.Plain", "id": "a"}}}),
    ("any of a type that nothing else reaches", f'{{"any": {{"@type": "{A}modern.v1.New", "explicit": 0}}}}', {"any": {"@type": f"{A}modern.v1.New", "explicit": 0}}),
    ("any keeps the host of its URL", '{"any": {"@type": "example.com/a/codec.v1.Plain", "id": "a"}}', {"any": {"@type": "example.com/a/codec.v1.Plain", "id": "a"}}),
    ("any empty", '{"any": {}}', {"any": {}}),
    ("proto2 group", '{"old": {"pair": {"left": 1}}}', {"old": {"pair": {"left": 1}}}),
    ("proto2 presence", '{"old": {"number": 0}}', {"old": {"number": 0}}),
)  # fmt: skip


@pytest.mark.parametrize(("body", "written"), TAKEN)
def test_is_taken(everything, body, written):
    message = everything.from_json(body.encode())
    assert json.loads(everything.to_json(message)) == written
    # The same by way of the wire, in all forms.
    again = everything.from_wire(everything.to_wire(message))
    assert everything.to_json(again) == everything.transcode(everything.to_wire(message))


# Rule, body, path of the fault, a part of its description.
REFUSED = rows(
    ("repeated name", '{"text": "a", "text": "b"}', "text", "given twice"),
    ("repeated name, escaped", '{"text": "a", "te\\u0078t": "b"}', "text", "given twice"),
    ("repeated name, null", '{"text": "a", "text": null}', "text", "given twice"),
    ("repeated name, inside", '{"children": [{}, {"child": {"text": "a", "text": "a"}}]}', "children[1].child.text", "given twice"),
    ("repeated name in a Struct", '{"struct": {"a": {"b": 1, "b": 2}}}', "struct.a.b", "given twice"),
    ("repeated name in a Value", '{"values": [[{"b": 1, "b": 2}]]}', "values[0][0].b", "given twice"),
    ("repeated key of a map", '{"byText": {"a b": "", "a b": ""}}', 'byText["a b"]', "given twice"),
    ("repeated key of a map in two forms", '{"byInt32": {"1": "a", "01": "b"}}', 'byInt32["01"]', "given twice"),
    ("repeated key of a map, plus", '{"bySint64": {"1": "a", "+1": "b"}}', 'bySint64["+1"]', "integer"),
    ("repeated key of a map, exponent", '{"byFixed32": {"100": "a", "1e2": "b"}}', 'byFixed32["1e2"]', "given twice"),
    ("repeated key of a map, fraction", '{"byUint64": {"1": "a", "1.0": "b"}}', 'byUint64["1.0"]', "given twice"),
    ("repeated key of a map, minus zero", '{"byInt64": {"0": "a", "-0": "b"}}', 'byInt64["-0"]', "given twice"),
    ("repeated key of a map, other digits", '{"byInt64": {"1": "a", "\u0661": "b"}}', "byInt64.", "integer"),
    ("both spellings", '{"anInt32": 1, "an_int32": 1}', "an_int32", "also as anInt32"),
    ("both spellings, the other way", '{"an_int32": 1, "anInt32": 1}', "anInt32", "also as an_int32"),
    ("both spellings, null", '{"an_int32": 1, "anInt32": null}', "anInt32", "also as an_int32"),
    ("both spellings of a json_name", '{"renamed": "a", "@other": "b"}', '["@other"]', "also as renamed"),
    ("two of a oneof", '{"chosenText": "a", "chosenInt32": 1}', "chosenInt32", 'oneof "choice"'),
    ("two of a oneof, proto names", '{"chosen_int32": 1, "chosen_text": "a"}', "chosen_text", "beside chosen_int32"),
    ("two of a oneof, NullValue", '{"chosenNull": null, "chosenText": "a"}', "chosenText", "beside chosenNull"),
    ("two of a oneof, inside", '{"chosenChild": {"chosenText": "a", "chosenChild": {}}}', "chosenChild.chosenChild", "oneof"),
    ("two of a oneof in an any", f'{{"any": {{"@type": "{A}codec.v1.Everything", "chosenText": "a", "chosenInt32": 1}}}}', "any.chosenInt32", "oneof"),
    ("unknown field", '{"texd": "a"}', "texd", "did you mean text?"),
    ("unknown field, null", '{"zzz": null}', "zzz", "no such field"),
    ("unknown field, inside", '{"inner": {"inner": {"x": 1}}}', "inner.inner.x", "no such field"),
    ("unknown field of any length", '{"%s": 1}' % ("x" * 5000), '["%s…"]' % ("x" * 64), "no such field"),
    ("extension", '{"old": {"[legacy.v2.nickname]": "a"}}', 'old["[legacy.v2.nickname]"]', "no such field"),
    ("null in a list", '{"texts": ["a", null]}', "texts[1]", "found null"),
    ("null in a list of messages", '{"children": [null]}', "children[0]", "found null"),
    ("null in a map", '{"byText": {"a": null}}', "byText.a", "found null"),
    ("null as the whole", "null", "", "expected an object, found null"),
    ("array as the whole", "[]", "", "expected an object, found an array"),
    ("string as the whole", '"a"', "", "expected an object, found a string"),
    ("message from an array", '{"child": []}', "child", "expected an object, found an array"),
    ("message from an empty string", '{"child": ""}', "child", "expected an object, found a string"),
    ("list from a value", '{"texts": "a"}', "texts", "expected an array, found a string"),
    ("list from an object", '{"texts": {}}', "texts", "expected an array, found an object"),
    ("map from an array", '{"byText": []}', "byText", "expected an object, found an array"),
    ("value from a list", '{"text": ["a"]}', "text", "expected a string, found an array"),
    ("int32 above", '{"anInt32": 2147483648}', "anInt32", "from -2147483648 to 2147483647"),
    ("int32 below", '{"anSfixed32": -2147483649}', "anSfixed32", "from -2147483648"),
    ("int64 above", '{"anInt64": "9223372036854775808"}', "anInt64", "to 9223372036854775807"),
    ("int64 above, exponent", '{"anInt64": 1e19}', "anInt64", "to 9223372036854775807"),
    ("uint32 below", '{"aUint32": -1}', "aUint32", "from 0"),
    ("uint64 above", '{"aFixed64": 18446744073709551616}', "aFixed64", "from 0 to 18446744073709551615"),
    ("int32 of any length", '{"anInt32": %s}' % ("9" * 100_000), "anInt32", "must be from"),
    ("int32 of any exponent", '{"anInt32": 1e9999999999999999999999}', "anInt32", "must be from"),
    ("int32 with a fraction", '{"anInt32": 1.5}', "anInt32", "a fraction"),
    ("int32 with a fraction, quoted", '{"anInt32": "1.5"}', "anInt32", "a fraction"),
    ("int32 with a tiny fraction", '{"anInt32": 1e-9}', "anInt32", "a fraction"),
    ("int32 from true", '{"anInt32": true}', "anInt32", "expected an integer, found true"),
    ("int32 from nothing", '{"anInt32": ""}', "anInt32", "found a string that is none"),
    ("int32 with a space", '{"anInt32": " 1"}', "anInt32", "found a string that is none"),
    ("int32 in base 16", '{"anInt32": "0x1"}', "anInt32", "found a string that is none"),
    ("double from true", '{"aDouble": true}', "aDouble", "expected a number, found true"),
    ("double above", '{"aDouble": 1e400}', "aDouble", "too large"),
    ("double above, quoted", '{"aDouble": "-1e400"}', "aDouble", "too large"),
    ("double above, integer", '{"aDouble": 1%s}' % ("0" * 400), "aDouble", "too large"),
    ("double with a space", '{"aDouble": "1 "}', "aDouble", "found a string that is none"),
    ("double as C writes it", '{"aDouble": "inf"}', "aDouble", "found a string that is none"),
    ("float above", '{"aFloat": 3.5e38}', "aFloat", "too large"),
    ("float above, in a list", '{"floats": [1, "-3.5e38"]}', "floats[1]", "too large"),
    ("bool from a number", '{"aBool": 1}', "aBool", "expected true or false, found a number"),
    ("bool from a string", '{"aBool": "true"}', "aBool", "found a string"),
    ("string from a number", '{"text": 1}', "text", "expected a string, found a number"),
    ("string with half a pair", '{"text": "\\ud800"}', "text", "half of a surrogate pair"),
    ("string with a pair in wrong order", '{"texts": ["\\ude00\\ud83d"]}', "texts[0]", "half of a surrogate pair"),
    ("key with half a pair", '{"byText": {"\\ud800": "a"}}', 'byText["?"]', "half of a surrogate pair"),
    ("key of a Struct with half a pair", '{"struct": {"\\ud800": "a"}}', 'struct["?"]', "half of a surrogate pair"),
    ("Value with half a pair", '{"value": ["\\udfff"]}', "value[0]", "half of a surrogate pair"),
    ("unknown name with half a pair", '{"\\ud800": "a"}', '["?"]', "no such field"),
    ("bytes from a number", '{"data": 5}', "data", "expected a base64 string, found a number"),
    ("bytes with a space", '{"data": "a b="}', "data", "found another string"),
    ("bytes cut short", '{"data": "a"}', "data", "found another string"),
    ("bytes of mixed alphabets", '{"data": "-/8="}', "data", "found another string"),
    ("bytes with too much padding", '{"data": "+/8=="}', "data", "found another string"),
    ("enum by an unknown name", '{"color": "RED"}', "color", "not the name of a value"),
    ("enum by a name in other case", '{"color": "color_red"}', "color", "not the name of a value"),
    ("enum by a quoted number", '{"color": "1"}', "color", "not the name of a value"),
    ("enum by a fraction of zero", '{"color": 1.0}', "color", "name or the number"),
    ("enum from true", '{"color": true}', "color", "expected the name"),
    ("enum number above", '{"color": 2147483648}', "color", "must be from"),
    ("enum number below, in a list", '{"colors": [1, -2147483649]}', "colors[1]", "must be from"),
    ("enum number above, in a map", '{"colorsByText": {"a": 5000000000}}', "colorsByText.a", "must be from"),
    ("closed enum, unknown number", '{"old": {"mood": 9}}', "old.mood", "not the number of a value"),
    ("key of a bool map", '{"byBool": {"True": "a"}}', "byBool.True", '"true" or "false"'),
    ("key of a number map", '{"byInt32": {"a": "a"}}', "byInt32.a", "the key is wrong"),
    ("key of a number map above", '{"byInt32": {"2147483648": "a"}}', 'byInt32["2147483648"]', "the key is wrong"),
    ("key of an int64 map above", '{"byInt64": {"9223372036854775808": "a"}}', "byInt64[", "the key is wrong"),
    ("key of an uint64 map below", '{"byUint64": {"-1": "a"}}', 'byUint64["-1"]', "the key is wrong"),
    ("timestamp without a zone", '{"time": "2020-01-01T00:00:00"}', "time", "RFC 3339"),
    ("timestamp in lower case", '{"time": "2020-01-01t00:00:00z"}', "time", "RFC 3339"),
    ("timestamp with 10 digits", '{"time": "2020-01-01T00:00:00.1234567891Z"}', "time", "RFC 3339"),
    ("timestamp without such a day", '{"time": "2021-02-29T00:00:00Z"}', "time", "RFC 3339"),
    ("timestamp before year 1", '{"time": "0001-01-01T00:00:00+01:00"}', "time", "RFC 3339"),
    ("timestamp after year 9999", '{"time": "9999-12-31T23:59:59-01:00"}', "time", "RFC 3339"),
    ("timestamp from a number", '{"time": 1}', "time", "found a number"),
    ("duration without a unit", '{"duration": "1"}', "duration", "a duration"),
    ("duration with 10 digits", '{"duration": "1.0123456789s"}', "duration", "a duration"),
    ("duration above", '{"duration": "315576000001s"}', "duration", "a duration"),
    ("field mask in snake_case", '{"mask": "foo_bar"}', "mask", "lowerCamelCase"),
    ("struct from an array", '{"struct": []}', "struct", "expected an object"),
    ("list value from an object", '{"list": {}}', "list", "expected an array"),
    ("Value above", '{"value": {"a": 1e400}}', "value.a", "too large"),
    ("Value above, integer", '{"list": [1%s]}' % ("0" * 400), "list[0]", "too large"),
    ("wrapper from its message", '{"int32Wrapper": {"value": 1}}', "int32Wrapper", "expected an integer"),
    ("any of an unknown type", f'{{"any": {{"@type": "{A}nope.Nope"}}}}', "any.@type", "not a type"),
    ("any without a type", '{"any": {"text": "a"}}', "any.@type", "the URL of a type"),
    ("any with an empty type", '{"any": {"@type": "", "value": ""}}', "any.@type", "the URL of a type"),
    ("any with a type that is no URL", '{"any": {"@type": "codec.v1.Plain"}}', "any.@type", "the URL of a type"),
    ("any with two types", f'{{"any": {{"@type": "{A}codec.v1.Plain", "@type": "{A}codec.v1.Plain"}}}}', "any.@type", "given twice"),
    ("any with an unknown field", f'{{"any": {{"@type": "{A}codec.v1.Plain", "x": 1}}}}', "any.x", "no such field"),
    ("any of a well-known type without value", f'{{"any": {{"@type": "{A}google.protobuf.Duration"}}}}', "any.value", "expected"),
    ("any of a well-known type with more", f'{{"any": {{"@type": "{A}google.protobuf.Duration", "value": "1s", "x": 1}}}}', "any.x", "no such field"),
    ("any of Empty with value", f'{{"any": {{"@type": "{A}google.protobuf.Empty", "value": {{}}}}}}', "any.value", "no such field"),
    ("any of null", f'{{"any": {{"@type": "{A}codec.v1.Plain", "id": 5}}}}', "any.id", "expected a string"),
    ("any in a list", '{"anys": [{}, {"@type": "x/y"}]}', "anys[1].@type", "not a type"),
)  # fmt: skip


@pytest.mark.parametrize(("body", "path", "description"), REFUSED)
def test_is_refused_with_its_path(everything, body, path, description):
    with pytest.raises(CodecError) as refused:
        everything.from_json(body.encode())
    first = refused.value.violations[0]
    assert first.field == path or (path.endswith((".", "[")) and first.field.startswith(path[:-1]))
    assert description in first.description
    assert not refused.value.malformed
    assert first.description in str(refused.value)
    # It can be told to a client.
    f"{first.field}{first.description}{refused.value}".encode()


def test_all_faults_are_told_at_once(everything):
    with pytest.raises(CodecError) as refused:
        everything.from_json(b'{"text": 1, "anInt32": "x", "inner": {"nope": 1}}')
    assert [each.field for each in refused.value.violations] == ["text", "anInt32", "inner.nope"]
    assert str(refused.value) == "text: expected a string, found a number (and 2 more)."


def test_but_not_more_than_anyone_reads(everything):
    with pytest.raises(CodecError) as refused:
        everything.from_json(b'{"int32s": [%s]}' % b",".join([b'"x"'] * 10_000))
    assert len(refused.value.violations) == 20


# Rule, body, the sentence.
MALFORMED = rows(
    ("nothing", b"", "at line 1, column 1: the text ends too early"),
    ("white space alone", b" \n ", "at line 2, column 2: the text ends too early"),
    ("cut in an object", b'{"text": ', "at line 1, column 10: the text ends too early"),
    ("cut in a string", b'{"text": "a', "at line 1, column 10: a string without an end"),
    ("data after the value", b"{}\n {}", "at line 2, column 2: more text after the value"),
    ("trailing comma", b'{"text": "a",}', "expected a name in double quotes"),
    ("missing comma", b'{"text": "a"\n"color": 1}', "at line 2, column 1: expected a comma"),
    ("missing colon", b'{"text" "a"}', "at line 1, column 9: expected a colon"),
    ("single quotes", b"{'text': 1}", "at line 1, column 2: expected a name in double quotes"),
    ("name without quotes", b"{text: 1}", "expected a name in double quotes"),
    ("comment", b'{"text": /**/ "a"}', "at line 1, column 10: expected a value"),
    ("leading zero", b'{"anInt32": 01}', "expected a comma"),
    ("plus sign", b'{"anInt32": +1}', "expected a value"),
    ("bare dot", b'{"aDouble": .5}', "expected a value"),
    ("minus alone", b'{"aDouble": -}', "expected a value"),
    ("NaN", b'{"aDouble": NaN}', "NaN outside a string"),
    ("Infinity", b'{"value": [-Infinity]}', "-Infinity outside a string"),
    ("NaN in a Struct", b'{"struct": {"a": NaN}}', "NaN outside a string"),
    ("wrong escape", b'{"text": "\\x41"}', "an escape sequence that does not exist"),
    ("cut escape", b'{"text": "\\u12"}', "an escape sequence that does not exist"),
    ("control character", b'{"text": "a\nb"}', "a control character"),
    ("byte order mark", b"\xef\xbb\xbf{}", "a byte order mark"),
    ("not UTF-8", b'{"text": "\xff"}', "at byte 11: not UTF-8"),
    ("overlong UTF-8", b'{"text": "\xc0\xaf"}', "at byte 11: not UTF-8"),
    ("UTF-8 of a surrogate", b'{"text": "\xed\xa0\x80"}', "at byte 11: not UTF-8"),
    ("UTF-16", '{"text": "a"}'.encode("utf-16"), "not UTF-8"),
    ("another space", "\u00a0{}".encode(), "expected a value"),
    ("not JSON at all", b"text=a", "expected a value"),
)  # fmt: skip


@pytest.mark.parametrize(("body", "sentence"), MALFORMED)
def test_is_no_json(everything, body, sentence):
    with pytest.raises(CodecError) as refused:
        everything.from_json(body)
    assert sentence in str(refused.value)
    assert str(refused.value).startswith("The text is not valid JSON")
    assert refused.value.malformed
    assert refused.value.violations == ()


def test_unknown_fields_may_be_ignored(with_options):
    lenient = with_options(ignore_unknown_fields=True)
    body = b'{"x": [{"y": 1}], "text": "a", "color": "NOPE", "inner": {"z": null, "depth": 1}}'
    assert json.loads(lenient.to_json(lenient.from_json(body))) == {
        "text": "a",
        "inner": {"depth": 1},
    }


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"x": 1, "x": 2}', id="repeated"),
        pytest.param(b'{"x": {"y": 1, "y": 2}}', id="repeated inside"),
        pytest.param(b'{"x": NaN}', id="no JSON"),
        pytest.param(b'{"x": 1, "text": 2}', id="beside a wrong one"),
        pytest.param(b'{"any": {"@type": "x/nope"}}', id="any of an unknown type"),
    ],
)
def test_ignoring_unknown_fields_lets_nothing_else_pass(with_options, body):
    with pytest.raises(CodecError):
        with_options(ignore_unknown_fields=True).from_json(body)


@pytest.mark.parametrize(
    ("type_name", "body", "wire"),
    [
        pytest.param("google.protobuf.Value", b"null", b"\x08\x00", id="Value of null"),
        pytest.param("google.protobuf.Value", b" 1 ", b"\x11\0\0\0\0\0\0\xf0\x3f", id="Value of 1"),
        pytest.param("google.protobuf.Duration", b'"1s"', b"\x08\x01", id="Duration"),
        pytest.param("google.protobuf.Int32Value", b"5", b"\x08\x05", id="wrapper"),
        pytest.param("google.protobuf.ListValue", b"[]", b"", id="ListValue"),
    ],
)
def test_the_whole_may_be_a_well_known_type(codec, type_name, body, wire):
    messages = codec.message(type_name)
    assert messages.to_wire(messages.from_json(body)) == wire


@pytest.mark.parametrize("type_name", ["Int32Value", "Timestamp", "Struct", "ListValue", "Any"])
def test_null_is_the_whole_of_a_value_alone(codec, type_name):
    with pytest.raises(CodecError):
        codec.message(f"google.protobuf.{type_name}").from_json(b"null")


def test_required_fields_are_missed_at_the_wire(codec):
    messages = codec.message("legacy.v2.Strict")
    message = messages.from_json(b'{"note": "\\u00e9"}')
    with pytest.raises(CodecError, match="required"):
        messages.to_wire(message)
    messages.field(("id",)).set(message, "a")
    assert json.loads(messages.transcode(messages.to_wire(message))) == {"id": "a", "note": "é"}


def test_unknown_types_have_no_codec(codec):
    with pytest.raises(KeyError):
        codec.message("codec.v1.Nope")
