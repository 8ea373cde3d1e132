"""The scalars: what is read of literals and variables, what is written, what is refused."""

import pytest
from google.protobuf import (
    any_pb2,
    duration_pb2,
    field_mask_pb2,
    json_format,
    struct_pb2,
    timestamp_pb2,
)
from graphql import GraphQLError, parse_const_value
from hypothesis import given
from hypothesis import strategies as st

from gateway.fronts.graphql.graph.scalars import (
    BYTES,
    DATE_TIME,
    DURATION,
    FIELD_MASK,
    INT64,
    JSON,
    SCALARS,
    UINT32,
    UINT64,
)

TIME_ERROR = "expected a time such as"


def literal(scalar, text):
    return scalar.coerce_input_literal(parse_const_value(text))


@pytest.mark.parametrize(
    ("scalar", "text", "value", "expected"),
    [
        pytest.param(INT64, "5", 5, 5, id="Int64 of an integer"),
        pytest.param(INT64, '"-9223372036854775808"', str(-(2**63)), -(2**63), id="Int64, lowest"),
        pytest.param(INT64, str(2**63 - 1), 2**63 - 1, 2**63 - 1, id="Int64, highest"),
        pytest.param(UINT64, f'"{2**64 - 1}"', str(2**64 - 1), 2**64 - 1, id="UInt64, highest"),
        pytest.param(UINT32, str(2**32 - 1), 2**32 - 1, 2**32 - 1, id="UInt32, highest"),
        pytest.param(BYTES, '"AP8="', "AP8=", b"\0\xff", id="Bytes in base64"),
        pytest.param(BYTES, '"-_8"', "-_8", b"\xfb\xff", id="Bytes in base64url without padding"),
        pytest.param(BYTES, '""', "", b"", id="no Bytes"),
        pytest.param(
            DATE_TIME, '"1970-01-01T00:00:00.000000001Z"', "1970-01-01T00:00:00.000000001Z", (0, 1),
            id="DateTime to the nanosecond",
        ),
        pytest.param(
            DATE_TIME, '"1970-01-01T01:00:00.5+01:00"', "1970-01-01T01:00:00.5+01:00",
            (0, 500_000_000), id="DateTime with an offset",
        ),
        pytest.param(
            DATE_TIME, '"1969-12-31T23:59:59.9Z"', "1969-12-31T23:59:59.9Z", (-1, 900_000_000),
            id="DateTime before 1970: nanoseconds count on",
        ),
        pytest.param(DURATION, '"1.5s"', "1.5s", (1, 500_000_000), id="Duration"),
        pytest.param(DURATION, '"-0.5s"', "-0.5s", (0, -500_000_000), id="Duration below 0"),
        pytest.param(FIELD_MASK, '"a,bC.dE"', "a,bC.dE", ("a", "b_c.d_e"), id="FieldMask"),
        pytest.param(FIELD_MASK, '""', "", (), id="empty FieldMask"),
        pytest.param(
            JSON, '{a: [1, 2.5, "x", true, null]}', {"a": [1, 2.5, "x", True, None]},
            {"a": [1, 2.5, "x", True, None]}, id="JSON",
        ),
    ],
)  # fmt: skip
def test_literals_and_variables_are_read_alike(scalar, text, value, expected):
    for read in (literal(scalar, text), scalar.coerce_input_value(value)):
        assert read == expected
        assert type(read) is type(expected)


