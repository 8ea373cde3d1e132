"""What a call's field block says, as a decoder that is not ours reads it."""

import base64

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Call, Metadata, RpcError
from gateway.upstream.channel import request_block
from gateway.upstream.channel.request_block import RequestBlocks


def blocks(**arguments):
    given_ = {"secure": False, "authority": "catalog:50051", "agent": "gateway 1", **arguments}
    return RequestBlocks(**given_)


def decoded(block):
    """Returns a block's fields; the decoder has no dynamic table, so nothing may be indexed."""
    decoder = hpack.Decoder()
    decoder.max_allowed_table_size = 0
    decoder.header_table_size = 0
    fields = decoder.decode(block, raw=True)
    assert not decoder.header_table.dynamic_entries
    return [(name.decode(), value.decode()) for name, value in fields]


def test_a_call_begins_with_the_fields_of_grpc():
    """grpc/grpc, doc/PROTOCOL-HTTP2.md, "Requests"."""
    assert decoded(blocks().block(Call("shop.v1.Catalog/GetProduct"), None)) == [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/shop.v1.Catalog/GetProduct"),
        (":authority", "catalog:50051"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("grpc-accept-encoding", "identity,gzip"),
        ("user-agent", "gateway 1"),
    ]


def test_with_tls_the_scheme_is_https():
    assert (":scheme", "https") in decoded(blocks(secure=True).block(Call("a/B"), None))


@pytest.mark.parametrize(
    ("seconds", "value"),
    [
        (1e-9, "1m"),
        (0.0011, "2m"),
        (1.5, "1501m"),
        (99_999, "99999001m"),
        (100_000, "100001S"),
        (99_999_999, "1666667M"),
        (99_999_999 * 60, "1666667H"),
        (1e300, "99999999H"),
    ],
)
def test_the_time_that_is_left_is_rounded_up_and_never_nothing(seconds, value):
    """At most 8 digits, then a unit."""
    fields = dict(decoded(blocks().block(Call("a/B"), seconds)))
    assert fields["grpc-timeout"] == value


@given(st.floats(min_value=1e-9, max_value=1e12))
def test_no_backend_is_given_less_time_than_there_is(seconds):
    value = dict(decoded(blocks().block(Call("a/B"), seconds)))["grpc-timeout"]
    number, unit = int(value[:-1]), value[-1]
    told = number * {"m": 0.001, "S": 1, "M": 60, "H": 3600}[unit]
    assert 0 < number <= 99_999_999
    assert told >= min(seconds, 99_999_999 * 3600)


def test_metadata_follows_in_order_and_binary_values_are_base64_without_padding():
    metadata = Metadata([("x-b", "2"), ("x-a", "1"), ("x-b", "3"), ("x-bin", b"\xab\xab")])
    assert decoded(blocks().block(Call("a/B", metadata=metadata), None))[8:] == [
        ("x-b", "2"),
        ("x-a", "1"),
        ("x-b", "3"),
        ("x-bin", "q6s"),
    ]


KEYS = st.text("abcdefghijklmnopqrstuvwxyz0123456789_.-", min_size=1, max_size=40)
ENTRIES = st.one_of(
    st.tuples(
        KEYS.filter(lambda key: not key.endswith("-bin")),
        st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=300),
    ),
    st.tuples(KEYS.map(lambda key: f"{key}-bin"), st.binary(max_size=300)),
)


@given(st.lists(st.lists(ENTRIES, max_size=5), max_size=5))
def test_any_metadata_arrives_also_from_what_was_kept(calls):
    made = blocks()
    for entries in [*calls, *calls]:
        fields = decoded(made.block(Call("a/B", metadata=Metadata(entries)), None))[8:]
        arrived = [
            (
                key,
                base64.b64decode(value + "=" * (-len(value) % 4))
                if key.endswith("-bin")
                else value,
            )
            for key, value in fields
        ]
        assert arrived == entries


@pytest.mark.parametrize("name", ["authorization", "cookie", "x-api-key", "proxy-authorization"])
def test_no_one_on_the_way_may_keep_credentials(name):
    """RFC 7541, 6.2.3 and 7.1.3."""
    block = blocks().block(Call("a/B", metadata=Metadata([(name, "secret")])), None)
    fields = hpack.Decoder().decode(block, raw=True)
    assert not fields[-1].indexable
    assert fields[-1][1] == b"secret"


@pytest.mark.parametrize(
    "entry",
    [
        ("Upper", "x"),
        ("x y", "x"),
        (":path", "/"),
        ("", "x"),
        ("x", "a\nb"),
        ("x", "é"),
        ("x", b"x"),
    ],
)
def test_what_grpc_cannot_carry_is_refused_each_time(entry):
    made = blocks()
    for _ in range(2):
        with pytest.raises(RpcError) as refused:
            made.block(Call("a/B", metadata=Metadata([("fine", "1"), entry])), None)
        assert refused.value.reason == "INVALID_METADATA"


def test_what_is_kept_is_bounded():
    made = blocks()
    for number in range(10_000):
        metadata = Metadata([("x-request-id", str(number)), ("x-large", f"{number}" * 5000)])
        made.block(Call(f"a/B{number}", metadata=metadata), None)
    assert 0 < len(made._methods) <= 2 * request_block._METHODS
    assert len(made._entries) <= 2 * request_block._ENTRIES
    kept = (*made._entries.young, *made._entries._old)
    assert not any(len(value) > request_block._LONGEST for _, value in kept)


@pytest.mark.parametrize("value", ["short", "long" * 100, bytes(100)], ids=["short", "long", "bin"])
def test_nothing_is_kept_of_a_name_that_is_too_long(value):
    made = blocks()
    key = "x" * request_block._LONGEST_NAME + ("-bin" if isinstance(value, bytes) else "-")
    for _ in range(2):
        made.block(Call("a/B", metadata=Metadata([(key, value)])), None)
    assert not len(made._names)
    assert not len(made._entries)
