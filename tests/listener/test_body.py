"""Bodies by their framing: RFC 9112 sections 6 and 7.1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.listener.body import BadBody, ChunkedBody, SizedBody, body_of
from gateway.listener.head import CHUNKED

NEXT = b"GET /next HTTP/1.1\r\n"


def read(body, data, pieces=(), most=16):
    """Feeds `data` cut at `pieces`; returns what came out and what is left."""
    received, out = bytearray(), b""
    at = 0
    for end in [*sorted(pieces), len(data)]:
        received += data[at:end]
        at = max(at, end)
        while piece := body.take(received, most):
            assert len(piece) <= most
            out += piece
    return out, bytes(received)


@pytest.mark.parametrize(
    ("wire", "data"),
    [
        pytest.param(b"0\r\n\r\n", b"", id="empty"),
        pytest.param(b"3\r\nabc\r\n0\r\n\r\n", b"abc", id="one chunk"),
        pytest.param(
            b"3\r\nabc\r\n2\r\n\r\n\r\n0\r\n\r\n", b"abc\r\n", id="data that looks like framing"
        ),
        pytest.param(
            b"00A\r\n0123456789\r\n000\r\n\r\n", b"0123456789", id="leading zeros, upper case"
        ),
        pytest.param(b"1;a=b;c\r\nx\r\n0;d\r\n\r\n", b"x", id="extensions are dropped"),
        pytest.param(b'1 ;a="\xe4"\r\nx\r\n0\r\n\r\n', b"x", id="white space before an extension"),
        pytest.param(b"1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n", b"x", id="trailers are dropped"),
        pytest.param(
            b"14\r\n01234567890123456789\r\n0\r\n\r\n",
            b"0123456789" * 2,
            id="more than is taken at once",
        ),
    ],
)
def test_chunks(wire, data):
    body = ChunkedBody(overhead=100)
    assert read(body, wire + NEXT) == (data, NEXT)
    assert body.done
    for at in range(len(wire)):
        body = ChunkedBody(overhead=100)
        assert read(body, wire + NEXT, [at]) == (data, NEXT)


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"\r\n", id="no size"),
        pytest.param(b"g\r\n", id="no hexadecimal digit"),
        pytest.param(b"-1\r\n", id="a sign"),
        pytest.param(b"0x1\r\nx\r\n", id="a prefix"),
        pytest.param(b" 1\r\nx\r\n", id="white space before the size"),
        pytest.param(b"1 1\r\nx\r\n", id="two sizes"),
        pytest.param(b"1_0\r\nx\r\n", id="an underscore"),
        pytest.param(b"1\nx\r\n", id="a size that ends with LF alone"),
        pytest.param(b"1\r\rx\r\n", id="a size that ends with CR alone"),
        pytest.param(b"1\r\nxy\r\n", id="more data than the size"),
        pytest.param(b"1\r\nx\n0\r\n\r\n", id="data that ends with LF alone"),
        pytest.param(b"1;a\0\r\nx\r\n", id="a control character in an extension"),
        pytest.param(b"10000000000000000\r\n", id="a size beyond 64 bits"),
        pytest.param(b"1;" + b"a" * 101 + b"\r\nx\r\n", id="an extension that is too long"),
        pytest.param(b"1;" + b"a" * 200, id="an extension without an end"),
        pytest.param((b"1;" + b"a" * 40 + b"\r\nx\r\n") * 3, id="extensions too long in all"),
        pytest.param(b"0\r\nA: " + b"b" * 101 + b"\r\n\r\n", id="a trailer that is too long"),
        pytest.param(b"0\r\nA\r\n\r\n", id="a trailer without a colon"),
        pytest.param(b"0\r\nA: b\r\n c\r\n\r\n", id="a folded trailer"),
        pytest.param(b"0\r\n\n", id="an end with LF alone"),
    ],
)
def test_chunks_that_are_refused(wire):
    with pytest.raises(BadBody):
        read(ChunkedBody(overhead=100), wire + NEXT)


def test_what_has_no_end_is_not_done():
    body = ChunkedBody(overhead=100)
    assert read(body, b"3\r\nab") == (b"ab", b"")
    assert not body.done


def test_a_sized_body_takes_its_bytes_and_no_more():
    body = SizedBody(5)
    assert read(body, b"abcde" + NEXT, [2], most=2) == (b"abcde", NEXT)
    assert body.done


def test_a_body_of_no_bytes_is_done_before_it_begins():
    assert body_of(0, 0).done
    assert not body_of(CHUNKED, 0).done


@given(
    st.lists(st.binary(min_size=1, max_size=50)),
    st.lists(st.integers(0, 500)),
    st.integers(1, 40),
)
def test_any_chunks_cut_anywhere_give_their_data(chunks, pieces, most):
    wire = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    cuts = [at for at in pieces if at <= len(wire)]
    assert read(ChunkedBody(100), wire + NEXT, cuts, most) == (b"".join(chunks), NEXT)


@given(st.binary(), st.lists(st.integers(0, 100)))
def test_any_bytes_are_chunks_or_refused_however_they_are_cut(data, pieces):
    def outcome(cuts):
        body = ChunkedBody(overhead=10)
        try:
            return read(body, data, cuts)[0], body.done
        except BadBody:
            return None

    cuts = [at for at in pieces if at <= len(data)]
    assert outcome(cuts) == outcome([])
