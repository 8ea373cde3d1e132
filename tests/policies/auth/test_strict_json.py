"""JSON that can be read in one way only (RFC 8259, RFC 7493)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policies.auth.strict_json import NotStrictError, read

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=10,
)


@given(VALUES, st.booleans())
def test_what_json_can_say_is_read(value, escaped):
    assert read(json.dumps(value, ensure_ascii=escaped).encode(), depth=50) == value


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"a":1,"a":2}', id="a member twice"),
        pytest.param(b'{"a":1,"\\u0061":2}', id="a member twice, once escaped"),
        pytest.param(b'{"x":[{"a":1,"a":1}]}', id="a member twice, within"),
        pytest.param(b"NaN", id="not a number"),
        pytest.param(b"[Infinity]", id="infinity"),
        pytest.param(b"[-Infinity]", id="minus infinity"),
        pytest.param(b"1e999", id="a number beyond floats"),
        pytest.param(b"9" * 5000, id="an integer of 5000 digits"),
        pytest.param(b'"\xff"', id="not UTF-8"),
        pytest.param(b'"\xed\xa0\x80"', id="a surrogate in UTF-8"),
        pytest.param(b'"\xc0\xaf"', id="an overlong form"),
        pytest.param(b'"\\ud800"', id="half a surrogate pair"),
        pytest.param(b'{"\\udc00":1}', id="half a pair as a name"),
        pytest.param("﻿{}".encode(), id="a byte order mark"),
        pytest.param("{}".encode("utf-16"), id="UTF-16"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"{} {}", id="two documents"),
        pytest.param(b"{}x", id="trailing bytes"),
        pytest.param(b"{'a':1}", id="other quotes"),
        pytest.param(b'{"a":1,}', id="a trailing comma"),
        pytest.param(b'["\n"]', id="a line break in a text"),
        pytest.param(b"[" * 34 + b"]" * 34, id="too deep"),
        pytest.param(b"[" * 100_000, id="far too deep"),
        pytest.param(b'{"a":' * 100_000, id="far too deep, objects"),
    ],
)
def test_what_can_be_read_in_several_ways_is_refused(data):
    with pytest.raises(NotStrictError) as refused:
        read(data)
    assert refused.value.__cause__ is None
    assert len(str(refused.value)) < 40, "the text quotes nothing"


def test_depth_counts_objects_and_arrays():
    assert read(b'[{"a":[1]}]', depth=3)
    with pytest.raises(NotStrictError, match="deep"):
        read(b'[{"a":[1]}]', depth=2)


def test_a_pair_of_surrogates_is_a_character():
    assert read(b'"\\ud83d\\ude00"') == "😀"
