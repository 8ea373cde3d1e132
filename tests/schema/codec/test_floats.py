"""Floats are written with as few digits as tell them apart, wherever they are."""

import json
import math
import struct
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.schema.codec.floats import shortest


def single(value: float) -> float:
    return struct.unpack("<f", struct.pack("<f", value))[0]


def digits(value: float) -> int:
    """The digits that are written, without the zeros at either end."""
    return len(Decimal(repr(value)).normalize().as_tuple().digits)


@given(st.floats(width=32, allow_nan=False))
@example(999999995904.0)
def test_the_float_stays_the_same(value):
    assert single(shortest(value)) == value
    assert digits(shortest(value)) <= digits(value)


@pytest.mark.parametrize("value", [4.3, 0.1, 19.99, 123.456, 1e10, 1.5e-7, 3.4e38, 16777216])
def test_decimals_of_people_come_back(value):
    assert shortest(single(value)) == value


@pytest.mark.parametrize("value", [math.inf, -math.inf, 0.0, -0.0, 3.4028234663852886e38])
def test_what_has_no_shorter_form_stays(value):
    assert repr(shortest(value)) == repr(value)
    assert math.isnan(shortest(math.nan))


@pytest.mark.parametrize(
    "written",
    [
        {"aFloat": 0.1},
        {"chosenFloat": 0.1},
        {"floats": [0.1, 0.0, "NaN", "Infinity"]},
        {"floatsByText": {"a": 0.1, "b": -0.0}},
        {"floatWrapper": 0.1},
        {"aDouble": 0.10000000149011612, "doubles": [0.10000000149011612]},
        {"child": {"aFloat": 0.1}},
        {"children": [{"aFloat": 0.1}, {"chosenChild": {"aFloat": 0.1}}]},
        {"childrenByText": {"a": {"aFloat": 0.1}}},
        {"aFloat": 0.1, "any": {"@type": "example.com/unknown", "value": ""}},
    ],
    ids=json.dumps,
)
def test_everywhere(everything, reference, written):
    body = json.dumps(written)
    if "any" in written:
        wire = everything.to_wire(everything.from_json(b'{"aFloat": 0.1}'))
        wire += b"\x9a\x04\x15\x0a\x13example.com/unknown"
    else:
        wire = reference.read("codec.v1.Everything", body)
    assert json.loads(everything.transcode(wire)) == written


def test_defaults_and_what_is_not_set_stay(everything, reference):
    for body in ('{"chosenFloat": 0}', '{"floatWrapper": 0}', "{}", '{"chosenText": "a"}'):
        wire = reference.read("codec.v1.Everything", body)
        message = everything.from_wire(wire)
        everything.to_json(message)
        assert everything.to_wire(message) == wire


def test_only_types_with_floats_pay(codec):
    assert codec.message("codec.v1.Plain")._writer._round is None
    assert codec.message("codec.v1.Everything")._writer._round is not None
