"""ProtoJSON against google.protobuf.json_format: on random messages both ways, on corner cases.

What is taken here is taken there with the same meaning, and what is written is the same; DIFFERENCES
lists the rest, as docs/json.md does for users.
"""

import json
import math
import re
import struct
import warnings
from pathlib import Path
from typing import NamedTuple

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.schema.codec import Codec, CodecError, JsonOptions
from tests.examples import examples

T = FieldDescriptor
PROTOS = Path(__file__).parent / "protos"
A = "type.googleapis.com/"

SCALARS = {
    T.TYPE_DOUBLE: st.floats(),
    T.TYPE_FLOAT: st.floats(width=32),
    **dict.fromkeys(
        (T.TYPE_INT32, T.TYPE_SINT32, T.TYPE_SFIXED32), st.integers(-(2**31), 2**31 - 1)
    ),
    **dict.fromkeys(
        (T.TYPE_INT64, T.TYPE_SINT64, T.TYPE_SFIXED64), st.integers(-(2**63), 2**63 - 1)
    ),
    **dict.fromkeys((T.TYPE_UINT32, T.TYPE_FIXED32), st.integers(0, 2**32 - 1)),
    **dict.fromkeys((T.TYPE_UINT64, T.TYPE_FIXED64), st.integers(0, 2**64 - 1)),
    T.TYPE_BOOL: st.booleans(),
    T.TYPE_STRING: st.text(max_size=8),
    T.TYPE_BYTES: st.binary(max_size=8),
}
NANOS = st.sampled_from([0, 1, 1000, 1_000_000, 120_000_000, 999_999_999])
FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | FINITE | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def is_map(field):
    return bool(
        field.is_repeated and field.message_type and field.message_type.GetOptions().map_entry
    )


@st.composite
def filled(draw, descriptor, depth=2, around=()):
    """A random message of a type; every value of it has a JSON."""
    message = GetMessageClass(descriptor)()
    name = descriptor.full_name
    if name == "google.protobuf.Timestamp":
        message.seconds, message.nanos = draw(st.integers(-62135596800, 253402300799)), draw(NANOS)
    elif name == "google.protobuf.Duration":
        sign = draw(st.sampled_from([1, -1]))
        message.seconds = sign * draw(st.integers(0, 315_575_999_999))
        message.nanos = sign * draw(NANOS)
    elif name == "google.protobuf.FieldMask":
        message.paths.extend(
            draw(
                st.lists(
                    st.from_regex(r"[a-z]{1,3}(_[a-z]{1,3}){0,2}(\.[a-z]{1,3})?", fullmatch=True),
                    max_size=3,
                )
            )
        )
    elif name in ("google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue"):
        shape = {
            "Struct": st.dictionaries(st.text(max_size=5), JSON, max_size=3),
            "ListValue": st.lists(JSON, max_size=3),
        }
        json_format.ParseDict(draw(shape.get(name.rpartition(".")[2], JSON)), message)
    elif name == "google.protobuf.Any":
        pool = descriptor.file.pool
        names = ["Duration", "Value", "Any", "Empty", "Int64Value"]
        packed = draw(
            st.sampled_from(
                [
                    descriptor,
                    *map(pool.FindMessageTypeByName, [f"google.protobuf.{each}" for each in names]),
                    *around,
                ]
            )
        )
        if depth > 0:
            message.Pack(draw(filled(packed, depth - 1)))
    else:
        fields = [each for each in descriptor.fields if depth > 0 or each.message_type is None]
        chosen = (
            draw(st.lists(st.sampled_from(fields), max_size=6, unique_by=lambda field: field.name))
            if fields
            else []
        )
        for field in chosen:
            fill(draw, message, field, depth, (*around, descriptor))
    return message


def value_of(draw, field, depth, around):
    if field.message_type is not None:
        return draw(filled(field.message_type, depth - 1, around))
    if field.enum_type is not None:
        numbers = st.sampled_from([value.number for value in field.enum_type.values])
        if field.enum_type.is_closed or field.enum_type.full_name == "google.protobuf.NullValue":
            return draw(numbers)
        return draw(numbers | st.integers(-(2**31), 2**31 - 1))
    return draw(SCALARS[field.type])


