"""Callers known by signed tokens: whose tokens are judged, once, and what is done without keys."""

from __future__ import annotations

import asyncio

import pytest

from gateway.call import Call, Code, Deadline, RpcError
from gateway.fronts.cross_site import is_own_doing
from gateway.http.certificate import Certificate
from gateway.policies.auth.authenticate import Authenticate
from gateway.policies.auth.bearer import BearerTokens
from gateway.policies.auth.provider import BadCredentials
from tests.policies.auth.callers import FakeGuard, call, head
from tests.policies.auth.issuer import Issuer, SigningKey
from tests.policies.auth.jwt.verifying import Clock, Verifier


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def issuer(clock):
    return Dated(clock)


class Dated(Issuer):
    """An issuer whose clock is the test's."""

    def __init__(self, clock, alg="RS256") -> None:
        super().__init__(alg=alg)
        self.clock = clock

    def claims(self, **claims):
        now = int(self.clock())
        return super().claims(**{"iat": now, "exp": now + 300} | claims)


@pytest.fixture
def verifier(issuer, clock):
    return Verifier(issuer, clock)


def refusal_of(verifier, token):
    with pytest.raises(RpcError) as refused:
        verifier.admit(token)
    return refused.value


# Whom a token shows.


def test_a_principal_is_made_of_claims(issuer, verifier, clock):
    claims = {"scope": "orders.read orders.write", "roles": ["clerk"], "plan": "pro", "tenant": "t"}
    principal = verifier.admit(issuer.token(**claims)).principal
    assert principal.subject == "ada"
    assert principal.provider == "customers"
    assert principal.scopes == {"orders.read", "orders.write"}
    assert principal.roles == {"clerk"}
    assert principal.plan == "pro"
    assert principal.claims["tenant"] == "t"
    assert principal.expires == clock.now + 330


# Whose tokens are judged.


def test_a_token_of_another_issuer_is_left_to_others(issuer, verifier):
    token = issuer.token(iss="https://other.example")
    assert verifier.provider.identify(call(("authorization", f"Bearer {token}"))) is None


@pytest.mark.parametrize("aud", ["admin", ["admin", "other"], [], "", None])
def test_a_token_for_other_audiences_is_left_to_others(issuer, verifier, aud):
    token = issuer.token(aud=aud)
    assert verifier.provider.identify(call(("authorization", f"Bearer {token}"))) is None
    assert refusal_of(verifier, token).reason == "INVALID_CREDENTIALS"


@pytest.mark.parametrize("aud", [5, {"shop": True}, [["shop"]], ["admin", 5]])
def test_a_token_whose_audience_is_malformed_is_refused_not_left(issuer, verifier, aud):
    with pytest.raises(BadCredentials, match="the claim aud is"):
        verifier.provider.identify(call(("authorization", f"Bearer {issuer.token(aud=aud)}")))


@pytest.mark.parametrize("turned", [False, True], ids=["in order", "the other way round"])
def test_of_two_audiences_of_an_issuer_each_is_its_providers(issuer, clock, turned):
    """Whoever was asked before, and whatever is remembered."""
    makes = [Verifier(issuer, clock, audiences={each}).provider for each in ("shop", "admin")]
    ordered = makes[::-1] if turned else makes
    gate = Authenticate(ordered, optional=False, guard=FakeGuard())
    for _ in range(2):
        for aud, provider in zip(("shop", "admin"), makes, strict=True):
            made = call(("authorization", f"Bearer {issuer.token(aud=aud)}"))
            gate.admit(made)
            assert made.principal is provider.known(made)
        with pytest.raises(RpcError, match="UNAUTHENTICATED"):
            gate.admit(call(("authorization", f"Bearer {issuer.token(aud='third')}")))


