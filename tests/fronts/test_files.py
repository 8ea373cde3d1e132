"""Files for browsers: whole or known, packed or not, and what browsers are held to."""

import gzip

import pytest

from gateway.call import RpcError
from gateway.fronts.files import File, answer
from gateway.http import Headers, Request

BODY = b"export const a = 1;" * 10
FILE = File.of(BODY, "text/javascript; charset=utf-8", [("cache-control", "no-cache")])
PACKED = File.of(gzip.compress(BODY), "text/javascript", packed=True)


class Exchange:
    """A request, and how it was answered."""

    record = None  # nothing is noted

    def __init__(self, method="GET", *headers):
        self.request = Request(method, "/ws/client.js", None, Headers(headers))

    def respond(self, status, headers, body, kept=None):
        self.status, self.headers, self.body, self.kept = status, dict(headers), body, kept


def asked(*headers, method="GET", file=FILE):
    exchange = Exchange(method, *headers)
    answer(exchange, file)
    return exchange


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        (None, False),
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("identity", False),
    ],
)
def test_what_is_packed_beforehand_is_for_those_who_take_that(accepted, packed):
    reply = asked(*([("accept-encoding", accepted)] if accepted else []), file=PACKED)
    assert reply.status == 200
    assert (gzip.decompress(reply.body) if packed else reply.body) == BODY
    assert reply.headers.get("content-encoding") == ("gzip" if packed else None)
    assert reply.headers["vary"] == "accept-encoding"
    assert reply.headers["etag"] == f'"{PACKED.digest}{";gzip" if packed else ""}"'


@pytest.mark.parametrize("accepted", ["gzip", "gzip;q=0.5, br", "br"])
def test_what_else_is_packed_in_is_left_to_the_listener(accepted):
    reply = asked(("accept-encoding", accepted))
    assert reply.body == BODY
    assert reply.headers["etag"] == f'"{FILE.digest}"'
    assert "content-encoding" not in reply.headers


@pytest.mark.parametrize(
    "file", [File.of(BODY, "text/plain"), File.of(gzip.compress(BODY), "text/plain", packed=True)]
)
def test_what_the_listener_packs_it_in_is_kept_with_it(file):
    kept = asked(file=file).kept
    kept.forms.keep(("br", kept.form), b"packed")
    again = asked(file=file).kept
    assert again.forms.get(("br", again.form)) == b"packed"
    assert asked().kept.forms.get(("br", again.form)) is None, "another file"


def test_what_goes_out_packed_is_not_to_be_packed():
    assert asked(("accept-encoding", "gzip"), file=PACKED).kept is None


@pytest.mark.parametrize("known", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
def test_who_has_it_is_told_so(known):
    tag = FILE.digest
    assert asked(("if-none-match", known.format(tag))).status == 304
    assert asked(("if-none-match", '"other"')).status == 200


@pytest.mark.parametrize("known", ['"{}"', '"{};gzip"', 'W/"{};gzip"'])
def test_who_has_it_packed_is_told_so_whether_the_listener_reads_tags_or_not(known):
    asks = ("accept-encoding", "gzip"), ("if-none-match", known.format(PACKED.digest))
    assert asked(*asks, file=PACKED).status == 304


def test_another_content_is_another_file():
    assert File.of(b"a", "text/plain").digest != File.of(b"b", "text/plain").digest


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_is_only_read(method):
    with pytest.raises(RpcError) as refused:
        asked(method=method)
    assert refused.value.reason == "METHOD_NOT_ALLOWED"
    assert refused.value.headers == {"allow": "GET, HEAD"}


def test_browsers_are_held_to_what_it_is_for():
    headers = asked().headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == "no-cache"
    assert headers["content-type"] == "text/javascript; charset=utf-8"
    assert headers["x-request-id"]
