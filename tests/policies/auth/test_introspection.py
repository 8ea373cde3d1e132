"""Callers known by opaque tokens: who is asked, how often, and what of it is believed how long."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

import pytest
from aiohttp import web

from gateway.call import Deadline, RpcError
from gateway.http.certificate import Certificate
from gateway.policies.auth.bearer import BearerTokens
from gateway.policies.auth.fetching import Fetched, Fetcher, FetchError
from gateway.policies.auth.introspection import Endpoint, Introspection
from gateway.policies.auth.introspection_answer import Expected
from gateway.policies.auth.provider import BadCredentials
from gateway.policies.auth.token_cache import TokenCache
from tests.policies.auth.callers import call
from tests.policies.auth.issuer import b64

ENDPOINT = Endpoint("https://id.example/introspect", "gw", "s3cret")
ADA = {"active": True, "sub": "ada"}


@dataclass
class FakeFetcher:
    """Answers by token; waits while `gate` is closed; counts."""

    answers: dict[str, object] = field(default_factory=lambda: {"good": ADA})
    failure: FetchError | None = None
    asked: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False

    def __post_init__(self):
        self.gate.set()

    async def post(self, url, form, headers=None):
        self.asked.append(form["token"])
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return Fetched(self.answers.get(form["token"], {"active": False}), None)

    async def close(self):
        self.closed = True


@dataclass
class Setting:
    provider: Introspection
    fetcher: FakeFetcher
    time: list[float]


@pytest.fixture
async def setting():
    made, moment = FakeFetcher(), [1000.0]
    now: Callable[[], float] = lambda: moment[0]  # noqa: E731
    provider = Introspection(
        ENDPOINT,
        Expected("tokens"),
        tokens=BearerTokens(None, lambda _: True),
        cache=TokenCache(100_000, now, now),
        fetcher=made,
        now=now,
        clock=now,
    )
    yield Setting(provider, made, moment)
    made.gate.set()
    await provider.close()


def shown(token="good", deadline=None, peer="203.0.113.7"):
    made = call(("authorization", f"Bearer {token}"), peer=peer)
    made.deadline = deadline
    return made


async def identified(provider, made):
    found = provider.identify(made)
    return await found if hasattr(found, "__await__") else found


async def unavailable(provider, made):
    with pytest.raises(RpcError) as failure:
        await identified(provider, made)
    assert failure.value.reason == "AUTHENTICATION_UNAVAILABLE"


async def test_an_active_token_is_its_subjects_and_is_known_for_half_a_minute(setting):
    assert setting.provider.known(shown()) is None
    principal = await identified(setting.provider, shown())
    assert (principal.subject, principal.provider) == ("ada", "tokens")
    setting.time[0] += 29.9
    assert setting.provider.known(shown()) is principal
    setting.time[0] += 0.1
    assert setting.provider.known(shown()) is None
    assert setting.fetcher.asked == ["good"]


async def test_one_that_ends_sooner_is_known_no_longer(setting):
    setting.fetcher.answers["good"] = {**ADA, "exp": 1010}
    await identified(setting.provider, shown())
    setting.time[0] = 1010.0
    assert setting.provider.known(shown()) is None
    with pytest.raises(BadCredentials) as failure:
        await identified(setting.provider, shown())
    assert failure.value.reason == "TOKEN_EXPIRED"


async def test_a_revoked_one_counts_no_longer_than_that(setting):
    await identified(setting.provider, shown())
    setting.fetcher.answers["good"] = {"active": False}
    setting.time[0] += 30
    with pytest.raises(BadCredentials):
        await identified(setting.provider, shown())


async def test_one_that_is_not_active_is_refused_for_some_seconds_without_asking(setting):
    for _ in range(3):
        with pytest.raises(BadCredentials):
            await identified(setting.provider, shown("bad"))
    assert setting.fetcher.asked == ["bad"]
    setting.fetcher.answers["bad"] = ADA
    setting.time[0] += 5
    assert (await identified(setting.provider, shown("bad"))).subject == "ada"


async def test_a_token_is_asked_about_once_at_a_time(setting):
    setting.fetcher.gate.clear()
    waiting = [asyncio.ensure_future(identified(setting.provider, shown())) for _ in range(50)]
    await asyncio.sleep(0)
    setting.fetcher.gate.set()
    assert {principal.subject for principal in await asyncio.gather(*waiting)} == {"ada"}
    assert setting.fetcher.asked == ["good"]


async def test_a_caller_that_leaves_takes_nothing_from_the_others(setting):
    setting.fetcher.gate.clear()
    first, second = (asyncio.ensure_future(identified(setting.provider, shown())) for _ in "ab")
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    setting.fetcher.gate.set()
    assert (await second).subject == "ada"
    assert first.cancelled()


async def test_a_call_that_is_cancelled_before_it_waits_leaves_no_warning(setting):
    setting.provider.identify(shown())  # nobody awaits it; warnings are errors


async def test_no_more_than_so_many_are_asked_about_at_once(setting):
    setting.fetcher.gate.clear()
    for number in range(256):
        setting.provider.identify(shown(f"t{number}", peer=f"192.0.2.{number % 8}"))
    await unavailable(setting.provider, shown("one-more"))
    assert setting.provider.identify(shown("t7")) is not None  # it is being asked about


async def test_no_address_takes_all_of_these(setting):
    setting.fetcher.gate.clear()
    here = [f"2001:db8::{number:x}" for number in range(33)]  # of one /64
    for number in range(32):
        setting.provider.identify(shown(f"t{number}", peer=here[number]))
    await unavailable(setting.provider, shown("t32", peer=here[32]))
    others = asyncio.ensure_future(identified(setting.provider, shown(peer="2001:db8:1::1")))
    await asyncio.sleep(0)
    setting.fetcher.gate.set()
    assert (await others).subject == "ada"
    assert (await identified(setting.provider, shown(peer=here[32]))).subject == "ada"


async def test_who_leaves_at_once_begins_no_more_questions_than_who_waits(setting):
    setting.fetcher.gate.clear()
    for number in range(32):
        late = Deadline(asyncio.get_running_loop().time())
        with pytest.raises(RpcError) as failure:
            await identified(setting.provider, shown(f"t{number}", deadline=late))
        assert failure.value.reason == "DEADLINE_EXCEEDED"
    await unavailable(setting.provider, shown())
    assert len(setting.fetcher.asked) == 32


async def test_the_deadline_of_a_call_ends_its_waiting_only(setting):
    setting.fetcher.gate.clear()
    loop = asyncio.get_running_loop()
    late = identified(setting.provider, shown(deadline=Deadline(loop.time() + 0.01)))
    with pytest.raises(RpcError) as failure:
        await late
    assert failure.value.reason == "DEADLINE_EXCEEDED"
    setting.fetcher.gate.set()
    assert (await identified(setting.provider, shown())).subject == "ada"
    assert setting.fetcher.asked == ["good"]


DOWN = FetchError("https://id.example/introspect", "can't be reached")


async def test_an_issuer_that_is_down_is_left_alone_and_nobody_let_in(setting, caplog):
    setting.fetcher.failure = DOWN
    for number in range(10):
        await unavailable(setting.provider, shown(f"t{number}"))
    assert len(setting.fetcher.asked) == 3
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == 1
    setting.fetcher.failure = None
    await unavailable(setting.provider, shown())
    setting.time[0] += 1
    assert (await identified(setting.provider, shown())).subject == "ada"


async def test_who_was_known_is_not_once_that_is_over_however_long_the_outage(setting):
    await identified(setting.provider, shown())
    setting.fetcher.failure = DOWN
    assert setting.provider.known(shown()) is not None
    setting.time[0] += 30
    assert setting.provider.known(shown()) is None
    await unavailable(setting.provider, shown())


@pytest.mark.parametrize("status", [400, 413, 414, 422, 431])
async def test_odd_tokens_do_not_bring_down_the_others(setting, status):
    setting.fetcher.failure = FetchError("https://id.example/", "answered", status)
    for number in range(10):
        await unavailable(setting.provider, shown(f"odd{number}"))
    setting.fetcher.failure = None
    assert (await identified(setting.provider, shown())).subject == "ada"


async def test_an_answer_of_no_use_lets_nobody_in_and_is_not_kept(setting):
    setting.fetcher.answers["good"] = {"active": "yes"}
    await unavailable(setting.provider, shown())
    setting.fetcher.answers["good"] = ADA
    assert (await identified(setting.provider, shown())).subject == "ada"


BOUND = {**ADA, "cnf": {"x5t#S256": b64(bytes.fromhex("ab" * 32))}}
HOLDER = Certificate("CN=ada", fingerprint="ab" * 32)


@pytest.mark.parametrize("again", [False, True], ids=["asked", "known"])
@pytest.mark.parametrize(
    ("certificate", "good"),
    [(HOLDER, True), (Certificate("CN=eve", fingerprint="cd" * 32), False), (None, False)],
    ids=["its holder", "another", "nobody"],
)
async def test_a_token_bound_to_a_certificate_is_its_holders(setting, certificate, good, again):
    setting.fetcher.answers["good"] = BOUND
    holders, made = shown(), shown()
    holders.head.certificate, made.head.certificate = HOLDER, certificate
    if again:
        await identified(setting.provider, holders)
    assert (setting.provider.known(made) is not None) is (good and again)
    if good:
        assert (await identified(setting.provider, made)).subject == "ada"
    else:
        with pytest.raises(BadCredentials):
            await identified(setting.provider, made)


@pytest.mark.parametrize(
    "made", [call(), call(("authorization", "Basic YTpi"))], ids=["-", "Basic"]
)
async def test_without_a_bearer_token_there_is_nobody(setting, made):
    assert setting.provider.known(made) is None
    assert setting.provider.identify(made) is None
    assert not setting.provider.carried(made.head)


async def test_closing_ends_what_is_asked_and_refuses_who_waits(setting):
    setting.fetcher.gate.clear()
    waiting = asyncio.ensure_future(identified(setting.provider, shown()))
    await asyncio.sleep(0)
    await setting.provider.close()
    with pytest.raises(RpcError) as failure:
        await waiting
    assert failure.value.reason == "AUTHENTICATION_UNAVAILABLE"
    assert setting.fetcher.closed


async def test_neither_tokens_nor_secrets_are_logged_or_shown(setting, caplog):
    caplog.set_level(logging.DEBUG)
    setting.fetcher.failure = DOWN
    for _ in range(4):
        await unavailable(setting.provider, shown("t0ken"))
    assert "t0ken" not in caplog.text
    assert "s3cret" not in caplog.text + repr(ENDPOINT)


def test_client_credentials_are_encoded_as_a_forms_before_they_are_as_of_basic():
    # RFC 6749 section 2.3.1: a colon or another character outside ASCII is no ambiguity.
    scheme, coded = Endpoint("https://id.example/", "gw:1", "é %:+").authorization.split(" ")
    name, secret = base64.b64decode(coded).decode("ascii").split(":")
    assert scheme == "Basic"
    assert (unquote_plus(name), unquote_plus(secret)) == ("gw:1", "é %:+")


async def test_over_http_it_is_a_form_with_client_credentials():
    seen = []

    async def introspect(request):
        seen.append((request.method, request.headers["authorization"], dict(await request.post())))
        return web.json_response(ADA)

    app = web.Application()
    app.router.add_post("/introspect", introspect)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    endpoint = Endpoint(f"http://127.0.0.1:{port}/introspect", "gw", "s3cret")
    provider = Introspection(
        endpoint,
        Expected("tokens"),
        tokens=BearerTokens(None, lambda _: True),
        cache=TokenCache(100_000, time.time, time.monotonic),
        fetcher=Fetcher(),
        now=time.time,
        clock=time.monotonic,
    )
    try:
        assert (await identified(provider, shown("a.b+c/d=="))).subject == "ada"
    finally:
        await provider.close()
        await runner.cleanup()
    form = {"token": "a.b+c/d==", "token_type_hint": "access_token"}
    assert seen == [("POST", endpoint.authorization, form)]