@pytest.mark.parametrize(
    "token", ["opaque", "a.b.c", "a.bm90IEpTT04.c", "a.WzFd.c", "a." + "W" * 60_000 + ".c"]
)
def test_what_has_no_issuer_is_left_to_others(verifier, token):
    made = call(("authorization", f"Bearer {token[:16000]}"))
    assert verifier.provider.identify(made) is None
    assert verifier.provider.carried(made.head)


@pytest.mark.parametrize("made", [Call("a.B/C"), call(), call(("authorization", "Basic YTpi"))])
def test_a_request_without_a_token_shows_nobody(verifier, made):
    assert verifier.provider.known(made) is None
    assert verifier.provider.identify(made) is None


def test_a_malformed_token_of_its_own_is_refused_not_left(issuer, verifier):
    header, payload, _ = issuer.token().split(".")
    with pytest.raises(BadCredentials, match="malformed"):
        verifier.provider.identify(call(("authorization", f"Bearer {header}.{payload}.=")))


# Tokens that are bound to their holder.

# A digest and its thumbprint in base64url (RFC 8705 section 3.1).
DIGEST, THUMBPRINT = "00" * 31 + "ff", "A" * 41 + "P8"
BOUND = {"x5t#S256": THUMBPRINT}


def showing(token, digest=None):
    certificate = None if digest is None else Certificate("CN=a", fingerprint=digest)
    made = head(("authorization", f"Bearer {token}"), certificate=certificate)
    return Call("a.B/C", peer=made.peer, head=made)


def test_a_bound_token_is_its_holders_once_and_again(issuer, verifier):
    token = issuer.token(cnf=BOUND)
    for _ in range(2):
        made = showing(token, DIGEST)
        verifier.gate.admit(made)
        assert made.principal.subject == "ada"
    assert verifier.provider.known(showing(token, DIGEST)).subject == "ada"


@pytest.mark.parametrize("judged", [False, True], ids=["new", "judged before"])
@pytest.mark.parametrize(
    ("cnf", "digest"),
    [
        pytest.param(BOUND, None, id="no certificate"),
        pytest.param(BOUND, "00" * 32, id="another certificate"),
        pytest.param({"jkt": "x"}, DIGEST, id="a key that signs requests (RFC 9449)"),
        pytest.param({"x5t#S256": THUMBPRINT, "jkt": "x"}, DIGEST, id="both"),
    ],
)
def test_a_bound_token_is_nobodys_else(issuer, verifier, cnf, digest, judged):
    token = issuer.token(cnf=cnf)
    if judged:
        verifier.provider._judge(token)
        assert len(verifier.cache) == 1
    made = showing(token, digest)
    assert verifier.provider.known(made) is None
    with pytest.raises(RpcError) as refused:
        verifier.gate.admit(made)
    assert refused.value.reason == "INVALID_CREDENTIALS"
    assert made.principal is None
    assert verifier.guard.spent == 1


def test_who_shows_anothers_token_does_its_holder_no_harm(issuer, verifier):
    token = issuer.token(cnf=BOUND)
    for _ in range(2):
        with pytest.raises(RpcError):
            verifier.gate.admit(showing(token))
        verifier.gate.admit(showing(token, DIGEST))


async def test_a_bound_token_of_an_unknown_key_is_its_holders_alone(issuer, verifier):
    token = issuer.token(key=issuer.rotate(), cnf=BOUND)
    verifier.source.pending = asyncio.get_running_loop().create_future()
    thief, holder = showing(token), showing(token, DIGEST)
    waits = [verifier.gate.admit(made) for made in (thief, holder)]
    verifier.take_keys()
    verifier.source.pending.set_result(None)
    with pytest.raises(RpcError, match="UNAUTHENTICATED"):
        await waits[0]
    await waits[1]
    assert (thief.principal, holder.principal.subject) == (None, "ada")


# A token is judged once.