@pytest.mark.parametrize(
    ("scalar", "value", "message"),
    [
        pytest.param(INT64, 2**63, "from -9223372036854775808 to", id="Int64 too high"),
        pytest.param(INT64, "1e3", "expected an integer, or a string", id="Int64 with exponent"),
        pytest.param(INT64, "", "expected an integer, or a string", id="Int64 of no digits"),
        pytest.param(INT64, " 1", "expected an integer, or a string", id="Int64 with a space"),
        pytest.param(INT64, "٣", "expected an integer, or a string", id="Int64 of other digits"),
        pytest.param(INT64, True, "expected an integer, or a string", id="Int64 of a boolean"),
        pytest.param(INT64, 1.0, "expected an integer, or a string", id="Int64 of a float"),
        pytest.param(INT64, "9" * 5000, "expected an integer, or a string", id="Int64, endless"),
        pytest.param(UINT64, -1, "from 0 to 18446744073709551615", id="UInt64 below 0"),
        pytest.param(UINT32, 2**32, "expected an integer from 0 to 4294967295", id="UInt32 high"),
        pytest.param(UINT32, "1", "expected an integer from 0", id="UInt32 of a string"),
        pytest.param(BYTES, "AP8=\n", "base64", id="Bytes with a line break"),
        pytest.param(BYTES, "A", "base64", id="Bytes of 6 bits"),
        pytest.param(BYTES, "AP=", "base64", id="Bytes with padding amiss"),
        pytest.param(BYTES, "+_==", "base64", id="Bytes in both alphabets"),
        pytest.param(BYTES, 1, "base64", id="Bytes of a number"),
        pytest.param(DATE_TIME, "2024-02-30T00:00:00Z", TIME_ERROR, id="no such day"),
        pytest.param(DATE_TIME, "2024-01-01", TIME_ERROR, id="a day"),
        pytest.param(DATE_TIME, "2024-01-01T00:00:00", TIME_ERROR, id="no offset"),
        pytest.param(DATE_TIME, "2024-01-01T00:00:00+24:00", TIME_ERROR, id="a day's offset"),
        pytest.param(DATE_TIME, "0001-01-01T00:00:00+00:01", TIME_ERROR, id="before year 1"),
        pytest.param(DATE_TIME, "9999-12-31T23:59:59-00:01", TIME_ERROR, id="after year 9999"),
        pytest.param(DATE_TIME, "2024-01-01T00:00:00.0000000001Z", TIME_ERROR, id="10 digits"),
        pytest.param(DATE_TIME, 0, TIME_ERROR, id="DateTime of a number"),
        pytest.param(DURATION, "1", "expected a duration", id="Duration without s"),
        pytest.param(DURATION, "1.s", "expected a duration", id="Duration without digits"),
        pytest.param(DURATION, "315576000000.1s", "at most 10,000 years", id="Duration too long"),
        pytest.param(FIELD_MASK, "a_b", "lowerCamelCase", id="FieldMask in snake case"),
        pytest.param(FIELD_MASK, "a,", "lowerCamelCase", id="FieldMask with an empty path"),
        pytest.param(FIELD_MASK, ["a"], "lowerCamelCase", id="FieldMask as a list"),
        pytest.param(JSON, float("nan"), "finite", id="JSON, not a number"),
        pytest.param(JSON, 10**400, "doubles", id="JSON, beyond doubles"),
        pytest.param(JSON, {"a": object()}, "expected a JSON value", id="JSON of something else"),
    ],
)  # fmt: skip
def test_other_values_are_refused_and_the_error_says_what_was_expected(scalar, value, message):
    with pytest.raises(GraphQLError, match=message):
        scalar.coerce_input_value(value)


@pytest.mark.parametrize("name", sorted(set(SCALARS) - {"JSON"}))
@pytest.mark.parametrize("text", ["{}", "[]", "[1]", "true", "RED", "1.5", "1" * 5000, '"_"'])
def test_literals_of_other_kinds_are_refused(name, text):
    with pytest.raises(GraphQLError, match="expected"):
        literal(SCALARS[name], text)


def test_json_has_no_enum_values():
    with pytest.raises(GraphQLError, match="names of enum values are strings here"):
        literal(JSON, "{state: RED}")


def test_json_is_100_levels_deep_at_most():
    deep: list = []
    for _ in range(100):
        deep = [deep]
    assert JSON.coerce_input_value(deep) == deep
    assert literal(JSON, "[" * 101 + "]" * 101) == deep
    with pytest.raises(GraphQLError, match="at most 100 levels"):
        JSON.coerce_input_value([deep])
    with pytest.raises(GraphQLError, match="at most 100 levels"):
        literal(JSON, "[" * 102 + "]" * 102)


