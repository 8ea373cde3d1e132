"""The gate that finds out who calls."""

from __future__ import annotations

import logging

import pytest

from gateway.call import Call, Code, Principal, RpcError
from gateway.errors import error
from gateway.policies.auth.authenticate import Authenticate
from tests.policies.auth.callers import ADA, Fake, FakeGuard, call


async def admitted(gate, call):
    """The call, let in; raises the refusal."""
    pending = gate.admit(call)
    if pending is not None:
        await pending
    return call


@pytest.fixture
def guard():
    return FakeGuard()


def gate(guard, *providers, optional=False):
    return Authenticate(providers, optional=optional, guard=guard)


async def test_who_shows_what_is_known_calls_as_that(guard):
    made = await admitted(gate(guard, Fake(people={"s": ADA})), call(("x-fake", "s")))
    assert made.principal is ADA
    assert guard.spent == 0


async def test_a_provider_may_have_to_ask(guard):
    made = await admitted(gate(guard, Fake(slow={"slow:s": ADA})), call(("x-fake", "slow:s")))
    assert made.principal is ADA
    assert guard.spent == 0


async def test_what_is_known_already_is_not_looked_at_and_needs_no_leave(guard):
    provider = Fake(cached={"s": ADA})
    guard.refusal = error("TOO_MANY_UNAUTHENTICATED", "no")
    made = await admitted(gate(guard, provider), call(("x-fake", "s")))
    assert made.principal is ADA
    assert provider.looked == 0


async def refused(gate, call):
    with pytest.raises(RpcError) as failure:
        await admitted(gate, call)
    return failure.value


@pytest.mark.parametrize("shown", ["bad", "slow:bad"], ids=["at once", "after a while"])
@pytest.mark.parametrize("optional", [False, True], ids=["needed", "optional"])
async def test_what_is_bad_is_refused_even_where_nobody_need_be_shown(guard, shown, optional):
    failure = await refused(gate(guard, Fake(), optional=optional), call(("x-fake", shown)))
    assert failure.reason == "INVALID_CREDENTIALS"
    assert failure.status.code is Code.UNAUTHENTICATED
    assert failure.headers["www-authenticate"].startswith('Fake realm="gateway"')
    assert guard.spent == 1


async def test_who_shows_nobody_is_refused_and_told_how_to_show(guard):
    bearer = Fake("jwt", "Bearer", "authorization")
    basic = Fake("basic", "Basic", "authorization")
    failure = await refused(gate(guard, bearer, basic, Fake("mtls", "")), call())
    assert failure.reason == "CREDENTIALS_MISSING"
    challenges = 'Bearer realm="gateway", Basic realm="gateway"'
    assert failure.headers == {"www-authenticate": challenges}
    assert guard.spent == 1


@pytest.mark.parametrize(
    ("method", "what"), [("a.B/C", "The method"), ("", "This")], ids=["a method", "a page"]
)
async def test_who_shows_nobody_is_told_what_needs_a_caller(guard, method, what):
    failure = await refused(gate(guard, Fake()), call(("x-other", "k"), method=method))
    text = f"{what} needs a caller, and the request shows none that it accepts."
    assert failure.status.message == text


async def test_a_call_of_the_gateways_own_shows_nobody(guard):
    failure = await refused(gate(guard, Fake()), Call("a.B/C"))
    assert failure.reason == "CREDENTIALS_MISSING"


async def test_who_shows_nobody_is_let_in_where_that_is_optional_and_pays(guard):
    made = await admitted(gate(guard, Fake(), optional=True), call())
    assert made.principal is None
    assert guard.spent == 1


async def test_what_an_earlier_gate_thought_does_not_count(guard):
    made = call()
    made.principal = ADA
    await admitted(gate(guard, Fake(), optional=True), made)
    assert made.principal is None


async def test_the_first_that_finds_its_own_decides(guard):
    first, second = Fake("first"), Fake("second", people={"s": ADA})
    failure = await refused(gate(guard, first, second), call(("x-fake", "s")))
    assert failure.reason == "INVALID_CREDENTIALS"
    assert second.looked == 0


async def test_another_kind_of_credentials_is_the_next_ones(guard):
    first = Fake("first", header="authorization")
    made = await admitted(gate(guard, first, Fake(people={"s": ADA})), call(("x-fake", "s")))
    assert made.principal is ADA