def test_a_token_is_known_once_it_was_judged(issuer, verifier):
    made = call(("authorization", f"Bearer {issuer.token()}"))
    assert verifier.provider.known(made) is None
    principal = verifier.provider.identify(made)
    assert verifier.provider.known(made) is principal
    assert verifier.provider.identify(made) is principal


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_an_unusual_way_to_write_the_field_is_judged_once_too(issuer, verifier, scheme):
    made = call(("authorization", f"{scheme} {issuer.token()}"))
    assert verifier.provider.identify(made) is verifier.provider.identify(made)


def test_two_fields_are_never_known(issuer, verifier):
    field = ("authorization", f"Bearer {issuer.token()}")
    verifier.admit(issuer.token())
    assert verifier.provider.known(call(field))
    two = call(field, ("authorization", "Bearer x"))
    assert verifier.provider.known(two) is None
    with pytest.raises(BadCredentials):
        verifier.provider.identify(two)


def test_other_fields_that_come_twice_do_no_harm(issuer, verifier):
    verifier.admit(issuer.token())
    field = ("authorization", f"Bearer {issuer.token()}")
    assert verifier.provider.known(call(("accept", "a"), field, ("accept", "b")))


def test_what_is_known_ends_with_the_token(issuer, verifier, clock):
    token = issuer.token(exp=int(clock.now) + 10)
    verifier.admit(token)
    clock.now += 39.9
    verifier.admit(token)
    clock.now += 0.2
    assert refusal_of(verifier, token).reason == "TOKEN_EXPIRED"


def test_what_is_known_ends_with_its_key(issuer, verifier):
    token = issuer.token()
    verifier.admit(token)
    issuer.rotate(keep=False)
    verifier.take_keys()
    assert refusal_of(verifier, token).reason == "INVALID_CREDENTIALS"


def test_what_is_known_outlives_a_change_of_other_keys(issuer, verifier):
    token = issuer.token()
    principal = verifier.admit(token).principal
    issuer.rotate(keep=True)
    verifier.take_keys()
    assert verifier.admit(token).principal is principal


def test_a_bad_token_is_not_verified_again_for_some_seconds(issuer, verifier, clock, monkeypatch):
    token = issuer.token(sub="")
    refusal_of(verifier, token)
    judged = []
    judge = verifier.provider._judge
    monkeypatch.setattr(verifier.provider, "_judge", lambda t: judged.append(t) or judge(t))
    refusal_of(verifier, token)
    assert not judged
    clock.now += 5
    refusal_of(verifier, token)
    assert judged == [token]


def test_a_token_that_came_early_is_taken_as_soon_as_it_is_valid(issuer, verifier, clock):
    token = issuer.token(nbf=int(clock.now) + 32)
    refusal_of(verifier, token)
    clock.now += 2
    assert verifier.admit(token).principal


def test_other_keys_make_a_bad_token_good_at_once(issuer, verifier):
    """Same name, other key: no issuer should, some do."""
    old, fresh = issuer.key, issuer.rotate(keep=False)
    renamed = type(fresh)(old.kid, fresh.alg, fresh.private)
    token = issuer.token(key=renamed)
    refusal_of(verifier, token)
    issuer.keys = [renamed]
    verifier.take_keys()
    assert verifier.admit(token).principal


# A key that is unknown.


async def test_a_token_of_an_unknown_key_waits_for_the_keys(issuer, verifier):
    token = issuer.token(key=issuer.rotate())
    verifier.source.pending = asyncio.get_running_loop().create_future()
    made = call(("authorization", f"Bearer {token}"))
    pending = verifier.gate.admit(made)
    verifier.take_keys()
    verifier.source.pending.set_result(None)
    await pending
    assert made.principal.subject == "ada"
    assert verifier.guard.spent == 0


async def test_a_fetch_that_began_too_early_is_followed_by_another(issuer, verifier):
    token = issuer.token(key=issuer.rotate())

    async def early():
        """Finds the keys of before."""

    async def late():
        verifier.take_keys()

    fetches = iter([early, late])
    verifier.source.again = lambda: asyncio.ensure_future(next(fetches)())
    made = call(("authorization", f"Bearer {token}"))
    await verifier.gate.admit(made)
    assert made.principal


