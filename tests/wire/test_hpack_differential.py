"""HPACK and its Huffman code against the `hpack` package, whatever the input, both ways."""

import hpack as oracle
import pytest
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.huffman_table import decode_huffman
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire import hpack, huffman
from gateway.wire.hpack import CompressionError, Decoder, MalformedError

ENCODER = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)

NAMES = st.one_of(
    st.sampled_from([name for name, _ in hpack.STATIC_TABLE]),
    st.from_regex(r"[!#$%&'*+\-.^_`|~0-9a-z]{1,40}", fullmatch=True),
)
VALUES = st.one_of(
    st.sampled_from([value for _, value in hpack.STATIC_TABLE if value]),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=300).map(str.strip),
)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=12)

# One for all examples: what it keeps of one may not change another.
DECODER = Decoder(blocks=4, fields=8)


def theirs(block):
    """Returns what the oracle reads; None if it can't."""
    decoder = oracle.Decoder(max_header_list_size=2**32)
    decoder.header_table_size = 0
    decoder.max_allowed_table_size = 0
    try:
        return [(bytes(name), bytes(value)) for name, value in decoder.decode(block, raw=True)]
    except oracle.HPACKError:
        return None


@given(PAIRS, st.booleans(), st.lists(st.booleans(), min_size=12, max_size=12))
def test_what_they_write_we_read(pairs, coded, sensitive):
    encoder = oracle.Encoder()
    encoder.header_table_size = 0
    block = encoder.encode(
        [(name, value, never) for (name, value), never in zip(pairs, sensitive, strict=False)],
        huffman=coded,
    )
    for decoder in (Decoder(), DECODER, DECODER, DECODER):
        read = decoder.decode(block).lines
        assert [(line.name, line.value.decode()) for line in read] == pairs


@given(PAIRS)
def test_what_we_write_they_read(pairs):
    expected = [(name.encode(), value.encode()) for name, value in pairs]
    assert theirs(hpack.fields(pairs)) == expected
    assert theirs(b"".join(hpack.field(name, value.encode()) for name, value in pairs)) == expected


FIELD_BYTES = st.one_of(
    st.binary(max_size=4),
    st.integers(0, 255).map(lambda byte: bytes([byte])),
    st.tuples(NAMES, VALUES).map(lambda pair: hpack.fields([pair])),
    st.tuples(st.sampled_from(b"\x00\x10\x40"), st.text("abc", max_size=9), st.binary(max_size=9)).map(
        lambda one: bytes([one[0], 0x80 | len(ENCODER.encode(one[1].encode()))])
        + ENCODER.encode(one[1].encode())
        + bytes([0x80 | len(one[2])])
        + one[2]
    ),
)  # fmt: skip


@given(st.lists(FIELD_BYTES, max_size=8).map(b"".join))
def test_any_block(block):
    """What one can't read, the other can't; what both read is the same."""
    expected = theirs(block)
    for decoder in (Decoder(), DECODER, DECODER):
        try:
            lines = decoder.decode(block).lines
        except CompressionError as failure:
            # Numbers with zeros without end are none to us.
            assert expected is None or "too large" in str(failure)
            continue
        except MalformedError:
            continue  # names that HPACK can carry and HTTP/2 can't
        try:
            read = [(line.name.encode(), line.value) for line in lines]
        except MalformedError as failure:
            assert expected is None or "NUL" in str(failure)
            continue
        assert expected is not None
        assert read == [(name, value.strip(b" \t")) for name, value in expected]


@given(st.binary(max_size=60))
def test_huffman_of_what_they_encode(plain):
    assert huffman.decode(ENCODER.encode(plain)) == plain


@given(st.binary(max_size=60).map(ENCODER.encode), st.data())
def test_huffman_of_what_is_broken(code, data):
    """Cut, with a byte changed, or followed by something."""
    at = data.draw(st.integers(0, max(len(code) - 1, 0)))
    code = data.draw(
        st.sampled_from(
            [code[:at], code[:at] + bytes([255 - (code[at] if code else 0)]) + code[at + 1 :], code + b"\xff"]
        )
    )  # fmt: skip
    agree(code)


@given(st.binary(max_size=20))
def test_huffman_of_any_bytes(code):
    agree(code)


def agree(code):
    try:
        expected = decode_huffman(code)
    except oracle.HPACKDecodingError:
        with pytest.raises(ValueError):
            huffman.decode(code)
    else:
        assert huffman.decode(code) == expected


def test_huffman_of_every_byte_and_every_pair():
    for first in range(256):
        for second in b"\x00aZ\xff":
            plain = bytes([first, second])
            assert huffman.decode(ENCODER.encode(plain)) == plain


def test_what_huffman_keeps_is_bounded():
    """A code that walks through more steps than are kept."""
    for number in range(0, 2**32, 2**32 // 30_000):
        code = number.to_bytes(4, "big")
        try:
            huffman.decode(code)
        except ValueError:
            continue
    assert len(huffman._steps) <= huffman._MOST_STEPS
