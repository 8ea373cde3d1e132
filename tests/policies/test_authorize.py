"""What a caller may do: scopes, roles, a condition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.call import Call, Code, RpcError
from gateway.policies.authorize import Authorize
from tests.policies.auth.callers import ADA


class When:
    def __init__(self, value):
        self.value = value

    def allows(self, call):
        return self.value


def outcome(gate, principal):
    try:
        gate.admit(Call("a.B/C", principal=principal))
    except RpcError as failure:
        return failure.reason
    return None


WRITER = replace(ADA, scopes=frozenset({"orders.read", "orders.write"}))


@pytest.mark.parametrize(
    ("given", "principal", "reason"),
    [
        ({"scopes": ["orders.read"]}, ADA, None),
        ({"scopes": ["orders.read", "orders.write"]}, WRITER, None),
        ({"scopes": ["orders.read", "orders.write"]}, ADA, "INSUFFICIENT_SCOPE"),
        ({"scopes": ["orders"]}, ADA, "INSUFFICIENT_SCOPE"),
        ({"scopes": ["orders.read"]}, None, "CREDENTIALS_MISSING"),
        ({"roles": ["admin", "clerk"]}, ADA, None),
        ({"roles": ["admin"]}, ADA, "ROLE_MISSING"),
        ({"roles": ["admin"]}, None, "CREDENTIALS_MISSING"),
        ({"when": When(True)}, ADA, None),
        ({"when": When(True)}, None, None),
        ({"when": When(False)}, ADA, "CONDITION_FAILED"),
        ({"when": When(False)}, None, "CREDENTIALS_MISSING"),
        ({"scopes": ["orders.read"], "roles": ["admin"]}, ADA, "ROLE_MISSING"),
        ({"scopes": ["orders.read"], "when": When(False)}, ADA, "CONDITION_FAILED"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_needed(given, principal, reason):
    assert outcome(Authorize(**given), principal) == reason


def test_a_missing_scope_is_named_as_rfc_6750_has_it():
    with pytest.raises(RpcError) as failure:
        Authorize(scopes=["orders.write", "orders.read"]).admit(Call("a.B/C", principal=ADA))
    assert failure.value.status.code is Code.PERMISSION_DENIED
    assert failure.value.headers == {
        "www-authenticate": 'Bearer realm="gateway", error="insufficient_scope", '
        'scope="orders.write orders.read"'
    }


def test_an_unknown_caller_is_told_how_to_show_itself():
    with pytest.raises(RpcError) as failure:
        Authorize(scopes=["a"], schemes=["Bearer", "Basic"]).admit(Call("a.B/C"))
    assert failure.value.headers == {
        "www-authenticate": 'Bearer realm="gateway", Basic realm="gateway"'
    }
