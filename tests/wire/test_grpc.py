"""gRPC's fields: times, statuses, messages for people, metadata (grpc/grpc, doc/PROTOCOL-HTTP2.md)."""

import base64
import re
from fractions import Fraction
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.wire import grpc, hpack
from gateway.wire.grpc import AnswerError, Wrong
from gateway.wire.hpack import Decoder
from tests.wire.link import Link, headers

# Requests.

UNITS = {
    "H": Fraction(3600),
    "M": Fraction(60),
    "S": Fraction(1),
    "m": Fraction(1, 1000),
    "u": Fraction(1, 10**6),
    "n": Fraction(1, 10**9),
}


def told(seconds):
    """Reads a timeout as the protocol says: a positive integer of at most 8 digits, and a unit."""
    (line,) = Decoder().decode(grpc.timeout_field(seconds)).lines
    assert line.name == "grpc-timeout"
    match = re.fullmatch(r"([0-9]{1,8})([HMSmun])", line.value.decode("ascii"))
    assert match, line.value
    assert int(match[1]) > 0
    return int(match[1]) * UNITS[match[2]], UNITS[match[2]]


@given(st.floats(min_value=0, max_value=99_999_998 * 3600.0))
@example(0.0)
@example(5e-324)
@example(0.001)
@example(99_999.998)
@example(99_999.999)
@example(100_000.0)
@example(99_999_998.0)
@example(99_999_999.0)
@example(99_999_998 * 60.0)
@example(99_999_999 * 60.0)
@example(99_999_998 * 3600.0)
def test_a_timeout_is_never_shorter_than_the_time_left(seconds):
    """And longer by a unit of what it is written in at most; the backend must not give up first."""
    value, unit = told(seconds)
    slack = Fraction(seconds) / 10**12  # what floating-point arithmetic may lose
    assert Fraction(seconds) - slack <= value <= Fraction(seconds) + unit + slack


@pytest.mark.parametrize(
    ("seconds", "value"),
    [
        (0.0, b"1m"),
        (0.0005, b"1m"),
        (0.0011, b"2m"),
        (1.5, b"1501m"),
        (99_999.9985, b"99999999m"),
        (99_999.9995, b"100000S"),
        (100_000.5, b"100001S"),
        (99_999_998.5, b"99999999S"),
        (99_999_999.5, b"1666667M"),
        (99_999_998.5 * 60, b"99999999M"),
        (99_999_999.5 * 60, b"1666667H"),
        (99_999_998.5 * 3600, b"99999999H"),
        (99_999_999.5 * 3600, b"99999999H"),
        (1e300, b"99999999H"),
    ],
)
def test_the_unit_of_a_timeout(seconds, value):
    """The finest that holds it in 8 digits."""
    assert grpc.timeout_field(seconds) == hpack.field("grpc-timeout", value)


def test_the_block_of_a_method():
    block = grpc.request_block(secure=True, authority="shop:1", path="/a.B/C", agent="us")
    assert [(line.name, line.value) for line in Decoder().decode(block).lines] == [
        (":method", b"POST"),
        (":scheme", b"https"),
        (":path", b"/a.B/C"),
        (":authority", b"shop:1"),
        ("te", b"trailers"),
        ("content-type", b"application/grpc"),
        ("grpc-accept-encoding", b"identity,gzip"),
        ("user-agent", b"us"),
    ]


def test_the_scheme_without_tls():
    block = grpc.request_block(secure=False, authority="a", path="/b", agent="c")
    assert Decoder().decode(block).lines[1].value == b"http"


@given(st.binary(max_size=300))
def test_binary_metadata_there_and_back(value):
    (line,) = Decoder().decode(grpc.metadata_field("x-bin", value)).lines
    assert b"=" not in line.value
    assert list(grpc.values_of(line)) == [value]


def test_text_metadata():
    (line,) = Decoder().decode(grpc.metadata_field("x", "a b")).lines
    assert list(grpc.values_of(line)) == ["a b"]


# Answers.


def section(*pairs, status=None):
    """Returns a field section as a connection gives it."""
    fields = [(":status", str(status))] if status else []
    block = hpack.fields(fields) + b"".join(
        hpack.field(name, value.encode("latin-1")) for name, value in pairs
    )
    found = Decoder().decode(block)
    found.status = status or 0
    return found


def wrong(function, *pairs, status=None):
    with pytest.raises(AnswerError) as caught:
        function(section(*pairs, status=status))
    return caught.value


KIND = ("content-type", "application/grpc")


