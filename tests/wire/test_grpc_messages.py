"""Messages in content: prefixes, cuts, sizes, gzip (grpc/grpc, doc/PROTOCOL-HTTP2.md)."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.grpc import AnswerError, Messages, Wrong, inflated, prefixed, whole

MOST = 1000


def wrong(function, *arguments):
    with pytest.raises(AnswerError) as caught:
        function(*arguments)
    return caught.value.wrong


def test_the_prefix():
    assert prefixed(b"") == b"\0\0\0\0\0"
    assert prefixed(bytes(0x10203)) == b"\0\0\1\2\3" + bytes(0x10203)


@given(st.lists(st.tuples(st.sampled_from([0, 1]), st.binary(max_size=20)), max_size=5), st.data())
def test_messages_however_they_are_cut(messages, data):
    content = b"".join(
        bytes([flag]) + len(message).to_bytes(4, "big") + message for flag, message in messages
    )
    reader, found = Messages(MOST, b"gzip"), []
    while content:
        size = data.draw(st.integers(1, len(content)))
        found += reader.feed(content[:size])
        reader.check()
        content = content[size:]
    assert found == messages
    assert not reader.partial


def test_messages_cut_at_every_byte():
    content = prefixed(b"") + prefixed(b"abc") + prefixed(b"de")
    ends = {0, 5, 13, 20}
    for at in range(len(content) + 1):
        reader = Messages(MOST, b"identity")
        found = reader.feed(content[:at])
        assert reader.partial == (at not in ends)
        assert found + reader.feed(content[at:]) == [(0, b""), (0, b"abc"), (0, b"de")]
        assert not reader.partial


def test_a_byte_at_a_time():
    reader = Messages(MOST, b"identity")
    found = [reader.feed(bytes([byte])) for byte in prefixed(b"abc")]
    assert found == [[]] * 7 + [[(0, b"abc")]]


def test_the_largest_message():
    reader = Messages(MOST, b"identity")
    assert reader.feed(prefixed(bytes(MOST))) == [(0, bytes(MOST))]


def test_a_message_that_is_too_large_is_known_by_its_prefix():
    """Nothing waits for gigabytes that are promised."""
    for length in (MOST + 1, 2**31, 2**32 - 1):
        reader = Messages(MOST, b"identity")
        assert reader.feed(b"\0" + length.to_bytes(4, "big")) == []
        assert wrong(reader.check) is Wrong.TOO_LARGE


def test_a_message_that_is_too_large_behind_others():
    reader = Messages(MOST, b"identity")
    assert reader.feed(prefixed(b"a") + prefixed(bytes(MOST + 1))) == [(0, b"a")]
    assert wrong(reader.check) is Wrong.TOO_LARGE


# Compression.


def test_a_message_that_is_not_compressed_stays():
    for encoding in (b"identity", b"gzip"):
        assert Messages(MOST, encoding).plain(0, b"abc") == b"abc"


def test_a_message_that_is():
    assert Messages(MOST, b"gzip").plain(1, gzip.compress(b"abc")) == b"abc"


@pytest.mark.parametrize("flag", [1, 2, 255])
def test_a_flag_without_an_encoding(flag):
    assert wrong(Messages(MOST, b"identity").plain, flag, gzip.compress(b"a")) is Wrong.PROTOCOL


@pytest.mark.parametrize("flag", [2, 3, 128, 255])
def test_flags_that_mean_nothing(flag):
    assert wrong(Messages(MOST, b"gzip").plain, flag, gzip.compress(b"a")) is Wrong.PROTOCOL


@given(st.binary(max_size=MOST), st.integers(0, 9))
def test_gzip_there_and_back(message, level):
    assert inflated(gzip.compress(message, level), MOST) == message


@pytest.mark.parametrize("size", [0, 1, MOST - 1, MOST, MOST + 1, 100 * MOST])
@pytest.mark.parametrize("level", [0, 9])
def test_the_limit_is_that_of_the_plain_message(size, level):
    coded = gzip.compress(bytes(size), level)
    if size <= MOST:
        assert inflated(coded, MOST) == bytes(size)
    else:
        assert wrong(inflated, coded, MOST) is Wrong.TOO_LARGE


def test_no_bytes_allowed():
    assert inflated(gzip.compress(b""), 0) == b""
    assert wrong(inflated, gzip.compress(b"a"), 0) is Wrong.TOO_LARGE


def test_a_bomb():
    """Each layer a thousand times the one within; a little more than the limit is unpacked."""
    bomb = gzip.compress(bytes(100_000_000), 9)
    assert len(bomb) < 100_000
    assert wrong(inflated, bomb, MOST) is Wrong.TOO_LARGE


def test_gzip_cut_anywhere():
    coded = gzip.compress(b"some text, some text, some text", 9)
    for at in range(len(coded)):
        assert wrong(inflated, coded[:at], MOST) is Wrong.PROTOCOL


@pytest.mark.parametrize(
    "tail", [b"\0", b"garbage", gzip.compress(b"more")], ids=["NUL", "garbage", "another"]
)
def test_gzip_followed_by_something(tail):
    assert wrong(inflated, gzip.compress(b"abc") + tail, MOST) is Wrong.PROTOCOL


@pytest.mark.parametrize(
    "coded",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"plain", id="plain"),
        pytest.param(zlib.compress(b"abc"), id="zlib"),
        pytest.param(gzip.compress(b"abc")[:-8] + bytes(8), id="a wrong checksum"),
    ],
)
def test_what_is_no_gzip(coded):
    assert wrong(inflated, coded, MOST) is Wrong.PROTOCOL


@given(st.binary(max_size=60), st.integers(0, 59), st.integers(0, 255))
def test_gzip_with_a_byte_changed(message, at, byte):
    """Something, or an error that is known."""
    coded = bytearray(gzip.compress(message))
    coded[at % len(coded)] = byte
    try:
        assert len(inflated(bytes(coded), MOST)) <= MOST
    except AnswerError as failure:
        assert failure.wrong in {Wrong.PROTOCOL, Wrong.TOO_LARGE}


# Content that is one message.


@given(st.binary(max_size=20))
def test_whole_is_what_one_message_is(data):
    reader = Messages(MOST, b"identity")
    message = whole(prefixed(data), MOST)
    assert reader.feed(prefixed(data)) == [(0, message)]
    assert message == data


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\0\0\0\0", id="part of a prefix"),
        pytest.param(prefixed(b"abc")[:-1], id="part of a message"),
        pytest.param(prefixed(b"abc") + b"x", id="more than a message"),
        pytest.param(prefixed(b"a") * 2, id="two messages"),
        pytest.param(b"\1" + prefixed(b"abc")[1:], id="compressed"),
        pytest.param(prefixed(bytes(MOST + 1)), id="too large"),
    ],
)
def test_whole_leaves_the_rest_to_messages(content):
    assert whole(content, MOST) is None
