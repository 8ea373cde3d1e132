"""Headers: lookups by name, in order, without showing values."""

from gateway.http import Headers, Request
from gateway.http.websocket import asks_for_websocket, offered_subprotocols

HEADERS = Headers([("a", "1"), ("b", "2"), ("a", "3")])


def test_lookups():
    assert HEADERS.get("a") == "1"
    assert HEADERS.all("a") == ["1", "3"]
    assert HEADERS.get("A") is None
    assert HEADERS.all("c") == []
    assert "b" in HEADERS
    assert "c" not in HEADERS
    assert (list(HEADERS), len(HEADERS)) == ([("a", "1"), ("b", "2"), ("a", "3")], 3)
    assert not HEADERS.distinct
    assert Headers([("a", "1"), ("b", "1")]).distinct


def test_values_are_not_shown():
    assert repr(HEADERS) == "Headers(['a', 'b', 'a'])"


def test_what_an_upgrade_asks_for():
    request = Request(
        "GET",
        "/",
        None,
        Headers(
            [
                ("upgrade", "h2c, WebSocket"),
                ("sec-websocket-protocol", "a, b"),
                ("sec-websocket-protocol", "c,"),
            ]
        ),
    )
    assert asks_for_websocket(request)
    assert offered_subprotocols(request) == ["a", "b", "c"]
    plain = Request("GET", "/", None, Headers([("upgrade", "h2c")]))
    assert not asks_for_websocket(plain)
    assert offered_subprotocols(plain) == []
