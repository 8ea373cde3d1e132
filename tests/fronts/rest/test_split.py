"""Cutting a request stream into messages: NDJSON lines, the elements of one array."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import RpcError
from gateway.fronts.rest.split import ArraySplitter, JsonSplitter, LineSplitter

LIMIT = 1000


def split(splitter, *pieces):
    messages = []
    for piece in pieces:
        messages += splitter.feed(piece)
    return messages + splitter.finish()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"", [], id="empty"),
        pytest.param(b'{"a":1}\n{"a":2}\n', [b'{"a":1}', b'{"a":2}'], id="lines"),
        pytest.param(b'{"a":1}\n{"a":2}', [b'{"a":1}', b'{"a":2}'], id="last-line-without-end"),
        pytest.param(b'\n\r\n {"a":1} \r\n\n', [b'{"a":1}'], id="blank-lines-and-cr"),
        pytest.param(b"[1]\n[2]\n", [b"[1]", b"[2]"], id="a-line-may-be-an-array"),
    ],
)
def test_lines(body, expected):
    assert split(LineSplitter(LIMIT), body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"[]", [], id="empty"),
        pytest.param(b" [ ] \n", [], id="empty-with-space"),
        pytest.param(b'[{"a":1},{"a":2}]', [b'{"a":1}', b'{"a":2}'], id="objects"),
        pytest.param(b"[1, [2,3] ,4]", [b"1", b"[2,3]", b"4"], id="nested-array"),
        pytest.param(rb'["a,]\"[", "\\"]', [rb'"a,]\"["', rb'"\\"'], id="strings-hide-brackets"),
        pytest.param(b'[{"a":{"b":[1,2]}}]', [b'{"a":{"b":[1,2]}}'], id="depth"),
    ],
)
def test_array(body, expected):
    assert split(ArraySplitter(LIMIT), body) == expected
    assert split(ArraySplitter(LIMIT), *(body[i : i + 1] for i in range(len(body)))) == expected
    assert split(JsonSplitter(LIMIT), body) == expected


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[1,2", id="cut-in-the-array"),
        pytest.param(b'["a', id="cut-in-a-string"),
        pytest.param(b"[1,]", id="comma-at-the-end"),
        pytest.param(b"[,1]", id="comma-at-the-start"),
        pytest.param(b"[1,,2]", id="two-commas"),
        pytest.param(b"[1] 2", id="more-after-it"),
        pytest.param(b"[1][2]", id="two-arrays"),
        pytest.param(b"{}", id="an-object"),
        pytest.param(b"1", id="a-number"),
        pytest.param(b"[}]", id="bracket-too-many"),
    ],
)
def test_not_an_array(body):
    with pytest.raises(RpcError) as caught:
        split(ArraySplitter(LIMIT), body)
    assert caught.value.reason == "INVALID_JSON"


@pytest.mark.parametrize("kind", [LineSplitter, ArraySplitter, JsonSplitter])
def test_a_message_over_the_limit_is_refused_while_it_arrives(kind):
    splitter = kind(10)
    splitter.feed(b"[" if kind is not LineSplitter else b"")
    with pytest.raises(RpcError) as caught:
        for _ in range(11):
            splitter.feed(b'"' if kind is LineSplitter else b"1")
    assert caught.value.reason == "MESSAGE_TOO_LARGE"


def test_json_that_is_no_array_is_read_by_lines():
    assert split(JsonSplitter(LIMIT), b" \n", b' {"a":1}', b'\n{"a":2}') == [b'{"a":1}', b'{"a":2}']
    assert split(JsonSplitter(LIMIT), b"  ") == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def cut(body, sizes):
    pieces = []
    for size in sizes:
        pieces.append(body[:size])
        body = body[size:]
    return [piece for piece in (*pieces, body) if piece]


@given(st.lists(VALUES), st.lists(st.integers(1, 20)), st.sampled_from([None, 2]))
def test_any_array_in_any_pieces_gives_its_elements(values, sizes, indent):
    body = json.dumps(values, indent=indent).encode()
    messages = split(ArraySplitter(10**6), *cut(body, sizes))
    assert [json.loads(message) for message in messages] == values


@given(st.lists(VALUES), st.lists(st.integers(1, 20)))
def test_any_lines_in_any_pieces_give_their_values(values, sizes):
    body = b"".join(json.dumps(value).encode() + b"\n" for value in values)
    messages = split(LineSplitter(10**6), *cut(body, sizes))
    assert [json.loads(message) for message in messages] == values


@given(
    st.lists(st.binary(min_size=1)), st.sampled_from([LineSplitter, ArraySplitter, JsonSplitter])
)
def test_no_bytes_make_another_exception_than_ours(pieces, kind):
    try:
        split(kind(50), *pieces)
    except RpcError as refusal:
        assert refusal.reason in {"INVALID_JSON", "MESSAGE_TOO_LARGE"}
