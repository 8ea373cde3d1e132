"""Field blocks: the examples and limits of RFC 7541, and what the caches may keep."""

import pytest

from gateway.wire import hpack
from gateway.wire.hpack import CompressionError, Decoder, Field, MalformedError
from gateway.wire.recent import Recent


def lines(block, decoder=None):
    return [(line.name, line.value) for line in (decoder or Decoder()).decode(bytes(block)).lines]


def literal(name, value, kind=0):
    return bytes([kind, len(name)]) + name + bytes([len(value)]) + value


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        pytest.param("400a637573746f6d2d6b65790d637573746f6d2d686561646572", [("custom-key", b"custom-header")], id="C.2.1 literal with indexing"),
        pytest.param("040c2f73616d706c652f70617468", [(":path", b"/sample/path")], id="C.2.2 literal without indexing"),
        pytest.param("100870617373776f726406736563726574", [("password", b"secret")], id="C.2.3 literal never indexed"),
        pytest.param("82", [(":method", b"GET")], id="C.2.4 indexed"),
        pytest.param("828684410f7777772e6578616d706c652e636f6d", [(":method", b"GET"), (":scheme", b"http"), (":path", b"/"), (":authority", b"www.example.com")], id="C.3.1 a request"),
        pytest.param("828684418cf1e3c2e5f23a6ba0ab90f4ff", [(":method", b"GET"), (":scheme", b"http"), (":path", b"/"), (":authority", b"www.example.com")], id="C.4.1 a request with Huffman"),
        pytest.param("4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d", [(":status", b"302"), ("cache-control", b"private"), ("date", b"Mon, 21 Oct 2013 20:13:21 GMT"), ("location", b"https://www.example.com")], id="C.5.1 a response"),
        pytest.param("488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3", [(":status", b"302"), ("cache-control", b"private"), ("date", b"Mon, 21 Oct 2013 20:13:21 GMT"), ("location", b"https://www.example.com")], id="C.6.1 a response with Huffman"),
        pytest.param("", [], id="an empty block"),
        pytest.param("2088", [(":status", b"200")], id="6.3 a table of no size"),
        pytest.param("202088", [(":status", b"200")], id="4.2 a table of no size, twice"),
        pytest.param("000000", None, id="2.1 an empty name"),
        pytest.param("bd", [("www-authenticate", b"")], id="the last of the static table"),
    ],
)  # fmt: skip
def test_blocks_of_the_rfc(block, expected):
    block = bytes.fromhex(block)
    if expected is None:
        with pytest.raises(MalformedError):
            Decoder().decode(block)
        return
    decoder = Decoder()
    for _ in range(3):  # read, put together from fields, and as a whole
        assert lines(block, decoder) == expected


@pytest.mark.parametrize(
    "block",
    [
        pytest.param("80", id="6.1 the index 0"),
        pytest.param("be", id="6.1 the first index of the dynamic table"),
        pytest.param("ff00", id="6.1 index 127"),
        pytest.param("ffffffffff0f", id="5.1 an index of 2^32"),
        pytest.param("ff80808080808000", id="5.1 a number with zeros without end"),
        pytest.param("ff" + "80" * 1000 + "01", id="5.1 a number of 7000 bits"),
        pytest.param("ff" + "ff" * 4, id="5.1 a number without its end"),
        pytest.param("ff", id="5.1 a prefix alone"),
        pytest.param("7f00" + "00", id="6.2.1 a name by an index of 63"),
        pytest.param("0f2f00", id="6.2.2 a name by an index of 62"),
        pytest.param("04", id="6.2 a name alone"),
        pytest.param("0405abcd", id="5.2 a value cut short"),
        pytest.param("0005abcd", id="5.2 a name cut short"),
        pytest.param("000161", id="5.2 a name without a value"),
        pytest.param("00", id="6.2 nothing behind a literal"),
        pytest.param("40", id="6.2 nothing behind a literal with indexing"),
        pytest.param("047fffffff7f", id="5.2 a value of 2^28 bytes"),
        pytest.param("007fffffffff7f", id="5.2 a name of 2^35 bytes"),
        pytest.param("21", id="6.3 a table of 1 byte"),
        pytest.param("3fe11f", id="6.3 a table of 4096 bytes"),
        pytest.param("3fffffffff0f", id="6.3 a table of 2^32 bytes"),
        pytest.param("8820", id="4.2 a table size behind a field"),
        pytest.param("0082ffff0161", id="5.2 a Huffman name of ones only"),
        pytest.param("00821fff0161", id="5.2 padding of a Huffman name that is too long"),
        pytest.param("0084ffffffff0161", id="5.2 EOS in a Huffman name"),
        pytest.param("00811e0161", id="5.2 padding of a Huffman name by zeros"),
    ],
)
def test_blocks_that_can_not_be_decoded(block):
    """Section 2.3.3 and others: the connection ends. However often they come."""
    decoder = Decoder()
    for _ in range(3):
        with pytest.raises(CompressionError):
            decoder.decode(bytes.fromhex(block))