async def test_it_is_refused_where_the_keys_are_not_its(issuer, verifier):
    token = issuer.token(header={"kid": "unknown"})
    verifier.source.pending = asyncio.get_running_loop().create_future()
    verifier.source.pending.set_result(None)
    with pytest.raises(RpcError) as refused:
        await verifier.gate.admit(call(("authorization", f"Bearer {token}")))
    assert refused.value.reason == "INVALID_CREDENTIALS"
    assert verifier.guard.spent == 1


def test_an_unknown_key_is_refused_for_no_longer_than_the_cool_down(issuer, verifier, clock):
    token = issuer.token(header={"kid": "unknown"})
    verifier.source.cool = 2.0
    refusal_of(verifier, token)
    refusal_of(verifier, token)
    assert verifier.source.asked == 1
    clock.now += 2
    refusal_of(verifier, token)
    assert verifier.source.asked == 2


async def test_the_deadline_ends_the_wait(issuer, verifier):
    loop = asyncio.get_running_loop()
    verifier.source.pending = loop.create_future()
    made = call(("authorization", f"Bearer {issuer.token(header={'kid': 'unknown'})}"))
    made.deadline = Deadline(loop.time())
    with pytest.raises(RpcError) as refused:
        await verifier.gate.admit(made)
    assert refused.value.status.code is Code.DEADLINE_EXCEEDED
    assert not verifier.source.pending.cancelled(), "others wait for it"