def fill(draw, message, field, depth, around):
    count = draw(st.integers(1, 3))
    if is_map(field):
        key, value = (field.message_type.fields_by_name[part] for part in ("key", "value"))
        target = getattr(message, field.name)
        for _ in range(count):
            made = value_of(draw, value, depth, around)
            if value.message_type is not None:
                target[value_of(draw, key, depth, around)].CopyFrom(made)
            else:
                target[value_of(draw, key, depth, around)] = made
    elif field.is_repeated:
        for _ in range(count):
            getattr(message, field.name).append(value_of(draw, field, depth, around))
    elif field.message_type is not None:
        made = value_of(draw, field, depth, around)
        getattr(message, field.name).SetInParent()
        getattr(message, field.name).CopyFrom(made)
    else:
        setattr(message, field.name, value_of(draw, field, depth, around))


def same(ours: object, theirs: object) -> bool:
    """Equality of JSON values; of floats as of floats of 32 bits, and of -0 and 0 not."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, float) and isinstance(theirs, float):
        if ours == theirs:
            return math.copysign(1, ours) == math.copysign(1, theirs)
        try:
            return struct.pack("<f", ours) == struct.pack("<f", theirs)
        except OverflowError:
            return False
    return type(ours) is type(theirs) and ours == theirs


OPTIONS = {
    "as it is": ({}, {}),
    "emit_defaults": ({"emit_defaults": True}, {"always_print_fields_with_no_presence": True}),
    "enums_as_numbers": ({"enums_as_numbers": True}, {"use_integers_for_enums": True}),
    "proto_names": ({"proto_names": True}, {"preserving_proto_field_name": True}),
}
SLOW = settings(
    max_examples=examples(2),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def both_ways(registry, codecs, data, name):
    message = data.draw(filled(registry.message(name)))
    wire = message.SerializeToString()
    option = data.draw(st.sampled_from(list(OPTIONS)))
    messages = codecs[option].message(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # json_format warns of Durations it finds odd
        written = json_format.MessageToJson(
            message, descriptor_pool=registry.pool, **OPTIONS[option][1]
        )
    ours = json.loads(messages.transcode(wire))
    theirs = json.loads(written)
    if option == "enums_as_numbers":
        ours, theirs = without_null_values(ours), without_null_values(theirs)
    assert same(ours, theirs)
    for body in (written.encode(), messages.transcode(wire)):
        again = type(message).FromString(messages.to_wire(messages.from_json(body)))
        assert same_messages(again, message)


def without_null_values(value):
    """json_format writes NullValue enums as 0 under this option; see DIFFERENCES."""
    if isinstance(value, dict):
        return {
            k: without_null_values(v) for k, v in value.items() if k not in ("null", "chosenNull")
        }
    return [without_null_values(v) for v in value] if isinstance(value, list) else value


def same_messages(one, other) -> bool:
    """Equality, NaN with itself."""
    if one == other:
        return True
    pool = one.DESCRIPTOR.file.pool
    texts = [
        json_format.MessageToJson(each, descriptor_pool=pool, sort_keys=True)
        for each in (one, other)
    ]
    return texts[0] == texts[1]


@pytest.fixture(scope="module")
def codecs(registry):
    return {name: Codec(registry, JsonOptions(**ours)) for name, (ours, _) in OPTIONS.items()}


@pytest.fixture(scope="module")
def shop_codecs(shop):
    return {name: Codec(shop, JsonOptions(**ours)) for name, (ours, _) in OPTIONS.items()}


@pytest.mark.parametrize("name", ["codec.v1.Everything", "legacy.v2.Old", "modern.v1.New"])
@SLOW
@given(data=st.data())
def test_random_messages_both_ways(registry, codecs, name, data):
    both_ways(registry, codecs, data, name)


@SLOW
@given(data=st.data())
def test_random_messages_of_the_example_api_both_ways(shop, shop_codecs, data):
    names = sorted(
        {
            name
            for service in shop.services()
            for method in shop.methods(service)
            for name in (method.input, method.output)
        }
    )
    both_ways(shop, shop_codecs, data, data.draw(st.sampled_from(names)))


# JSON values of all kinds, right and wrong for each type.
VALUES = (Path(__file__).parent / "values.txt").read_text("utf-8").splitlines()


def fields():
    """The JSON names of all fields of Everything, from its proto's text."""
    proto = (PROTOS / "everything.proto").read_text().partition("message Inner")[0]
    return re.findall(r"^  (?:[a-z].* |  .* )(\w+) = \d+", proto, re.MULTILINE)