def test_a_block_cut_short_anywhere():
    """No cut within a field is taken for its end."""
    block = literal(b"first", b"one") + bytes.fromhex("4803333032") + literal(b"x" * 20, b"y" * 20)
    decoder = Decoder()
    whole = lines(block, decoder)
    ends = {0: 0, len(literal(b"first", b"one")): 1, len(literal(b"first", b"one")) + 5: 2}
    for at in range(len(block)):
        if at in ends:
            assert lines(block[:at], decoder) == whole[: ends[at]]
        else:
            with pytest.raises(CompressionError):
                decoder.decode(block[:at])


@pytest.mark.parametrize("bad", [b"\0", b"\r", b"\n"])
def test_values_that_http_does_not_allow_are_refused_when_they_are_read(bad):
    """RFC 9113 section 8.2.1. Nobody reads most values, so nobody pays for a look at them."""
    (line,) = Decoder().decode(literal(b"x", b"a" + bad + b"b")).lines
    for _ in range(2):
        with pytest.raises(MalformedError):
            _ = line.value


@pytest.mark.parametrize(
    "code", [b"\xff\xff", b"\x1f\xff", b"\xff\xff\xff\xff", b"\x1e"], ids=lambda code: code.hex()
)
def test_a_huffman_value_that_is_none_is_refused_when_it_is_read(code):
    block = b"\x00\x01x" + bytes([0x80 | len(code)]) + code
    (line,) = Decoder().decode(block).lines
    for _ in range(2):
        with pytest.raises(MalformedError):
            _ = line.value


def test_white_space_around_values_is_stripped():
    assert lines(literal(b"x", b" \t a b\t ")) == [("x", b"a b")]


def test_a_repr_does_not_tell_values():
    assert "secret" not in repr(Decoder().decode(literal(b"x", b"secret")))


@pytest.mark.parametrize("count", [256, 257])
@pytest.mark.parametrize("field", [b"\x88", literal(b"x", b"y"), b"\x0f\x2b\x01y"], ids=bytes.hex)
def test_the_most_fields(count, field):
    decoder = Decoder(most_fields=256)
    for _ in range(3):
        if count > 256:
            with pytest.raises(CompressionError):
                decoder.decode(field * count)
        else:
            assert len(decoder.decode(field * count).lines) == count


def test_the_size_of_a_section():
    """RFC 9113 section 6.5.2: 32 bytes a field, and its bytes; here as they came."""
    assert Decoder().decode(b"\x88" + literal(b"ab", b"cde")).size == 1 + 32 + 8 + 32


# The caches.


def test_a_block_that_comes_again_is_the_same_section():
    """What higher layers made of it is not made again."""
    decoder = Decoder()
    block = b"\x88" + literal(b"server", b"x")
    decoder.decode(block)  # the fields are new
    known = decoder.decode(block)
    assert decoder.decode(block) is known


def test_fields_in_another_order_are_another_section():
    decoder = Decoder()
    one, two = literal(b"a", b"1"), literal(b"b", b"2")
    for _ in range(3):
        assert lines(one + two, decoder) == [("a", b"1"), ("b", b"2")]
        assert lines(two + one, decoder) == [("b", b"2"), ("a", b"1")]
        assert lines(one + one, decoder) == [("a", b"1"), ("a", b"1")]
        assert lines(one, decoder) == [("a", b"1")]


@pytest.mark.parametrize("kind", [0x00, 0x10, 0x40])
def test_forms_of_a_field_are_kept_apart(kind):
    """Never indexed, not indexed and indexed: each by its bytes, all with the same meaning."""
    decoder = Decoder()
    for form in (0x00, 0x10, 0x40, kind, 0x00, 0x10, 0x40):
        assert lines(literal(b"a", b"1", form), decoder) == [("a", b"1")]
        assert lines(literal(b"a", b"2", form), decoder) == [("a", b"2")]
        assert lines(bytes([form | 0x08]) + b"\x03404", decoder) == [(":status", b"404")]