@pytest.mark.parametrize(
    "kind",
    ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8", "Application/GRPC", "application/grpc+json"],
)  # fmt: skip
def test_content_types_of_grpc(kind):
    assert grpc.head_of(section(("content-type", kind), status=200)) == (b"identity", ())


@pytest.mark.parametrize(
    "kind",
    ["text/html", "", "application/json", "application/grpcx", "application/grpc-web", "application/grp", "xapplication/grpc"],
)  # fmt: skip
def test_content_types_of_others(kind):
    failure = wrong(grpc.head_of, ("content-type", kind), status=200)
    assert failure.wrong is Wrong.PROTOCOL


def test_no_content_type():
    assert wrong(grpc.head_of, status=200).wrong is Wrong.PROTOCOL


def test_the_last_content_type_of_a_head_counts_only_if_it_is_grpcs():
    assert wrong(grpc.head_of, KIND, ("content-type", "text/html"), status=200)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_encodings_that_were_offered(encoding):
    head = grpc.head_of(section(KIND, ("grpc-encoding", encoding), status=200))
    assert head.encoding == encoding.encode()


@pytest.mark.parametrize("encoding", ["deflate", "snappy", "GZIP", "", "gzip,identity"])
def test_encodings_that_were_not_offered(encoding):
    failure = wrong(grpc.head_of, KIND, ("grpc-encoding", encoding), status=200)
    assert failure.wrong is Wrong.PROTOCOL


@pytest.mark.parametrize("status", [204, 301, 400, 404, 429, 500, 503, 599])
def test_other_statuses_than_200(status):
    """The status is known, so that it can be told what it means to gRPC."""
    for function in (grpc.head_of, grpc.ending_of):
        failure = wrong(function, ("content-type", "text/html"), status=status)
        assert (failure.wrong, failure.http_status) == (Wrong.HTTP_STATUS, status)


def test_what_http_statuses_mean():
    """doc/http-grpc-status-mapping.md; what is not in it is UNKNOWN."""
    names = {3: "INVALID_ARGUMENT", 7: "PERMISSION_DENIED", 12: "UNIMPLEMENTED", 13: "INTERNAL", 14: "UNAVAILABLE", 16: "UNAUTHENTICATED"}  # fmt: skip
    table = {
        400: "INTERNAL",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "UNIMPLEMENTED",
        429: "UNAVAILABLE",
        502: "UNAVAILABLE",
        503: "UNAVAILABLE",
        504: "UNAVAILABLE",
    }
    found = {status: names[code] for status, code in grpc.HTTP_STATUSES.items() if status != 431}
    assert found == table
    # Not in the document: what we sent is too large for the server.
    assert names[grpc.HTTP_STATUSES[431]] == "INTERNAL"
    assert grpc.UNKNOWN == 2


@pytest.mark.parametrize(
    ("value", "status"),
    [("0", 0), ("5", 5), ("16", 16), ("17", 17), ("00", 0), ("007", 7), ("999999999", 999_999_999), (" 5\t", 5)],
)  # fmt: skip
def test_statuses(value, status):
    assert grpc.ending_of(section(("grpc-status", value))).status == status


@pytest.mark.parametrize(
    "value", ["", "-1", "+1", "OK", "1.0", "0x1", "1 2", "1000000000", "9" * 5000, "\xb2"]
)
def test_what_is_no_status(value):
    failure = wrong(grpc.ending_of, ("grpc-status", value))
    assert failure.wrong is Wrong.PROTOCOL


def test_trailers_without_a_status():
    assert wrong(grpc.ending_of, ("grpc-message", "x")).wrong is Wrong.PROTOCOL
    assert wrong(grpc.ending_of, KIND, status=200).wrong is Wrong.PROTOCOL


def test_head_and_trailers_in_one():
    ending = grpc.ending_of(
        section(KIND, ("grpc-status", "5"), ("grpc-message", "no"), ("x", "y"), status=200)
    )
    assert (ending.status, ending.message) == (5, "no")
    assert list(grpc.items_of(ending.metadata)) == [("x", "y")]


def test_a_section_is_understood_once():
    """Connections give the same section for the same block."""
    fields = section(KIND, ("grpc-status", "5"), status=200)
    assert grpc.ending_of(fields) is grpc.ending_of(fields)
    head = grpc.head_of(fields)
    assert grpc.head_of(fields) is head
    assert grpc.ending_of(fields).status == 5