def parsed(reference, name, body):
    """Returns the message that json_format makes of a text, None where it makes none."""
    message = reference.type(name)()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            json_format.Parse(body, message, descriptor_pool=reference.registry.pool)
            message.SerializeToString()
    except Exception:  # noqa: BLE001  # it raises more than its own errors
        return None
    return message


@pytest.mark.parametrize("field", fields())
def test_what_is_taken_means_the_same_there(everything, reference, field):
    """60 fields times 180 values: never is taken what json_format refuses, or takes for another."""
    for value in VALUES:
        if (field, value) == ("values", "null") or value == "3.4028235e38":
            continue  # json_format fails; the tests below
        body = json.dumps(field) + ":" + value
        body = "{" + body + "}"
        try:
            wire = everything.to_wire(everything.from_json(body.encode()))
        except CodecError as refused:
            assert refused.malformed or refused.violations, body
            continue
        theirs = parsed(reference, "codec.v1.Everything", body)
        assert theirs is not None, body
        assert same_messages(type(theirs).FromString(wire), theirs), body


class Difference(NamedTuple):
    """A text that json_format treats in another way, and why."""

    body: str
    why: str


# What json_format takes and we refuse; docs/json.md has the same rows.
REFUSED_HERE = {
    "two members of a oneof, NullValue": Difference(
        '{"chosenNull": null, "chosenText": "a"}', "null is a value of NullValue, so both are set"
    ),
    "both spellings, inside": Difference(
        '{"child": {"anInt32": 1, "an_int32": 2}}', "one value may be authorized, the other sent"
    ),
    "numbers with space": Difference('{"aDouble": " 1"}', "not a JSON number"),
    "numbers with underscores": Difference('{"aDouble": "1_0"}', "not a JSON number"),
    "numbers in other digits": Difference('{"aDouble": "\u0661"}', "not a JSON number"),
    "numbers as C writes them": Difference('{"aDouble": "inf"}', "only Infinity is specified"),
    "numbers from booleans": Difference('{"aDouble": true}', "not a number"),
    "doubles beyond range": Difference('{"aDouble": "1e400"}', "the specification refuses it"),
    "floats beyond range": Difference('{"aFloat": "3.5e38"}', "the specification refuses it"),
    "infinity in a Value": Difference('{"value": 1e400}', "it has no JSON to be written as"),
    "NaN in a Value": Difference('{"value": NaN}', "not JSON"),
    "enum numbers as text": Difference('{"color": "1"}', "only names are text"),
    "enum numbers as fractions": Difference('{"color": 1.0}', "only integers are specified"),
    "enum numbers from booleans": Difference('{"color": true}', "the conformance suite refuses it"),
    "messages from empty arrays": Difference('{"child": []}', "not an object"),
    "messages from empty strings": Difference('{"child": ""}', "not an object"),
    "the whole from an empty array": Difference("[]", "not an object"),
    "base64 of mixed alphabets": Difference('{"data": "-/8="}', "neither alphabet"),
    "base64 with other characters": Difference('{"data": "Y\\nQ=="}', "neither alphabet"),
    "durations with a plus": Difference('{"duration": "+1s"}', "not in duration.proto"),
    "durations of 10 digits": Difference('{"duration": "1.0000000001s"}', "finer than nanoseconds"),
    "timestamps with an empty fraction": Difference(
        '{"time": "2020-01-01T00:00:00.Z"}', "not RFC 3339"
    ),
    "timestamps with an offset of a day": Difference(
        '{"time": "2020-01-01T00:00:00+24:00"}', "not RFC 3339"
    ),
    "any without a URL": Difference(
        '{"any": {"@type": "codec.v1.Plain"}}', "any.proto asks for a slash"
    ),
    "any of a well-known type with more": Difference(
        '{"any": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1s", "x": 1}}',
        "an unknown field",
    ),
    "extensions": Difference(
        '{"old": {"[legacy.v2.nickname]": "a"}}', "protobuf-py's types are made without them"
    ),
}


