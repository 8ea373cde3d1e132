"""The JSON that is taken from clients: RFC 8259, strictly, and no deeper than fits."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fronts.graphql.serve.json_text import MAX_DEPTH, MAX_VALUES, JsonError, loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)  # fmt: skip


@given(VALUES, st.booleans())
def test_what_json_writes_is_read(value, ascii_only):
    assert loads(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.text() | st.text('[]{}":,\\ u0d8fn1eE.-', max_size=60))
def test_what_is_read_is_what_json_reads(text):
    try:
        value = loads(text)
    except JsonError:
        return
    assert value == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"{} {}", id="two"),
        pytest.param(b"{'a': 1}", id="single-quotes"),
        pytest.param(b"[1,]", id="comma-at-the-end"),
        pytest.param(b'"a\nb"', id="raw-control-character"),
        pytest.param(b"\xff", id="not-utf-8"),
        pytest.param('{"a": 1}'.encode("utf-16"), id="utf-16"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte-order-mark"),
        pytest.param(b'"\xed\xa0\x80"', id="surrogate-in-utf-8"),
        pytest.param(b"1" * 5000, id="integer-of-thousands-of-digits"),
        pytest.param(b"\x00", id="nul"),
    ],
)
def test_what_is_no_json(text):
    with pytest.raises(JsonError, match="it is not JSON in UTF-8"):
        loads(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(b'{"a": 1, "a": 1}', "a key twice", id="duplicate-key"),
        pytest.param(b'[{"\\u0061": 1, "a": 2}]', "a key twice", id="duplicate-by-escape"),
        pytest.param(b"NaN", "NaN and Infinity", id="nan"),
        pytest.param(b"[-Infinity]", "NaN and Infinity", id="infinity"),
        pytest.param(b"1e999", "too large", id="infinite-by-its-size"),
        pytest.param(b'"\\ud800"', "surrogate", id="lone-surrogate"),
        pytest.param(b'{"\\uDC00": 1}', "surrogate", id="lone-surrogate-in-a-key"),
    ],
)
def test_what_is_json_and_not_taken(text, why):
    with pytest.raises(JsonError, match=why):
        loads(text)


def test_a_surrogate_pair_is_a_character():
    assert loads(b'"\\ud83c\\udfca"') == "🏊"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_depth(opening, closing):
    levels = len(opening.replace('"a":', ""))
    deepest = MAX_DEPTH // levels
    assert loads(opening * deepest + "1" + closing * deepest)
    for times in (deepest + 1, 500, 30_000):
        with pytest.raises(JsonError, match=f"deeper than {MAX_DEPTH} levels"):
            loads(opening * times + "1" + closing * times)


def test_brackets_in_strings_are_no_levels():
    assert loads(json.dumps('[{"\\' * 1000)) == '[{"\\' * 1000


def test_many_values_side_by_side_are_no_levels():
    assert len(loads("[" + ",".join(["[{}]"] * 10_000) + "]")) == 10_000


def test_a_long_text_of_escapes_needs_no_memory_to_be_measured():
    text = "[" * 70 + '"' + '\\"[' * 500_000 + '"' + "]" * 70
    with pytest.raises(JsonError, match="deeper"):
        loads(text)


@pytest.mark.parametrize("piece", ["1", "[]", "{}", '"a"'])
def test_how_many_values(piece):
    counted = 2 if piece in {"[]", "{}"} else 1  # itself, and as an entry of the list
    most = MAX_VALUES // counted
    assert len(loads(f"[{','.join([piece] * most)}]")) == most
    with pytest.raises(JsonError, match=f"more than {MAX_VALUES} values"):
        loads(f"[{','.join([piece] * (most + 1))}]")


def test_commas_in_strings_are_no_values():
    text = ",[{" * MAX_VALUES
    assert loads(json.dumps([text, '"' + text])) == [text, '"' + text]