def test_a_field_that_begins_like_one_that_is_kept():
    """A number of two bytes behind its prefix is not taken for one of one."""
    decoder = Decoder()
    assert lines(literal(b"x", b"abc"), decoder) == [("x", b"abc")]
    long = b"v" * 300
    block = b"\x00\x01x\x7f" + bytes([(300 - 127) & 0x7F | 0x80, (300 - 127) >> 7]) + long
    index = b"\x0f\xa0\x00\x01a"  # 15 + 32, in more bytes than it needs
    for _ in range(3):
        assert lines(block, decoder) == [("x", long)]
        assert lines(block + literal(b"x", b"abc"), decoder) == [("x", long), ("x", b"abc")]
        assert lines(index, decoder) == [("max-forwards", b"a")]
        assert lines(b"\x0f\x20\x01a", decoder) == [("max-forwards", b"a")]


def test_a_plain_name_is_not_taken_for_a_coded_one():
    """The same bytes, by the bit that tells."""
    coded = b"\x1f"  # "a" in Huffman code, 5 bits and padding
    decoder = Decoder()
    for _ in range(2):
        assert lines(b"\x00\x81" + coded + b"\x01x", decoder) == [("a", b"x")]
        with pytest.raises(MalformedError):
            decoder.decode(b"\x00\x01" + coded + b"\x01x")
        assert lines(b"\x00\x01\x41".replace(b"A", b"b") + b"\x81" + coded, decoder) == [
            ("b", b"a")
        ]
        assert lines(b"\x00\x01b\x01" + b"a", decoder) == [("b", b"a")]


def test_what_is_kept_is_bounded():
    """A peer that never says the same thing twice."""
    decoder = Decoder(blocks=10, fields=20)
    for number in range(500):
        block = literal(b"n%d" % number, b"v%d" % number)
        for _ in range(3):
            assert lines(block, decoder) == [(f"n{number}", b"v%d" % number)]
    assert len(decoder._blocks) <= 20
    assert len(decoder._fields) <= 40
    assert len(decoder._names) <= 40


def test_what_is_large_is_not_kept():
    decoder = Decoder()
    value = b"v" * 100
    many = b"".join(literal(b"n%d" % number, value) for number in range(12))
    long = b"\x00\x7f" + bytes([300 - 127 & 0x7F | 0x80, 300 - 127 >> 7]) + b"n" * 300 + b"\x01a"
    for _ in range(3):
        assert len(lines(many, decoder)) == 12
        assert lines(long, decoder) == [("n" * 300, b"a")]
    assert len(decoder._blocks) == 0
    assert len(decoder._fields) == 12
    assert len(decoder._names) == 12


def test_recent_forgets_what_is_not_asked_for():
    recent = Recent(2)
    recent.put("a", 1)
    for number in range(10):
        recent.put(number, number)
        assert recent.get("a") == 1
        assert len(recent) <= 4
    assert recent.get(0) is None
    assert recent.get("never") is None


def test_recent_holds_as_many_as_it_says():
    recent = Recent(5)
    for number in range(5):
        recent.put(number, number)
    assert [recent.get(number) for number in range(5)] == list(range(5))


# Writing.


def test_fields_that_the_static_table_has_whole_are_one_byte():
    assert hpack.fields([(":method", "POST"), (":status", "200")]) == b"\x83\x88"


def test_names_that_the_static_table_has_are_indexed():
    assert hpack.field("content-type", b"a") == b"\x0f\x10\x01a"
    assert hpack.field(":path", b"/x") == b"\x04\x02/x"


@pytest.mark.parametrize("name", ["authorization", "cookie", "proxy-authorization", "x-api-key"])
def test_secrets_are_never_indexed(name):
    """RFC 7541 section 7.1.3."""
    assert hpack.field(name, b"secret")[0] & 0xF0 == 0x10


@pytest.mark.parametrize("length", [0, 1, 126, 127, 128, 254, 255, 16_383, 16_384, 70_000])
def test_lengths(length):
    """Section 5.1: what fits in the prefix, and what goes on behind it."""
    block = hpack.field("x", b"v" * length)
    assert lines(block) == [("x", b"v" * length)]


def test_a_field_keeps_its_value():
    line = Field("x", b"a")
    assert line.value is line.value
