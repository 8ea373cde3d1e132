"""Packing: what is packed can be unpacked, whole or as it comes, in bounded memory."""

import importlib.util
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gateway.listener import codings
from gateway.listener.codings import SLICE, StreamPacker, missing, pack


def unpack_gzip(data):
    unpacker = zlib.decompressobj(wbits=31)
    made = unpacker.decompress(data)
    assert unpacker.eof
    assert not unpacker.unused_data
    return made


UNPACK = {
    "gzip": unpack_gzip,
    "br": brotli.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompress(data),
}
BODIES = st.binary(max_size=3000) | st.builds(
    lambda word, times: word * times, st.binary(min_size=1, max_size=20), st.integers(1, 5000)
)


@pytest.mark.parametrize("coding", UNPACK)
@given(body=BODIES)
def test_what_is_packed_can_be_unpacked(coding, body):
    assert UNPACK[coding](pack(coding)(body)) == body


@pytest.mark.parametrize("coding", UNPACK)
def test_text_becomes_smaller(coding):
    body = b'{"name": "Lamp", "price": 12}, ' * 100
    assert len(pack(coding)(body)) < len(body) / 10


@given(st.lists(st.binary(min_size=1, max_size=2000), max_size=8))
def test_each_part_of_a_stream_can_be_read_when_it_comes(parts):
    packer, unpacker = StreamPacker(), zlib.decompressobj(wbits=31)
    for part in parts:
        assert unpacker.decompress(b"".join(packer.pieces(part))) == part
    assert unpacker.decompress(packer.end()) == b""
    assert unpacker.eof


@pytest.mark.parametrize("size", [1, SLICE - 1, SLICE, SLICE + 1, 3 * SLICE])
def test_a_large_part_is_packed_in_slices(size):
    packer, body = StreamPacker(), b"0123456789abcdef" * (size // 16) + b"x" * (size % 16)
    pieces = list(packer.pieces(body))
    assert len(pieces) == -(-size // SLICE)
    assert unpack_gzip(b"".join(pieces) + packer.end()) == body


def test_a_coding_whose_library_is_not_there_is_missing(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        codings, "find_spec", lambda name: None if name == "zstandard" else found(name)
    )
    assert [coding for coding in UNPACK if missing(coding)] == ["zstd"]
