"""Configs and outcomes: who is let in to a method, to sockets and to pages, by what is shown."""

from __future__ import annotations

import asyncio

import pytest

from gateway.app.identity import Identities, is_open_to_all
from gateway.call import Call, Principal, RpcError
from gateway.config.effective import AUTHENTICATE, ROLES, SCOPES, WHEN, Setting, Settings
from tests.policies.auth.callers import Fake, FakeGuard, head

ADA, BOB = Principal("ada", "customers"), Principal("bob", "partners")
NOBODY, CUSTOMER, PARTNER = (), (("x-a", "ada"),), (("x-b", "bob"),)
BAD, OTHER = (("x-a", "bad"),), (("x-a", "other:issuer"),)


def identities():
    return Identities(
        {
            "customers": Fake("customers", header="x-a", people={"ada": ADA}),
            "partners": Fake("partners", header="x-b", people={"bob": BOB}),
        },
        FakeGuard(),
    )


def settings(**leaves):
    named = {
        "authenticate": AUTHENTICATE,
        "scopes": SCOPES,
        "roles": ROLES,
        "when": WHEN,
    }
    return Settings({named[name]: Setting(value, "here") for name, value in leaves.items()})


def outcome(gate, fields):
    """The subject of the caller, None for nobody, or the reason of the refusal."""
    if gate is None:
        return "open"
    call = Call("x.S/M", head=head(*fields))

    async def admitted():
        if (pending := gate.admit(call)) is not None:
            await pending

    try:
        asyncio.run(admitted())
    except RpcError as refusal:
        return refusal.reason
    return call.principal and call.principal.subject


@pytest.mark.parametrize(
    ("authenticate", "fields", "expected"),
    [
        pytest.param(None, NOBODY, "CREDENTIALS_MISSING", id="closed-where-nothing-is-said"),
        pytest.param(None, CUSTOMER, "ada", id="any-provider-where-nothing-is-said"),
        pytest.param(None, PARTNER, "bob", id="the-other-one-too"),
        pytest.param(None, BAD, "INVALID_CREDENTIALS", id="what-is-bad-is-refused"),
        pytest.param(("customers",), CUSTOMER, "ada", id="the-one-that-is-named"),
        pytest.param(("customers",), PARTNER, "CREDENTIALS_MISSING", id="not-the-one-that-is-not"),
        pytest.param(("customers",), OTHER, "INVALID_CREDENTIALS", id="of-no-issuer-that-is-known"),
        pytest.param(("none",), NOBODY, None, id="none-lets-in-nobody"),
        pytest.param(("none",), CUSTOMER, "ada", id="none-knows-who-is-shown"),
        pytest.param(("none",), PARTNER, "bob", id="none-knows-all-of-them"),
        pytest.param(("none",), BAD, "INVALID_CREDENTIALS", id="bad-ones-are-refused-under-none"),
        pytest.param(("customers", "none"), NOBODY, None, id="an-optional-token"),
        pytest.param(("customers", "none"), CUSTOMER, "ada", id="an-optional-token-that-is-shown"),
        pytest.param(
            ("customers", "none"), BAD, "INVALID_CREDENTIALS", id="an-optional-token-that-is-bad"
        ),
        pytest.param(
            ("customers", "none"), PARTNER, None, id="a-provider-that-is-not-named-is-not-asked"
        ),
        pytest.param(("none", "customers"), NOBODY, None, id="the-order-of-none-does-not-matter"),
    ],
)
def test_who_is_let_in_to_a_method(authenticate, fields, expected):
    assert outcome(identities().gate(authenticate), fields) == expected


def test_methods_of_the_same_providers_share_a_gate():
    made = identities()
    assert made.gate(None) is made.gate(("customers", "partners"))
    assert made.gate(("customers",)) is not made.gate(None)


@pytest.mark.parametrize("authenticate", [None, ("none",)])
def test_without_providers_there_is_no_gate(authenticate):
    empty = Identities({}, FakeGuard())
    assert empty.gate(authenticate) is None
    assert empty.of_pages(()) is None
    assert empty.of_sockets([Settings({})]) is None


