"""What a caller may do: scopes, roles, a condition."""

from __future__ import annotations

from dataclasses import replace

import pytest
from google.rpc import error_details_pb2

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


def refused(gate):
    with pytest.raises(RpcError) as failure:
        gate.admit(Call("a.B/C", principal=ADA))
    assert failure.value.status.code is Code.PERMISSION_DENIED
    return failure.value


def told(failure):
    """What programs are told of a refusal."""
    info = error_details_pb2.ErrorInfo.FromString(failure.status.details[0].value)
    return dict(info.metadata)


def test_a_missing_scope_is_named_as_rfc_6750_has_it():
    failure = refused(
        Authorize(scopes=["orders.write", "orders.read"], schemes=["Basic", "Bearer"])
    )
    assert failure.headers == {
        "www-authenticate": 'Bearer realm="gateway", error="insufficient_scope", '
        'scope="orders.write orders.read"'
    }


def test_where_no_tokens_are_accepted_a_missing_scope_is_no_challenge():
    failure = refused(Authorize(scopes=["orders.write"], schemes=["Basic", ""]))
    assert failure.headers == {}
    assert told(failure) == {"scopes": "orders.write"}


def test_roles_that_would_do_are_named():
    failure = refused(Authorize(roles=["support", "admin"]))
    assert failure.status.message == (
        "The caller has no role that the method needs, one of: support, admin."
    )
    assert told(failure) == {"roles": "support admin"}
    assert failure.headers == {}


def test_an_unknown_caller_is_told_how_to_show_itself():
    with pytest.raises(RpcError) as failure:
        Authorize(scopes=["a"], schemes=["Bearer", "Basic"]).admit(Call("a.B/C"))
    assert failure.value.headers == {
        "www-authenticate": 'Bearer realm="gateway", Basic realm="gateway"'
    }
