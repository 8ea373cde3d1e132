"""What tells callers apart, wherever they are counted."""

from __future__ import annotations

import pytest

from gateway.call import Call, Principal
from gateway.policies.caller import caller_of

ADA = Principal("ada", "keys")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (
            {"principal": ADA, "peer": "192.0.2.1"},
            {"principal": ADA, "peer": "192.0.2.2"},
            True,
        ),
        ({"principal": ADA}, {"principal": Principal("ada", "tokens")}, False),
        ({"peer": "192.0.2.1"}, {"peer": "192.0.2.1"}, True),
        ({"peer": "192.0.2.1"}, {"peer": "192.0.2.2"}, False),
        ({"peer": "2001:db8::1"}, {"peer": "2001:db8::2"}, True),
        ({"peer": "2001:db8::1"}, {"peer": "2001:db8:0:1::1"}, False),
        (
            {"principal": Principal("", "authz"), "peer": "192.0.2.1"},
            {"principal": Principal("", "authz"), "peer": "192.0.2.2"},
            False,
        ),
        ({"principal": Principal("192.0.2.1", "")}, {"peer": "192.0.2.1"}, False),
    ],
    ids=[
        *("a-subject-wherever-it-is", "a-subject-of-another-provider", "an-address"),
        *("another-address", "one-site", "another-site", "without-a-name-by-address"),
        "a-subject-that-looks-like-an-address",
    ],
)
def test_who_is_one_caller(one, other, same):
    assert (caller_of(Call("a.B/C", **one)) == caller_of(Call("a.B/C", **other))) is same