@pytest.mark.parametrize(
    ("names", "fields", "expected"),
    [
        pytest.param((), NOBODY, "CREDENTIALS_MISSING", id="closed-where-nothing-is-said"),
        pytest.param((), PARTNER, "bob", id="any-provider"),
        pytest.param(("customers",), PARTNER, "CREDENTIALS_MISSING", id="the-one-that-is-named"),
        pytest.param(("none",), NOBODY, "open", id="open"),
    ],
)
def test_who_may_see_pages(names, fields, expected):
    assert outcome(identities().of_pages(names), fields) == expected


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        pytest.param([settings()], "CREDENTIALS_MISSING", id="all-are-closed"),
        pytest.param(
            [settings(), settings(authenticate=("none",))], None, id="one-is-open-to-nobody"
        ),
        pytest.param(
            [settings(authenticate=("none",), scopes=("read",))],
            "CREDENTIALS_MISSING",
            id="one-is-open-that-asks-for-a-scope",
        ),
    ],
)
def test_a_socket_is_opened_for_nobody_where_nobody_can_call_something(methods, expected):
    assert outcome(identities().of_sockets(methods), NOBODY) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (settings(), False),
        (settings(authenticate=("customers",)), False),
        (settings(authenticate=("none",)), True),
        (settings(authenticate=("customers", "none")), True),
        (settings(authenticate=("none",), when="true"), True),
        (settings(authenticate=("none",), scopes=("read",)), False),
        (settings(authenticate=("none",), roles=("staff",)), False),
        (settings(authenticate=("none",), scopes=(), roles=()), True),
    ],
    ids=[
        "nothing-said",
        "a-provider",
        "none",
        "an-optional-token",
        "a-condition-may-hold-for-anyone",
        "a-scope",
        "a-role",
        "what-was-taken-back",
    ],
)
def test_what_is_open_to_all(given, expected):
    assert is_open_to_all(given) is expected


@pytest.mark.parametrize(
    ("gate", "asked"),
    [
        pytest.param(lambda made: made.gate(("none",)), 0, id="an open method"),
        pytest.param(lambda made: made.of_anyone(), 0, id="who asks, whoever it is"),
        pytest.param(
            lambda made: made.of_sockets([settings(authenticate=("none",))]),
            0,
            id="a socket for open methods",
        ),
        pytest.param(lambda made: made.of_sockets([settings()]), 1, id="a socket for closed ones"),
        pytest.param(lambda made: made.gate(None), 1, id="a closed method"),
        pytest.param(lambda made: made.gate(("external", "none")), 1, id="where it is named"),
    ],
)
def test_who_decides_about_all_requests_is_asked_where_somebody_is_needed(gate, asked):
    judge = Fake("external", scheme="", header="x-any", people={"x": ADA})
    customers = Fake("customers", header="x-a", people={"ada": ADA})
    made = Identities({"customers": customers, "external": judge}, FakeGuard(), judges=["external"])
    outcome(gate(made), (("x-any", "x"),))
    assert judge.looked == asked


# Streams that go on when another generation serves.


def after_reload(newest, names=("customers",)):
    """The gate of a stream that customers began, when another generation serves."""
    before = Identities(identities().providers, FakeGuard(), newest=lambda: newest)
    return before.lasting(before.gate(names), names)


def test_until_a_reload_a_stream_is_asked_of_as_it_began():
    assert outcome(after_reload(None), CUSTOMER) == "ada"


@pytest.mark.parametrize("names", [("customers",), ("customers", "none"), None])
def test_after_it_the_provider_of_that_name_says_who_is_known(names):
    revoked = Identities({"customers": Fake("customers", header="x-a")}, FakeGuard())
    assert outcome(after_reload(revoked, names), CUSTOMER) == "INVALID_CREDENTIALS"


def test_whose_provider_is_gone_is_not_known():
    others = Identities(
        {"partners": Fake("partners", header="x-b", people={"bob": BOB})}, FakeGuard()
    )
    assert outcome(after_reload(others), CUSTOMER) == "CREDENTIALS_MISSING"


def test_without_providers_it_goes_on_as_it_began():
    assert outcome(after_reload(Identities({}, FakeGuard())), CUSTOMER) == "ada"
