"""What calls have in common: a key for those that show it, none for those that do not."""

from __future__ import annotations

import pytest

from gateway.call import Call, Principal
from gateway.http import Headers, Request
from gateway.policies.hash_key import by_affinity, key_on
from gateway.policies.request_field import FieldError
from tests.policies.limits.test_keys import ASKED, call

ADA = Principal("ada", "customers")


@pytest.mark.parametrize(
    ("on", "one", "other"),
    [
        pytest.param("header:X-User", call(("x-user", "a")), call(("x-user", "b")), id="header"),
        pytest.param(
            "cookie:sid", call(("cookie", "sid=a; b=c")), call(("cookie", "sid=b")), id="cookie"
        ),
        pytest.param(
            "principal",
            call(principal=ADA),
            call(principal=Principal("ada", "partners")),
            id="principal",
        ),
        pytest.param("peer", call(peer="203.0.113.7"), call(peer="203.0.113.8"), id="peer"),
        pytest.param("field:whose.user_id", call(whose={"user_id": "a"}),
                     call(whose={"user_id": "b"}), id="field"),
        pytest.param("field:amount", call(amount=1), call(amount=2), id="number"),
        pytest.param("field:blob", call(blob=b"\xff"), call(blob=b"\xfe"), id="bytes"),
    ],
)  # fmt: skip
def test_is_the_same_for_the_same_and_another_for_others(on, one, other):
    of = key_on(on, ASKED)
    assert of(one)
    assert of(one) == of(one)
    assert of(one) != of(other)


@pytest.mark.parametrize(
    ("on", "without"),
    [
        pytest.param("header:x-user", call(), id="header"),
        pytest.param("header:x-user", call(("x-user", "")), id="empty-header"),
        pytest.param("cookie:sid", call(("cookie", "a=b")), id="cookie"),
        pytest.param("cookie:sid", call(("cookie", "sid=")), id="empty-cookie"),
        pytest.param("principal", call(peer=""), id="nobody-from-nowhere"),
        pytest.param("peer", call(peer=""), id="unix-socket"),
        pytest.param("field:id", call(id=""), id="field-that-is-not-set"),
        pytest.param("field:amount", call(amount=0), id="number-that-is-not-set"),
        pytest.param("field:id", Call("a.B/C", b"\xff"), id="no-message"),
    ],
)
def test_a_call_that_shows_nothing_has_none(on, without):
    assert key_on(on, ASKED)(without) is None


@pytest.mark.parametrize("on", ["header:a", "cookie:a", "principal", "peer"])
def test_a_call_of_the_gateways_own_has_none(on):
    assert key_on(on)(Call("a.B/C")) is None


def test_a_caller_that_nobody_knows_is_known_by_the_address():
    of = key_on("principal")
    assert of(call(peer="203.0.113.7")) == of(call(peer="203.0.113.7"))
    assert of(call(peer="203.0.113.7")) != of(call(peer="203.0.113.8"))


def test_addresses_of_one_site_are_one():
    of = key_on("peer")
    assert of(call(peer="2001:db8::1")) == of(call(peer="2001:db8::2"))


def test_all_values_of_a_header_count():
    of = key_on("header:a")
    assert of(call(("a", "1"), ("a", "2"))) != of(call(("a", "1"), ("a", "3")))


def test_what_clients_choose_is_bounded():
    assert len(key_on("header:a")(call(("a", "x" * 30000)))) <= 1024
    assert len(key_on("field:id", ASKED)(call(id="x" * 30000))) <= 1024


def test_a_stream_has_no_request_to_look_into():
    assert key_on("field:id")(call(id="x")) is None


@pytest.mark.parametrize("path", ["absent", "tags", "whose", "id.x"])
def test_a_field_must_have_one_value(path):
    with pytest.raises(FieldError):
        key_on(f"field:{path}", ASKED)


def test_bytes_beyond_ascii_are_a_key():
    head = Request("GET", "/", None, Headers([("a", "caf\xe9\udcff")]))
    assert key_on("header:a")(Call("a.B/C", head=head))


def test_the_id_of_an_affinity_is_one():
    assert by_affinity(Call("a.B/C", affinity="x")) == b"x"
    assert by_affinity(Call("a.B/C")) is None
