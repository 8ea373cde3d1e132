"""Cookies in heads: a reply that gives one is its client's alone, a socket gives all that it lacks."""

from __future__ import annotations

import pytest

from gateway.cookies import Cookies, IdCookie
from gateway.fronts.given_cookies import give_all, giving, greeted
from gateway.http import Headers, Request

ID = "AAECAwQFBgcICQoLDA0ODw"
STAY, OTHER = IdCookie("stay", 60), IdCookie("other", 90)


def given(*cookies):
    """What an answer gives."""
    made = Cookies(lambda: ID)
    for each in cookies:
        made.give(each, secure=False)
    return made


def handshake(*fields, scheme="http"):
    return Request("GET", "/ws", None, Headers(("cookie", each) for each in fields), scheme=scheme)


class TestReplies:
    @pytest.mark.parametrize("cookies", [None, Cookies()], ids=["none", "none-given"])
    def test_that_give_nothing_are_left_as_they_are(self, cookies):
        headers = [("cache-control", "public, max-age=60")]
        assert giving(headers, cookies) is headers

    def test_have_a_field_for_each_cookie(self):
        lines = [value for name, value in giving((), given(STAY, OTHER)) if name == "set-cookie"]
        assert lines == [STAY.line(ID, secure=False), OTHER.line(ID, secure=False)]

    def test_keep_those_that_others_give(self):
        headers = giving([("set-cookie", "a=b")], given(STAY))
        assert next(value for name, value in headers if name == "set-cookie") == "a=b"

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            pytest.param([], "private", id="nothing-said"),
            pytest.param(["public, max-age=60"], "private, max-age=60", id="public"),
            pytest.param(["max-age=60, s-maxage=600"], "private, max-age=60", id="shared-longer"),
            pytest.param(["private"], "private", id="private-already"),
            pytest.param(["no-store"], "no-store", id="kept-by-nobody"),
            pytest.param(["public", "no-store"], "no-store", id="two-fields"),
        ],
    )
    def test_are_their_clients_alone(self, said, told):
        headers = giving([("cache-control", each) for each in said], given(STAY))
        assert [value for name, value in headers if name == "cache-control"] == [told]


class TestHandshakes:
    def test_give_what_the_client_lacks(self):
        head, headers = greeted(handshake(f"a=b; stay={ID}"), [STAY, OTHER])
        (line,) = [value for name, value in headers if name == "set-cookie"]
        assert line.startswith("other=")
        shown = head.headers.all("cookie")
        assert shown[0].startswith(f"a=b; stay={ID}; other=")
        assert line == OTHER.line(OTHER.shown(shown), secure=False)

    def test_of_clients_that_show_all_are_left_as_they_are(self):
        request = handshake(f"stay={ID}")
        assert greeted(request, [STAY]) == (request, ())
        assert greeted(request, []) == (request, ())

    def test_replace_what_is_no_id(self):
        head, headers = greeted(handshake("stay=10.0.0.1:50051"), [STAY])
        assert headers
        assert STAY.shown(head.headers.all("cookie"))

    def test_by_https_are_secure(self):
        _, headers = greeted(handshake(scheme="https"), [STAY])
        assert dict(headers)["set-cookie"].endswith("; Secure")


def test_a_head_that_leaves_first_gives_what_calls_will_look_for():
    cookies = Cookies(lambda: ID)
    assert give_all(handshake(), [STAY, OTHER], cookies) == [f"stay={ID}", f"other={ID}"]
    assert cookies.give(STAY, secure=False) == ID
    assert len(cookies.lines) == 2