@pytest.mark.parametrize("optional", [False, True], ids=["needed", "optional"])
async def test_what_nobody_takes_is_bad_and_not_nothing(guard, optional):
    providers = Fake("first"), Fake("second")
    failure = await refused(
        gate(guard, *providers, optional=optional), call(("x-fake", "other:issuer"))
    )
    assert failure.reason == "INVALID_CREDENTIALS"


async def test_an_address_that_asked_too_often_is_not_looked_at(guard):
    provider = Fake(people={"s": ADA})
    guard.refusal = error("TOO_MANY_UNAUTHENTICATED", "no", retry_after=1)
    failure = await refused(gate(guard, provider), call(("x-fake", "s")))
    assert failure.reason == "TOO_MANY_UNAUTHENTICATED"
    assert provider.looked == 0


async def test_what_cant_be_known_now_is_nobodys_fault(guard):
    provider = Fake(down=error("AUTHENTICATION_UNAVAILABLE", "later"))
    failure = await refused(gate(guard, provider), call(("x-fake", "s")))
    assert failure.status.code is Code.UNAVAILABLE
    assert guard.spent == 0


async def test_who_is_locked_out_for_guessing_goes_on_paying(guard):
    provider = Fake(down=error("LOCKED_OUT", "later", retry_after=60))
    failure = await refused(gate(guard, provider), call(("x-fake", "s")))
    assert failure.reason == "LOCKED_OUT"
    assert guard.spent == 1


@pytest.mark.parametrize(
    "reason", ["AUTHORIZATION_DENIED", "LOCKED_OUT", "DEADLINE_EXCEEDED", "CROSS_SITE_REQUEST"]
)
async def test_every_other_refusal_is_paid_for(guard, reason):
    failure = await refused(gate(guard, Fake(down=error(reason, "no"))), call(("x-fake", "s")))
    assert failure.reason == reason
    assert guard.spent == 1


async def test_the_log_has_what_failed_and_not_what_was_shown(guard, caplog):
    with caplog.at_level(logging.INFO, "gateway.auth"):
        failure = await refused(gate(guard, Fake()), call(("x-fake", "hunter2")))
    assert "it is in no table" in caplog.text
    assert "203.0.113.7" in caplog.text
    assert "hunter2" not in caplog.text + str(failure) + repr(failure.status)


async def test_the_errors_of_bearer_tokens_are_told_as_rfc_6750_has_it(guard):
    bearer = Fake("jwt", "Bearer", "authorization")
    failure = await refused(gate(guard, bearer, Fake()), call(("authorization", "x")))
    assert failure.headers["www-authenticate"] == (
        'Bearer realm="gateway", error="invalid_token", error_description="The secret is none.", '
        'Fake realm="gateway"'
    )


BOB = Principal("bob", "other")


@pytest.mark.parametrize(
    ("scheme", "who"),
    [
        pytest.param("Other", ADA, id="what is shown beside it is the first one's to judge"),
        pytest.param("Fake", BOB, id="a token of one scheme is one provider's, and known is known"),
    ],
)
async def test_of_two_things_that_are_shown_the_order_decides(guard, scheme, who):
    first = Fake(people={"s": ADA})
    second = Fake(name="other", scheme=scheme, header="x-other", cached={"t": BOB})
    made = call(("x-fake", "s"), ("x-other", "t"))
    assert (await admitted(gate(guard, first, second), made)).principal is who


async def test_who_is_known_needs_no_leave_where_nothing_else_is_shown(guard):
    first, second = Fake(), Fake(name="other", scheme="", header="x-other", cached={"t": BOB})
    guard.refusal = error("TOO_MANY_UNAUTHENTICATED", "no")
    made = await admitted(gate(guard, first, second), call(("x-other", "t")))
    assert made.principal is BOB
    assert first.looked == 0


async def test_what_is_bad_and_comes_first_is_refused_whoever_is_known_beside_it(guard):
    first, second = Fake(), Fake(name="other", scheme="", header="x-other", cached={"t": BOB})
    made = call(("x-fake", "bad"), ("x-other", "t"))
    failure = await refused(gate(guard, first, second), made)
    assert failure.reason == "INVALID_CREDENTIALS"
