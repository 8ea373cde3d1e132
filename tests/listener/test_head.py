"""Heads, by the rules of RFC 9110 and RFC 9112 and by the stricter ones of this listener."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.listener.faults import Refused
from gateway.listener.head import CHUNKED, HeadReader

READER = HeadReader()
HOST = b"Host: shop.example\r\n"


def head(line=b"GET / HTTP/1.1", fields=HOST):
    return line + b"\r\n" + fields + b"\r\n"


def parse(data):
    return READER.read(data, "http", "")


def get(target):
    return parse(head(b"GET " + target + b" HTTP/1.1"))[0]


@pytest.mark.parametrize(
    ("target", "path", "query", "authority"),
    [
        pytest.param(b"/v1/a", "/v1/a", None, "shop.example", id="origin form"),
        pytest.param(b"/v1/a?", "/v1/a", "", "shop.example", id="an empty query is one"),
        pytest.param(b"/a?x=1?y", "/a", "x=1?y", "shop.example", id="the first ? divides"),
        pytest.param(
            b"/%2F%zz/../a//", "/%2F%zz/../a//", None, "shop.example", id="nothing is decoded"
        ),
        pytest.param(b"//a/b", "//a/b", None, "shop.example", id="an empty first segment"),
        pytest.param(
            b'/a"<>[]{}|\\^`', '/a"<>[]{}|\\^`', None, "shop.example", id="printable ASCII passes"
        ),
        pytest.param(
            b"http://b.example/x?y", "/x", "y", "b.example", id="absolute form names the host"
        ),
        pytest.param(
            b"HTTPS://b.example:1/x", "/x", None, "b.example:1", id="absolute form with a port"
        ),
        pytest.param(
            b"http://b.example", "/", None, "b.example", id="absolute form without a path"
        ),
        pytest.param(
            b"http://b.example?y", "/", "y", "b.example", id="absolute form with a query alone"
        ),
        pytest.param(b"http://[::1]:80/", "/", None, "[::1]:80", id="absolute form with IPv6"),
    ],
)
def test_target(target, path, query, authority):
    found = get(target)
    assert (found.path, found.query, found.authority) == (path, query, authority)


@pytest.mark.parametrize("target", [b"*", b"http://b.example"])
def test_asterisk_form_is_for_options(target):
    assert parse(head(b"OPTIONS " + target + b" HTTP/1.1"))[0].path == "*"


@pytest.mark.parametrize(
    "host",
    [
        *("", "a", "a.", "a_b", "a:", "a:80", "127.0.0.1:80"),
        *("[::1]", "[::1]:80", "[::ffff:127.0.0.1]:80", "[fe80::1%25eth0]:80"),
    ],
)
def test_a_host_is_a_name_or_an_address_and_perhaps_a_port(host):
    given = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    assert parse(given)[0].authority == host


@pytest.mark.parametrize(
    ("line", "status"),
    [
        pytest.param(b"GET /", 400, id="no version, HTTP/0.9"),
        pytest.param(b"GET", 400, id="one word"),
        pytest.param(b"", 400, id="nothing"),
        pytest.param(b"GET  / HTTP/1.1", 400, id="two spaces"),
        pytest.param(b"GET / HTTP/1.1 ", 400, id="a space at the end"),
        pytest.param(b" GET / HTTP/1.1", 400, id="a space at the start"),
        pytest.param(b"GET\t/\tHTTP/1.1", 400, id="tabs"),
        pytest.param(b"GET /a b HTTP/1.1", 400, id="a space in the target"),
        pytest.param(b"G(T / HTTP/1.1", 400, id="a method that is no token"),
        pytest.param(b"GET / http/1.1", 400, id="lower-case version"),
        pytest.param(b"GET / HTTP/1.10", 400, id="two digits"),
        pytest.param(b"GET / HTTP/11", 400, id="no dot"),
        pytest.param(b"GET / RTSP/1.1", 400, id="another protocol"),
        pytest.param(b"GET / HTTP/0.9", 505, id="0.9"),
        pytest.param(b"GET / HTTP/1.2", 505, id="1.2"),
        pytest.param(b"GET / HTTP/2.0", 505, id="2.0"),
        pytest.param(b"PRI * HTTP/2.0", 505, id="the preface of HTTP/2"),
        pytest.param("GET /ä HTTP/1.1".encode(), 400, id="UTF-8 in the target"),
        pytest.param(b"GET /\xff HTTP/1.1", 400, id="a byte beyond ASCII in the target"),
        pytest.param(b"GET /\x00 HTTP/1.1", 400, id="NUL in the target"),
        pytest.param(b"GET /\x7f HTTP/1.1", 400, id="DEL in the target"),
        pytest.param(b"GET /\r HTTP/1.1", 400, id="a bare CR in the target"),
        pytest.param(b"GET /a#b HTTP/1.1", 400, id="a fragment"),
        pytest.param(b"GET * HTTP/1.1", 400, id="asterisk with GET"),
        pytest.param(b"GET a HTTP/1.1", 400, id="a path without a slash"),
        pytest.param(b"GET ?a HTTP/1.1", 400, id="a query alone"),
        pytest.param(b"GET ftp://a/ HTTP/1.1", 400, id="another scheme"),
        pytest.param(b"GET http:///a HTTP/1.1", 400, id="an absolute form without a host"),
        pytest.param(b"GET http://u@a/ HTTP/1.1", 400, id="user information"),
        pytest.param(b"GET http://a:b/ HTTP/1.1", 400, id="a port that is no number"),
        pytest.param(b"GET http://[a]/ HTTP/1.1", 400, id="a name in brackets"),
        pytest.param(b"CONNECT a:80 HTTP/1.1", 400, id="CONNECT"),
        pytest.param(b"CONNECT / HTTP/1.1", 400, id="CONNECT with a path"),
    ],
)
def test_request_lines_that_are_refused(line, status):
    with pytest.raises(Refused) as refused:
        parse(head(line))
    assert refused.value.fault.status == status


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(b"", id="no Host on 1.1"),
        pytest.param(HOST + HOST, id="two Hosts"),
        pytest.param(HOST + b"HOST: shop.example\r\n", id="two Hosts in two cases"),
        pytest.param(b"Host: a b\r\n", id="a Host with a space"),
        pytest.param(b"Host: a, b\r\n", id="a Host that is a list"),
        pytest.param(b"Host: u@a\r\n", id="a Host with a user"),
        pytest.param(b"Host: a/b\r\n", id="a Host with a path"),
        pytest.param(b"Host: \xe4\r\n", id="a Host beyond ASCII"),
        pytest.param(b"Host: a:b\r\n", id="a Host whose port is no number"),
        pytest.param(b"Host: a:80:b\r\n", id="a Host with two colons"),
        pytest.param(b"Host: ::1\r\n", id="an IPv6 address without brackets"),
        pytest.param(b"Host: [cafe.de]\r\n", id="a name in brackets"),
        pytest.param(b"Host: [::1]a\r\n", id="a Host that goes on behind its brackets"),
        pytest.param(b"Host: [::1\r\n", id="a bracket alone"),
        pytest.param(HOST + b"a : b\r\n", id="a space before the colon"),
        pytest.param(HOST + b"a b: c\r\n", id="a space in a name"),
        pytest.param(HOST + b": b\r\n", id="no name"),
        pytest.param(HOST + b"abc\r\n", id="no colon"),
        pytest.param(HOST + b"a: b\r\n c\r\n", id="a folded field"),
        pytest.param(HOST + b"a: b\r\n\tc\r\n", id="a field folded by a tab"),
        pytest.param(b" " + HOST, id="white space before the first field"),
        pytest.param(HOST + b"a: b\rc\r\n", id="a bare CR"),
        pytest.param(HOST + b"a: b\nc: d\r\n", id="a bare LF"),
        pytest.param(HOST + b"a: b\0\r\n", id="NUL in a value"),
        pytest.param(HOST + b"a: \x1b[0m\r\n", id="an escape in a value"),
        pytest.param(HOST + b"a: \x7f\r\n", id="DEL in a value"),
        pytest.param(HOST + "ä: b\r\n".encode(), id="a name beyond ASCII"),
        pytest.param(HOST + b"Content-Type: a/b\r\nContent-Type: c/d\r\n", id="two Content-Types"),
        pytest.param(
            HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n", id="two Content-Lengths"
        ),
        pytest.param(HOST + b"Content-Length: 1, 1\r\n", id="a list of lengths"),
        pytest.param(HOST + b"Content-Length: +1\r\n", id="a length with a sign"),
        pytest.param(HOST + b"Content-Length: -1\r\n", id="a negative length"),
        pytest.param(HOST + b"Content-Length: 0x1\r\n", id="a hexadecimal length"),
        pytest.param(HOST + b"Content-Length: 1_0\r\n", id="a length with an underscore"),
        pytest.param(HOST + "Content-Length: \u0661\r\n".encode(), id="a length in other digits"),
        pytest.param(HOST + b"Content-Length:\r\n", id="an empty length"),
        pytest.param(
            HOST + b"Content-Length: " + b"9" * 30 + b"\r\n", id="a length beyond 64 bits"
        ),
        pytest.param(HOST + b"Transfer-Encoding: gzip, chunked\r\n", id="TE gzip, chunked"),
        pytest.param(HOST + b"Transfer-Encoding: chunked, chunked\r\n", id="TE chunked twice"),
        pytest.param(
            HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", id="two TEs"
        ),
        pytest.param(HOST + b"Transfer-Encoding: identity\r\n", id="TE identity"),
        pytest.param(HOST + b"Transfer-Encoding: xchunked\r\n", id="TE xchunked"),
        pytest.param(HOST + b"Transfer-Encoding: \x0bchunked\r\n", id="TE with a vertical tab"),
        pytest.param(HOST + b"Transfer-Encoding: chunked;q=1\r\n", id="TE with a parameter"),
        pytest.param(HOST + b"Transfer-Encoding:\r\n", id="empty TE"),
        pytest.param(HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", id="TE and CL"),
        pytest.param(HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", id="CL and TE"),
    ],
)
def test_fields_that_are_refused(fields):
    with pytest.raises(Refused) as refused:
        parse(head(fields=fields))
    assert refused.value.fault.status == 400


def test_transfer_encoding_is_not_of_1_0():
    with pytest.raises(Refused):
        parse(head(b"POST / HTTP/1.0", HOST + b"Transfer-Encoding: chunked\r\n"))


def test_1_0_needs_no_host():
    request, fields = parse(head(b"GET / HTTP/1.0", b""))
    assert fields.http10
    assert request.authority == ""


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        pytest.param(b"", 0, id="no body"),
        pytest.param(b"Content-Length: 0\r\n", 0, id="zero"),
        pytest.param(b"Content-Length:  042 \r\n", 42, id="leading zeros and white space"),
        pytest.param(b"Transfer-Encoding: Chunked\r\n", CHUNKED, id="codings are case-insensitive"),
    ],
)
def test_length(fields, length):
    assert parse(head(fields=HOST + fields))[1].length == length


@pytest.mark.parametrize(
    ("line", "field", "expects"),
    [
        pytest.param(b"PUT / HTTP/1.1", b"Expect: 100-Continue\r\n", True, id="1.1"),
        pytest.param(b"PUT / HTTP/1.0", b"Expect: 100-continue\r\n", False, id="ignored on 1.0"),
        pytest.param(b"PUT / HTTP/1.1", b"", False, id="none"),
    ],
)
def test_expect(line, field, expects):
    assert parse(head(line, HOST + field))[1].expects_continue is expects


def test_another_expectation_is_417():
    with pytest.raises(Refused) as refused:
        parse(head(fields=HOST + b"Expect: 200-ok\r\n"))
    assert refused.value.fault.status == 417


def test_fields_are_kept_as_received():
    found, _ = parse(head(fields=HOST + b"X-A:1\r\nx-a: \t2 \t\r\nX-B: \xe4\t\xff\r\nX-C:\r\n"))
    assert list(found.headers) == [
        ("host", "shop.example"),
        ("x-a", "1"),
        ("x-a", "2"),
        ("x-b", "ä\tÿ"),
        ("x-c", ""),
    ]


@given(st.binary() | st.binary().map(lambda tail: b"GET / HTTP/1.1\r\n" + HOST + tail))
def test_any_bytes_are_a_head_or_refused(data):
    try:
        found, _ = parse(data + b"\r\n\r\n")
    except Refused as refused:
        assert refused.fault.status in {400, 417, 505}
    else:
        assert found.path.startswith("/") or found.path == "*"


def test_the_same_fields_are_read_once_and_shared():
    fields = HOST + b"Authorization: secret\r\n"
    first, second = parse(head(fields=fields)), parse(head(b"GET /b HTTP/1.1", fields))
    assert first[0].headers is second[0].headers
    assert (first[0].path, second[0].path) == ("/", "/b")


def test_fields_of_another_version_are_not_the_same():
    assert not parse(head())[1].http10
    assert parse(head(b"GET / HTTP/1.0"))[1].http10


# What llhttp takes for the end of its connection, or of HTTP.
SPOILING = [
    b"",
    b"Connection: close\r\n",
    b"Proxy-Connection: close\r\n",
    b"Upgrade: x\r\n",
    b"Connection: upgrade\r\nUpgrade: x\r\n",
]


@given(st.binary(max_size=40), st.sampled_from(SPOILING))
def test_no_head_spoils_the_reading_of_the_next(data, field):
    """One parser reads the heads of all connections."""
    parse(head(fields=HOST + field))
    for sent in (head(b"GET /" + data + b" HTTP/1.1", HOST + field), data, head(fields=data)):
        try:
            parse(sent)
        except Refused:
            continue
    for fields in (b"", b"Content-Length: 3\r\n", field, b"Transfer-Encoding: chunked\r\n"):
        for method in (b"GET", b"POST"):
            request, _ = parse(head(method + b" /next HTTP/1.1", HOST + fields))
            assert (request.method, request.path) == (method.decode(), "/next")


@pytest.mark.parametrize(
    ("line", "fields", "closes"),
    [
        pytest.param(b"GET / HTTP/1.1", b"", False, id="1.1"),
        pytest.param(b"GET / HTTP/1.1", b"Connection: keep-alive\r\n", False, id="1.1 keep-alive"),
        pytest.param(b"GET / HTTP/1.1", b"Connection: CLOSE\r\n", True, id="1.1 close"),
        pytest.param(b"GET / HTTP/1.1", b"Connection: a, close\r\n", True, id="among others"),
        pytest.param(b"GET / HTTP/1.1", b"Connection: closed\r\n", False, id="another word"),
        pytest.param(b"GET / HTTP/1.0", b"", True, id="1.0"),
        pytest.param(b"GET / HTTP/1.0", b"Connection: Keep-Alive\r\n", False, id="1.0 keep-alive"),
        pytest.param(
            b"GET / HTTP/1.0", b"Connection: keep-alive, close\r\n", True, id="1.0 with both"
        ),
    ],
)
def test_closes(line, fields, closes):
    assert parse(head(line, HOST + fields))[1].closes is closes