def test_a_section_as_a_connection_gives_it():
    link = Link()
    stream = link.request()
    link.sent()
    kept = []
    stream.head = lambda fields, *, end: kept.append(grpc.ending_of(fields))
    link.receive(headers(hpack.fields([(":status", "200"), ("grpc-status", "7")]), end=True))
    assert kept[0].status == 7


# Messages for people.


@given(st.text(max_size=100))
def test_percent_encoding_there_and_back(text):
    """RFC 3986 section 2.1, with all that may stand plain and with all escaped."""
    data = text.encode()
    assert grpc.percent_decoded(quote_from_bytes(data, safe="").encode()) == text
    plain = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
    assert grpc.percent_decoded(quote_from_bytes(data, safe=plain).encode()) == text
    assert grpc.percent_decoded(b"".join(b"%%%02x" % byte for byte in data)) == text


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"", ""),
        (b"a+b", "a+b"),
        (b"%", "%"),
        (b"100%", "100%"),
        (b"%4", "%4"),
        (b"%zz", "%zz"),
        (b"%4g%41", "%4gA"),
        (b"%%41", "%A"),
        (b"%2541", "%41"),
        (b"%c3%a4", "ä"),
        (b"%C3%A4", "ä"),
        (b"%ff", "\ufffd"),
        (b"%c3", "\ufffd"),
        ("ä".encode(), "ä"),
        (b"\xff", "\ufffd"),
        (b"%0d%0a", "\r\n"),
    ],
)
def test_escapes(message, text):
    """What is wrong stays as it is: an error's text must not be lost for an error in it."""
    assert grpc.percent_decoded(message) == text


@given(st.binary(max_size=50))
def test_any_message_is_some_text(message):
    assert len(grpc.percent_decoded(message).encode()) <= 3 * len(message)


# Metadata.


def values(name, value):
    return list(grpc.values_of(section((name, value)).lines[0]))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", [b""]),
        ("YQ==", [b"a"]),
        ("YQ", [b"a"]),
        ("YWI=", [b"ab"]),
        ("YWI", [b"ab"]),
        ("YWJj", [b"abc"]),
        ("+/+/", [b"\xfb\xff\xbf"]),
        ("YQ,YWI=", [b"a", b"ab"]),
        ("YQ==, YWI ,YWJj", [b"a", b"ab", b"abc"]),
        ("YQ,,YQ", [b"a", b"", b"a"]),
    ],
)
def test_binary_values(value, expected):
    """Padded or not, and lists of them."""
    assert values("x-bin", value) == expected


@pytest.mark.parametrize(
    "value", ["Y", "YWJjY", "Y!Q=", "-_-_", "Y Q", "YQ==YQ==", "Y=Q", "\xe4\xe4\xe4\xe4", "YQ,Y"]
)
def test_what_is_no_base64(value):
    with pytest.raises(AnswerError):
        values("x-bin", value)
    assert wrong(grpc.ending_of, ("grpc-status", "0"), ("x-bin", value)).wrong is Wrong.PROTOCOL
    assert wrong(grpc.head_of, KIND, ("x-bin", value), status=200).wrong is Wrong.PROTOCOL


@given(st.lists(st.tuples(st.binary(max_size=20), st.booleans()), min_size=1, max_size=5))
def test_lists_of_binary_values(parts):
    coded = [
        base64.b64encode(value).rstrip(b"=" if bare else b"").decode() for value, bare in parts
    ]
    assert values("x-bin", ",".join(coded)) == [value for value, _ in parts]


def test_text_values_are_what_their_bytes_are():
    assert values("x", "a, \xe4") == ["a, \xe4"]
    assert values("bin", "YQ==") == ["YQ=="]


def test_the_protocols_own_fields_are_no_metadata():
    own = [("grpc-accept-encoding", "gzip"), ("trailer", "x"), ("te", "trailers")]
    head = grpc.head_of(section(KIND, *own, ("a", "1"), ("a", "2"), status=200))
    assert list(grpc.items_of(head.metadata)) == [("a", "1"), ("a", "2")]


def test_what_http_does_not_allow_is_left_out():
    fields = section(("grpc-status", "0"), ("a", "x\ny"), ("b", "1"))
    assert list(grpc.items_of(grpc.ending_of(fields).metadata)) == [("b", "1")]


@pytest.mark.parametrize("name", ["grpc-status", "grpc-message", "x-bin"])
def test_what_http_does_not_allow_in_a_field_that_counts(name):
    pairs = [("grpc-status", "0"), (name, "0\n")]
    assert wrong(grpc.ending_of, *pairs).wrong is Wrong.PROTOCOL