@pytest.mark.parametrize("rule", REFUSED_HERE)
def test_refused_here_and_taken_there(everything, reference, rule):
    body = REFUSED_HERE[rule].body
    assert parsed(reference, "codec.v1.Everything", body) is not None
    with pytest.raises(CodecError):
        everything.from_json(body.encode())


def test_taken_here_and_failing_there(everything, reference):
    """null leaves a repeated Value unset; json_format fails with an AttributeError."""
    assert parsed(reference, "codec.v1.Everything", '{"values": null}') is None
    assert everything.to_json(everything.from_json(b'{"values": null}')) == b"{}"


def test_the_largest_float_is_taken_as_it_is_written(everything, reference):
    """json_format refuses what it writes itself; a float nearest to the largest one is it."""
    body = '{"aFloat": 3.4028235e+38}'
    assert parsed(reference, "codec.v1.Everything", body) is None
    wire = everything.to_wire(everything.from_json(body.encode()))
    assert json.loads(reference.write("codec.v1.Everything", wire)) == json.loads(body)


def test_unknown_enum_numbers_are_dropped_with_unknown_fields(with_options, reference):
    """protobuf-py takes the number of no value for an unknown field, json_format for a value."""
    lenient = with_options(ignore_unknown_fields=True)
    assert lenient.to_json(lenient.from_json(b'{"color": 77}')) == b"{}"
    assert parsed(reference, "codec.v1.Everything", '{"color": 77}').color == 77


def test_null_values_are_null_where_enums_are_numbers(with_options, reference):
    """The JSON of a NullValue is null; json_format writes 0."""
    wire = reference.read("codec.v1.Everything", '{"chosenNull": null}')
    assert with_options(enums_as_numbers=True).transcode(wire) == b'{"chosenNull":null}'
    theirs = reference.write("codec.v1.Everything", wire, use_integers_for_enums=True)
    assert json.loads(theirs) == {"chosenNull": 0}


def test_extensions_are_not_written(codec, reference):
    """protobuf-py's types are made without them."""
    wire = reference.read("legacy.v2.Old", '{"[legacy.v2.nickname]": "a", "text": "b"}')
    assert codec.message("legacy.v2.Old").transcode(wire) == b'{"text":"b"}'


def test_the_documentation_lists_the_differences():
    page = (PROTOS.parents[3] / "docs" / "json.md").read_text()
    for difference in REFUSED_HERE.values():
        assert f"`{difference.body}`" in page, difference
        assert difference.why in page


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else_on_their_way_in(everything, body):
    try:
        everything.to_wire(everything.from_json(body))
    except CodecError as refused:
        assert str(refused)  # any other exception fails the test


@given(
    st.recursive(
        st.sampled_from([json.dumps("a"), "1", "null", "true", "1.5", '"\\ud800"', "1e400", "NaN"]),
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda parts: "[" + ",".join(parts) + "]")
            | st.lists(
                st.tuples(st.sampled_from([*fields(), "@type", "value", "1", ""]), inner),
                max_size=4,
            ).map(
                lambda pairs: (
                    "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in pairs) + "}"
                )
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_raises_anything_else_on_its_way_in(everything, body):
    for read in (everything.from_json, everything.json_paths):
        try:
            made = read(body.encode())
        except CodecError as refused:
            str(refused).encode()
            continue
        if read == everything.from_json:
            everything.transcode(everything.to_wire(made))


@given(st.data())
def test_no_bytes_raise_anything_else_on_their_way_out(everything, reference, data):
    """Damaged messages. What is a message after all may differ: upb takes longer varints."""
    wire = bytearray(
        data.draw(filled(reference.registry.message("codec.v1.Everything"))).SerializeToString()
    )
    for _ in range(data.draw(st.integers(0, 3))):
        if wire:
            wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    try:
        everything.transcode(bytes(wire))
    except CodecError as unreadable:
        assert str(unreadable)  # any other exception fails the test
