"""The gate by which a client stays: ids are found, given once, and given to nobody who shares."""

from __future__ import annotations

import pytest

from gateway.call import Call
from gateway.cookies import Cookies, IdCookie
from gateway.http import Headers, Request
from gateway.policies.affinity import Affinity

ID = "AAECAwQFBgcICQoLDA0ODw"
NEW = "_-7d3Nvd3Nvd3Nvd3Nvd3A"
STAY = IdCookie("gw-stay", 3600)


def asked(*fields, scheme="http", cookies=None):
    """A call of a request with these Cookie fields, that has passed the gate."""
    head = Request("GET", "/", None, Headers(("cookie", each) for each in fields), scheme=scheme)
    call = Call("a.B/C", head=head, cookies=cookies)
    Affinity(STAY).admit(call)
    return call


def giving():
    return Cookies(lambda: NEW)


def test_a_client_that_shows_an_id_has_that():
    cookies = giving()
    assert asked(f"a=b; gw-stay={ID}", cookies=cookies).affinity == ID
    assert cookies.lines == []


@pytest.mark.parametrize("fields", [[], ["other=1"], ["gw-stay=10.0.0.1:50051"]],
                         ids=["no-cookies", "others", "no-id"])  # fmt: skip
def test_a_client_without_one_is_given_one(fields):
    cookies = giving()
    assert asked(*fields, cookies=cookies).affinity == NEW
    assert cookies.lines == [STAY.line(NEW, secure=False)]


def test_by_https_it_is_secure():
    cookies = giving()
    asked(scheme="https", cookies=cookies)
    assert cookies.lines == [STAY.line(NEW, secure=True)]


def test_calls_of_one_request_have_one_id():
    cookies = Cookies()
    assert asked(cookies=cookies).affinity == asked(cookies=cookies).affinity
    assert len(cookies.lines) == 1


def test_a_call_that_can_give_nothing_has_none():
    assert asked().affinity == ""


def test_but_it_has_the_one_that_it_shows():
    assert asked(f"gw-stay={ID}").affinity == ID


def test_a_call_of_the_gateways_own_has_none():
    call = Call("a.B/C")
    Affinity(STAY).admit(call)
    assert call.affinity == ""


def test_a_repr_tells_no_id():
    assert ID not in repr(asked(f"gw-stay={ID}"))
