"""Replies of methods that go away: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), and `Link`."""

import pytest

from gateway.call import Call
from gateway.policies.deprecated import Deprecated

SINCE, SUNSET = 1782777600.0, 1814313600.0  # 2026-06-30, 2027-06-30


def headers(*given, before=None):
    call = Call("a.B/C", reply_headers=before)
    assert Deprecated(*given).admit(call) is None
    return call.reply_headers


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param(
            (SINCE, None, None),
            {"deprecation": "@1782777600"},
            id="rfc-9745-2.1-a-date-of-structured-fields",
        ),
        pytest.param(
            (SINCE, SUNSET, None),
            {"deprecation": "@1782777600", "sunset": "Wed, 30 Jun 2027 00:00:00 GMT"},
            id="rfc-8594-3-an-http-date",
        ),
        pytest.param(
            (SINCE, None, "https://shop.example/v2"),
            {
                "deprecation": "@1782777600",
                "link": '<https://shop.example/v2>; rel="deprecation"',
            },
            id="rfc-9745-3-a-relation-of-link",
        ),
        pytest.param(
            (SINCE, SUNSET, "/v2"),
            {
                "deprecation": "@1782777600",
                "sunset": "Wed, 30 Jun 2027 00:00:00 GMT",
                "link": '</v2>; rel="deprecation", </v2>; rel="sunset"',
            },
            id="rfc-8594-6-and-another",
        ),
    ],
)
def test_it_tells(given, told):
    assert headers(*given) == told


def test_what_others_have_said_stays():
    before = {"x-a": "1", "link": "</other>"}
    assert headers(SINCE, None, "/v2", before=before) == {
        "deprecation": "@1782777600",
        "x-a": "1",
        "link": "</other>",
    }
    assert before == {"x-a": "1", "link": "</other>"}


def test_each_call_has_headers_of_its_own():
    policy = Deprecated(SINCE, None, None)
    one, other = Call("a.B/C"), Call("a.B/C")
    policy.admit(one)
    one.reply_headers["x-a"] = "1"
    policy.admit(other)
    assert other.reply_headers == {"deprecation": "@1782777600"}


def test_it_says_so():
    assert Deprecated(SINCE, SUNSET, None).describe() == (
        "Tells clients that the method goes away, by Deprecation: @1782777600, "
        "Sunset: Wed, 30 Jun 2027 00:00:00 GMT."
    )