async def test_who_leaves_ends_no_ones_wait(issuer, verifier):
    verifier.source.pending = asyncio.get_running_loop().create_future()
    field = ("authorization", f"Bearer {issuer.token(header={'kid': 'unknown'})}")
    task = asyncio.ensure_future(verifier.gate.admit(call(field)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert not verifier.source.pending.cancelled()


def test_a_wait_that_nobody_awaits_is_no_trouble(issuer, verifier):
    verifier.source.pending = asyncio.Future(loop=asyncio.new_event_loop())
    verifier.provider.identify(
        call(("authorization", f"Bearer {issuer.token(header={'kid': 'x'})}"))
    )
    verifier.source.pending.get_loop().close()


@pytest.mark.parametrize("count", [1, 2, 6])
def test_a_token_that_names_no_key_is_tried_with_those_that_fit(issuer, verifier, count):
    for _ in range(count - 1):
        issuer.rotate()
    verifier.take_keys()
    assert verifier.admit(issuer.token(header={"kid": None})).principal


def test_of_as_many_keys_as_a_set_can_have_any_may_have_signed_it(clock):
    issuer = Dated(clock, alg="EdDSA")
    issuer.keys = [SigningKey.make(f"EdDSA-{number}", "EdDSA") for number in range(100)]
    verifier = Verifier(issuer, clock)
    for key in (issuer.keys[0], issuer.keys[50], issuer.keys[99]):
        assert verifier.admit(issuer.token(key=key, header={"kid": None})).principal
    assert verifier.source.asked == 0


def test_a_key_without_a_name_verifies_tokens_without_one(issuer, verifier):
    key = type(issuer.key)(None, "RS256", issuer.key.private)
    issuer.keys = [key]
    verifier.take_keys()
    assert verifier.admit(issuer.token()).principal
    refusal_of(verifier, issuer.token(header={"kid": "a name"}))


def test_a_token_without_a_name_has_the_keys_looked_at_again(issuer, verifier):
    refusal_of(verifier, issuer.token(key=issuer.rotate(), header={"kid": None}))
    assert verifier.source.asked == 1


def test_so_has_one_that_the_key_of_its_name_has_not_signed(issuer, verifier, clock):
    """The name may have been given to another key: no issuer should, some do."""
    verifier.source.cool = 2.0
    token = issuer.token()[:-4] + "AAAA"
    for _ in range(2):
        assert refusal_of(verifier, token).status.message == "The token's signature is wrong."
    assert verifier.source.asked == 1
    clock.now += 2
    refusal_of(verifier, token)
    assert verifier.source.asked == 2


async def test_a_name_that_is_given_to_another_key_waits_for_the_keys(issuer, verifier):
    before = issuer.token()
    verifier.admit(before)
    issuer.keys = [SigningKey(issuer.key.kid, "RS256", SigningKey.make("fresh").private)]
    verifier.source.pending = asyncio.get_running_loop().create_future()
    made = call(("authorization", f"Bearer {issuer.token()}"))
    pending = verifier.gate.admit(made)
    verifier.take_keys()
    verifier.source.pending.set_result(None)
    await pending
    assert made.principal.subject == "ada"
    made = call(("authorization", f"Bearer {before}"))
    with pytest.raises(RpcError, match="signature is wrong"):
        await verifier.gate.admit(made)


# No keys.


@pytest.fixture
def keyless(issuer, clock, monkeypatch):
    monkeypatch.setattr(Verifier, "take_keys", lambda self: None)
    return Verifier(issuer, clock)


def test_without_keys_nobody_is_let_in_and_it_is_not_the_callers_fault(issuer, keyless):
    failure = refusal_of(keyless, issuer.token())
    assert failure.reason == "AUTHENTICATION_UNAVAILABLE"
    assert failure.status.code is Code.UNAVAILABLE
    assert keyless.guard.spent == 0


def test_without_keys_what_is_malformed_is_still_refused(issuer, keyless):
    assert refusal_of(keyless, issuer.token() + "=").reason == "INVALID_CREDENTIALS"


def test_nothing_is_remembered_of_a_token_that_could_not_be_judged(issuer, keyless):
    refusal_of(keyless, issuer.token())
    keyless.source.keys.replace(issuer.jwks())
    assert keyless.admit(issuer.token()).principal


# Cookies.


@pytest.fixture
def by_cookie(issuer, clock):
    return Verifier(issuer, clock, tokens=BearerTokens("session", is_own_doing))


def cookie(token, *fields, method="POST"):
    made = head(("cookie", f"a=b; session={token}"), *fields)
    made.method = method
    return Call("a.B/C", peer=made.peer, head=made)


def test_a_cookie_shows_who_calls(issuer, by_cookie):
    made = cookie(issuer.token())
    by_cookie.gate.admit(made)
    assert by_cookie.provider.known(made).subject == "ada"


def test_a_header_counts_before_a_cookie(issuer, by_cookie):
    made = cookie(issuer.token(), ("authorization", f"Bearer {issuer.token(sub='bob')}"))
    by_cookie.gate.admit(made)
    assert made.principal.subject == "bob"
    assert by_cookie.provider.known(made).subject == "bob"


@pytest.mark.parametrize(
    "field", [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")]
)
def test_another_sites_request_is_refused_even_if_the_cookie_is_known(issuer, by_cookie, field):
    by_cookie.gate.admit(cookie(issuer.token()))
    made = cookie(issuer.token(), field)
    assert by_cookie.provider.known(made) is None
    with pytest.raises(RpcError) as refused:
        by_cookie.gate.admit(made)
    assert refused.value.reason == "CROSS_SITE_REQUEST"
    assert refused.value.status.code is Code.PERMISSION_DENIED


def test_another_site_may_link_here(issuer, by_cookie):
    made = cookie(issuer.token(), ("sec-fetch-site", "cross-site"), method="GET")
    by_cookie.gate.admit(made)
    assert made.principal


def test_a_cookie_says_nothing_where_none_is_named(issuer, verifier):
    with pytest.raises(RpcError) as refused:
        verifier.gate.admit(cookie(issuer.token()))
    assert refused.value.reason == "CREDENTIALS_MISSING"
