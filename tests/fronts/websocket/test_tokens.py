"""Tokens in a handshake, by docs/websocket.md's "Tokens"."""

import base64
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import RpcError
from gateway.fronts.websocket.tokens import shown_by, subprotocol_of, token_of
from gateway.http import Headers, Request

SERVED = ("grpcws.v1.json", "grpcws.v1.proto")
SECRET = "s3cr3t.tok-en_~+/=="


def handshake(*subprotocols, authorization=None, fields=()):
    headers = [("sec-websocket-protocol", value) for value in subprotocols]
    if authorization is not None:
        headers.append(("authorization", authorization))
    return Request("GET", "/ws", None, Headers([*headers, *fields]))


def bearer(token):
    return "bearer." + base64.urlsafe_b64encode(token.encode("latin-1")).decode().rstrip("=")


class TestTokenOf:
    @pytest.mark.parametrize(
        ("request_", "token"),
        [
            pytest.param(handshake(), None, id="none"),
            pytest.param(handshake(authorization=f"Bearer {SECRET}"), SECRET, id="header"),
            pytest.param(handshake(authorization=f"bEARER  {SECRET} "), SECRET, id="any-case"),
            pytest.param(handshake(authorization="Basic dTpw"), None, id="another-scheme"),
            pytest.param(handshake(authorization="Bearer"), None, id="scheme-alone"),
            pytest.param(handshake(bearer(SECRET)), SECRET, id="subprotocol"),
            pytest.param(handshake(f"a, {bearer(SECRET)},b"), SECRET, id="among-others"),
            pytest.param(handshake("a", bearer(SECRET)), SECRET, id="in-a-second-field"),
            pytest.param(handshake("Bearer, foobar"), "foobar", id="pair"),
            pytest.param(handshake("Bearer,foobar"), "foobar", id="pair-without-space"),
            pytest.param(handshake("a, Bearer, foobar, b"), "foobar", id="pair-among-others"),
            pytest.param(handshake("Bearer"), None, id="half-a-pair"),
        ],
    )
    def test_a_token_is_found(self, request_, token):
        assert token_of(request_) == token

    def test_the_header_comes_first(self):
        request = handshake(f"Bearer, two, {bearer('one')}", authorization="Bearer zero")
        assert token_of(request) == "zero"

    def test_then_the_subprotocol(self):
        assert token_of(handshake(f"Bearer, two, {bearer('one')}")) == "one"

    def test_a_header_of_another_scheme_leaves_the_word_to_the_subprotocol(self):
        assert token_of(handshake(bearer("one"), authorization="Basic dTpw")) == "one"

    @pytest.mark.parametrize(
        "offered",
        [
            pytest.param("bearer.", id="empty"),
            pytest.param("bearer.YQ==", id="padded"),
            pytest.param("bearer.a+b/", id="other-alphabet"),
            pytest.param("bearer.A", id="no-length"),
            pytest.param(bearer("a b"), id="space"),
            pytest.param(bearer("a\r\nb"), id="line-end"),
            pytest.param(bearer("\xe9"), id="beyond-ascii"),
            pytest.param("Bearer, \xe9", id="pair-beyond-ascii"),
        ],
    )
    def test_what_is_no_token_is_refused(self, offered):
        with pytest.raises(RpcError) as caught:
            token_of(handshake(offered))
        assert caught.value.reason == "INVALID_METADATA"

    def test_an_error_does_not_tell_the_token(self, caplog):
        caplog.set_level(logging.DEBUG)
        with pytest.raises(RpcError) as caught:
            token_of(handshake("bearer.c2VjcmV0+"))
        assert "c2VjcmV0" not in f"{caught.value!r} {caught.value} {caplog.text}"

    @given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1))
    def test_any_token_comes_through_a_subprotocol(self, token):
        assert token_of(handshake(bearer(token))) == token

    @given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF)))
    def test_any_offer_has_a_token_none_or_an_error(self, offered):
        try:
            token = token_of(handshake(offered))
        except RpcError as failure:
            assert failure.reason == "INVALID_METADATA"
        else:
            assert token is None or (token.isascii() and token.isprintable() and " " not in token)


class TestSubprotocolOf:
    @pytest.mark.parametrize(
        ("offered", "chosen"),
        [
            pytest.param([], None, id="none-offered"),
            pytest.param(["other"], None, id="none-served"),
            pytest.param(
                ["other", "grpcws.v1.proto", "grpcws.v1.json"], "grpcws.v1.proto", id="1st"
            ),
            pytest.param([bearer("t"), "grpcws.v1.json"], "grpcws.v1.json", id="beside-a-token"),
            pytest.param([bearer("t")], None, id="a-token-alone"),
            pytest.param(["Bearer", "t"], "Bearer", id="pair"),
            pytest.param(["Bearer", "t", "grpcws.v1.json"], "grpcws.v1.json", id="pair-and-served"),
            pytest.param(["Bearer", "grpcws.v1.json"], "Bearer", id="token-that-looks-served"),
            pytest.param(["Bearer"], None, id="half-a-pair"),
        ],
    )
    def test_one_is_chosen(self, offered, chosen):
        assert subprotocol_of(offered, SERVED) == chosen


class TestShownBy:
    def fields(self, request):
        return [value for key, value in request.headers if key == "authorization"]

    @pytest.mark.parametrize(
        ("request_", "shown"),
        [
            pytest.param(handshake(), [f"Bearer {SECRET}"], id="nothing-there"),
            pytest.param(
                handshake(authorization="Basic dTpw"), [f"Bearer {SECRET}"], id="another-scheme"
            ),
            pytest.param(
                handshake(authorization="Bearer old"), [f"Bearer {SECRET}"], id="another-token"
            ),
            pytest.param(
                handshake(
                    authorization="Bearer old",
                    fields=[("authorization", "Basic dTpw"), ("authorization", "x")],
                ),
                [f"Bearer {SECRET}"],
                id="several",
            ),
            pytest.param(
                handshake(authorization=f"bearer  {SECRET}"), [f"bearer  {SECRET}"], id="itself"
            ),
        ],
    )
    def test_it_stands_where_providers_look(self, request_, shown):
        assert self.fields(shown_by(request_, SECRET)) == shown

    def test_all_else_stays(self):
        request = Request(
            "GET", "/ws", "a=b", Headers([("cookie", "c=d"), ("x-api-key", "k")]), peer="192.0.2.1"
        )
        made = shown_by(request, SECRET)
        assert (made.path, made.query, made.peer) == ("/ws", "a=b", "192.0.2.1")
        assert made.headers.get("cookie") == "c=d"
        assert made.headers.get("x-api-key") == "k"

    def test_two_headers_are_left_to_providers_to_judge(self):
        request = handshake(
            authorization=f"Bearer {SECRET}", fields=[("authorization", "Bearer other")]
        )
        assert self.fields(shown_by(request, SECRET)) == [f"Bearer {SECRET}", "Bearer other"]

    def test_the_handshake_is_not_changed(self):
        request = handshake()
        shown_by(request, SECRET)
        assert self.fields(request) == []

    def test_it_is_in_no_repr(self):
        assert SECRET not in repr(shown_by(handshake(), SECRET))
