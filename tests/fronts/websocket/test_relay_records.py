"""Records between two workers: whatever is sent comes whole, in order, however it is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fronts.websocket.relay_records import (
    Arrival,
    Kind,
    Records,
    arrived,
    arriving,
    closed,
    closing,
    record,
)
from gateway.http import Headers, Request
from gateway.http.certificate import Certificate
from tests.fronts.websocket.relays import arrival

RECORDS = st.lists(st.tuples(st.sampled_from(Kind), st.binary(max_size=300)), max_size=20)
LATIN_1 = st.text(st.characters(max_codepoint=255), max_size=20)
NAMES = st.lists(st.text(max_size=20), max_size=3).map(tuple)
REQUESTS = st.builds(
    Request,
    method=LATIN_1,
    path=LATIN_1,
    query=st.none() | LATIN_1,
    headers=st.builds(Headers, st.lists(st.tuples(LATIN_1, LATIN_1), max_size=5)),
    authority=LATIN_1,
    scheme=st.sampled_from(["http", "https"]),
    peer=LATIN_1,
    certificate=st.none()
    | st.builds(
        Certificate,
        subject=st.text(max_size=20),
        uris=NAMES,
        dns=NAMES,
        emails=NAMES,
        fingerprint=LATIN_1,
        expires=st.none() | st.floats(0, 1e10),
        signs=st.booleans(),
    ),
)


@given(RECORDS, st.lists(st.integers(0, 8000)))
def test_records_come_whole_and_in_order_however_they_are_cut(sent, cuts):
    data = b"".join(record(*each) for each in sent)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    records, found = Records(), []
    for begin, end in pairwise(edges):
        found += records.feed(data[begin:end])
    assert found == sent


def test_a_record_is_passed_on_with_its_last_byte_and_not_before():
    records = Records()
    data = record(Kind.TEXT, b"hello") + record(Kind.PING)
    found = [records.feed(data[at : at + 1]) for at in range(len(data))]
    assert [at for at, each in enumerate(found) if each] == [9, 14]


def test_kinds_are_told_apart_by_their_byte():
    assert len({kind.value for kind in Kind}) == len(Kind)
    assert {len(kind.value) for kind in Kind} == {1}


def test_what_is_no_kind_is_a_bug():
    with pytest.raises(ValueError, match="not a valid Kind"):
        Records().feed(b"?\0\0\0\0")


@given(st.integers(1000, 4999), st.text(max_size=200))
def test_a_close_keeps_its_code_and_reason(code, reason):
    assert closed(closing(code, reason)) == (code, reason)


@given(REQUESTS, st.none() | LATIN_1, LATIN_1, st.text(max_size=100))
def test_an_arrival_keeps_every_byte_of_the_handshake(request, subprotocol, framing, session):
    given = Arrival(request, subprotocol, framing, session)
    found = arrived(arriving(given))
    assert list(found.request.headers) == list(request.headers)
    found.request.headers = request.headers
    assert found == given


def test_header_fields_of_one_name_stay_apart():
    found = arrived(arriving(arrival()))
    assert found.request.headers.all("a") == ["1", "2"]
    assert found.request.headers.get("b") == "\xff"