@given(st.integers(-62_135_596_800, 253_402_300_799), st.integers(0, 999_999_999))
def test_times_are_written_as_protobuf_does_and_read_again(seconds, nanos):
    message = timestamp_pb2.Timestamp(seconds=seconds, nanos=nanos)
    text = DATE_TIME.coerce_output_value(message)
    assert text == message.ToJsonString()
    assert DATE_TIME.coerce_input_value(text) == (seconds, nanos)


@given(st.integers(-315_576_000_000, 315_576_000_000), st.integers(0, 999_999_999))
def test_durations_are_written_as_protobuf_does_and_read_again(seconds, nanos):
    nanos = 0 if abs(seconds) == 315_576_000_000 else nanos if seconds >= 0 else -nanos
    message = duration_pb2.Duration(seconds=seconds, nanos=nanos)
    text = DURATION.coerce_output_value(message)
    assert text == message.ToJsonString()
    assert DURATION.coerce_input_value(text) == (seconds, nanos)


@given(st.text(alphabet="0123456789-:.TZ+ ", max_size=35) | st.datetimes().map(str))
def test_times_are_read_where_protobuf_reads_them_in_the_same_form(text):
    try:
        read = DATE_TIME.coerce_input_value(text)
    except GraphQLError:
        return
    message = timestamp_pb2.Timestamp()
    message.FromJsonString(text)
    assert read == (message.seconds, message.nanos)


@given(st.lists(st.from_regex(r"[a-z]([a-z0-9]|_[a-z]|\.[a-z]){0,6}", fullmatch=True), max_size=3))
def test_masks_are_written_as_protobuf_does_and_read_again(paths):
    message = field_mask_pb2.FieldMask(paths=paths)
    text = FIELD_MASK.coerce_output_value(message)
    assert text == message.ToJsonString()
    assert list(FIELD_MASK.coerce_input_value(text)) == paths


@given(st.binary(max_size=40))
def test_bytes_survive(data):
    text = BYTES.coerce_output_value(data)
    assert BYTES.coerce_input_value(text) == data
    urlsafe = text.replace("+", "-").replace("/", "_")
    assert BYTES.coerce_input_value(urlsafe.rstrip("=")) == data


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(JSON_VALUES)
def test_json_is_written_as_it_was_read(value):
    message = struct_pb2.Value()
    json_format.ParseDict(JSON.coerce_input_value(value), message)
    assert JSON.coerce_output_value(message) == json_format.MessageToDict(message)


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        pytest.param(DATE_TIME, timestamp_pb2.Timestamp(seconds=2**60), id="a time after 9999"),
        pytest.param(DATE_TIME, timestamp_pb2.Timestamp(nanos=-1), id="nanoseconds below 0"),
        pytest.param(DURATION, duration_pb2.Duration(seconds=2**60), id="a long duration"),
        pytest.param(DURATION, duration_pb2.Duration(seconds=1, nanos=-1), id="two signs"),
        pytest.param(FIELD_MASK, field_mask_pb2.FieldMask(paths=["aB"]), id="a camel path"),
        pytest.param(FIELD_MASK, field_mask_pb2.FieldMask(paths=["a_1"]), id="a path with a digit"),
        pytest.param(JSON, struct_pb2.Value(number_value=float("inf")), id="infinity"),
        pytest.param(JSON, any_pb2.Any(type_url="x/no.Such"), id="an Any of unknown type"),
    ],
)
def test_what_has_no_form_is_an_error(scalar, value):
    with pytest.raises(GraphQLError, match="has no form for"):
        scalar.coerce_output_value(value)


def test_an_any_has_its_type_beside_its_fields():
    packed = any_pb2.Any()
    packed.Pack(duration_pb2.Duration(seconds=1))
    assert JSON.coerce_output_value(packed) == {
        "@type": "type.googleapis.com/google.protobuf.Duration",
        "value": "1s",
    }


def test_wide_integers_are_strings_in_answers():
    assert INT64.coerce_output_value(-5) == "-5"
    assert UINT64.coerce_output_value(2**64 - 1) == "18446744073709551615"
    assert UINT32.coerce_output_value(5) == 5
