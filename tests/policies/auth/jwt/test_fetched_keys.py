"""Keys that an issuer publishes: when they are fetched again, and what its troubles change."""

from __future__ import annotations

import asyncio
import logging

import pytest

from gateway.policies.auth.fetching import Fetched, Fetcher, FetchError
from gateway.policies.auth.jwt import documents
from gateway.policies.auth.jwt.fetched_keys import COOL_DOWN, FetchedKeys, pause
from gateway.policies.auth.jwt.keys import KeySet
from tests.policies.auth.issuer import JWKS, Answer, Issuer, as_json
from tests.policies.auth.jwt.verifying import Clock


class Endpoint:
    """What fetches: gives the issuer's keys, fails, or waits until it is told."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.failure: Exception | None = None
        self.held: asyncio.Event | None = None
        self.max_age: float | None = None
        self.document = None
        self.asked = 0

    async def __call__(self) -> Fetched:
        self.asked += 1
        if self.held is not None:
            await self.held.wait()
        if self.failure is not None:
            raise self.failure
        document = self.issuer.jwks() if self.document is None else self.document
        return Fetched(document, self.max_age, "http://id.example/jwks.json")


class Sleeps:
    """Sleeps that end when told to."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._next = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self._next.clear()
        await self._next.wait()

    async def end(self) -> None:
        """Ends the sleep, and lets what follows happen."""
        self._next.set()
        await settle()


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def endpoint(issuer):
    return Endpoint(issuer)


@pytest.fixture
def sleeps():
    return Sleeps()


@pytest.fixture
def clock():
    return Clock(1000.0)


@pytest.fixture
async def source(endpoint, sleeps, clock):
    ended = []

    async def end():
        ended.append(True)

    made = FetchedKeys(
        "customers",
        KeySet(["RS256"]),
        endpoint,
        ended=end,
        clock=clock,
        sleep=sleeps,
        jitter=lambda: 0.0,
    )
    yield made
    await made.close()
    assert ended


FAILURE = FetchError("http://id.example/jwks.json", "answered 503", 503)


async def test_nothing_is_fetched_before_it_is_opened(source, endpoint):
    await settle()
    assert endpoint.asked == 0


async def test_the_start_waits_for_the_keys(source, endpoint):
    await source.open()
    assert len(source.keys) == 1
    assert endpoint.asked == 1


async def test_it_is_opened_once(source, endpoint, sleeps):
    await source.open()
    await source.open()
    await settle()
    assert endpoint.asked == 1
    assert len(sleeps.seconds) == 1


async def test_they_are_fetched_again_in_the_background(source, issuer, endpoint, sleeps):
    await source.open()
    await settle()
    assert sleeps.seconds == [300]
    issuer.rotate()
    await sleeps.end()
    assert len(source.keys) == 2
    assert endpoint.asked == 2


async def test_a_failure_at_the_start_is_tried_again(source, endpoint, sleeps, caplog):
    endpoint.failure = FAILURE
    await source.open()
    await settle()
    assert len(source.keys) == 0
    assert "customers: no keys: http://id.example/jwks.json: answered 503" in caplog.text
    for _ in range(7):
        await sleeps.end()
    assert sleeps.seconds == [1, 2, 4, 8, 16, 32, 60, 60]
    endpoint.failure = None
    await sleeps.end()
    assert len(source.keys) == 1
    assert sleeps.seconds[-1] == 300
    assert len(caplog.records) == 2, "one when it begins, one when it ends"


@pytest.mark.parametrize(
    "document",
    [{"keys": []}, [], {"keys": [{"kty": "oct", "k": "AAAA"}]}, "keys", {"error": "server_error"}],
    ids=str,
)
async def test_nonsense_changes_nothing(source, endpoint, sleeps, document):
    await source.open()
    await settle()
    (key,) = source.keys.fitting("RS256", "RS256-1")
    endpoint.document = document
    await sleeps.end()
    assert source.keys.fitting("RS256", "RS256-1") == [key]
    assert key.alive
    assert sleeps.seconds[-1] == 1


async def test_an_issuer_that_is_down_changes_nothing(source, endpoint, sleeps):
    await source.open()
    await settle()
    endpoint.failure = FAILURE
    for _ in range(20):
        await sleeps.end()
    assert source.keys.fitting("RS256", "RS256-1")[0].alive


async def test_a_bug_ends_no_refresh(source, endpoint, sleeps, caplog):
    await source.open()
    await settle()
    endpoint.failure = RuntimeError("a bug")
    await sleeps.end()
    assert "could not be fetched" in caplog.text
    endpoint.failure = None
    await sleeps.end()
    assert sleeps.seconds[-1] == 300


async def test_the_start_does_not_wait_for_ever(source, endpoint, monkeypatch):
    monkeypatch.setattr("gateway.policies.auth.jwt.fetched_keys._START", 0.01)
    endpoint.held = asyncio.Event()
    await source.open()
    assert len(source.keys) == 0
    endpoint.held.set()
    await settle()
    assert len(source.keys) == 1


# Unknown keys.


async def test_an_unknown_key_has_them_fetched_at_once(source, issuer, endpoint):
    await source.open()
    issuer.rotate()
    await source.again()
    assert len(source.keys) == 2


async def test_a_flood_of_unknown_keys_makes_one_fetch_a_cool_down(source, endpoint, clock):
    await source.open()
    await settle()
    endpoint.asked = 0
    for _ in range(100):
        for _ in range(100):
            pending = source.again()
            if pending is not None:
                await pending
        clock.now += COOL_DOWN / 10
    assert endpoint.asked == 10


async def test_all_wait_for_one_fetch(source, endpoint):
    await source.open()
    await settle()
    endpoint.held = asyncio.Event()
    endpoint.asked = 0
    waits = {source.again() for _ in range(100)}
    assert len(waits) == 1
    endpoint.held.set()
    await waits.pop()
    assert endpoint.asked == 1


async def test_it_is_told_how_long_it_cools(source, clock):
    await source.open()
    await settle()
    assert source.cooling() == 0
    await source.again()
    clock.now += 4
    assert source.cooling() == COOL_DOWN - 4
    assert source.again() is None


async def test_a_wait_for_a_failing_issuer_ends(source, endpoint):
    await source.open()
    await settle()
    endpoint.failure = FAILURE
    await source.again()
    assert len(source.keys) == 1


async def test_closing_ends_what_is_under_way(source, endpoint):
    endpoint.held = asyncio.Event()
    pending = source.again()
    await source.close()
    assert pending.cancelled()


# How long until the next time.


@pytest.mark.parametrize(
    ("max_age", "failures", "jitter", "seconds"),
    [
        pytest.param(None, 0, 0, 300, id="five minutes, where the issuer says nothing"),
        pytest.param(600, 0, 0, 600, id="as it says"),
        pytest.param(0, 0, 0, 60, id="not more often than once a minute"),
        pytest.param(86_400, 0, 0, 900, id="not less often than every 15 minutes"),
        pytest.param(600, 0, 1, 540, id="a tenth earlier, by chance"),
        pytest.param(600, 1, 0, 1, id="a second after a failure"),
        pytest.param(600, 4, 0, 8, id="twice as long after each"),
        pytest.param(600, 10_000, 0, 60, id="a minute at most"),
        pytest.param(None, 1, 1, 0.9, id="a tenth earlier after a failure, too"),
    ],
)
def test_when_they_are_fetched_again(max_age, failures, jitter, seconds):
    assert pause(max_age, failures, jitter) == pytest.approx(seconds)


async def test_cache_control_is_honoured(source, endpoint, sleeps):
    endpoint.max_age = 120.0
    await source.open()
    await settle()
    assert sleeps.seconds == [120]


# Over HTTP.


@pytest.fixture
async def served():
    async with Issuer() as each:
        yield each


@pytest.fixture
async def fetched(served):
    fetcher = Fetcher(total=0.2)
    made = FetchedKeys(
        "customers",
        KeySet(["RS256"]),
        documents.at(fetcher, served.url + JWKS),
        ended=fetcher.close,
        clock=asyncio.get_running_loop().time,
    )
    yield made
    await made.close()


async def test_over_http(served, fetched):
    await fetched.open()
    served.rotate()
    await fetched.again()
    assert len(fetched.keys) == 2
    assert served.asked[JWKS] == 2


def break_it(served, how):
    pages = {
        "wrong": Answer(b"<html>"),
        "huge": Answer(b'{"keys":[' + b" " * 1_000_000 + b"]}"),
        "redirecting": as_json({}, location=served.url + "/elsewhere")._replace(status=302),
        "failing": as_json({})._replace(status=500),
        "without keys": as_json({"keys": []}),
        "of other keys, twice": Answer(b'{"keys":[],"keys":[]}'),
    }
    elsewhere = served.jwks()
    served.pages["/elsewhere"] = lambda _: as_json(elsewhere)
    if how == "slow":
        served.delay = 30
    elif how == "cut":
        served.broken = True
    else:
        served.pages[JWKS] = lambda _: pages[how]


TROUBLES = [
    "wrong",
    "huge",
    "redirecting",
    "failing",
    "without keys",
    "of other keys, twice",
    "slow",
    "cut",
]


@pytest.mark.parametrize("how", [*TROUBLES, "down"])
async def test_an_issuer_in_trouble_is_served_stale(served, fetched, how, caplog):
    await fetched.open()
    (key,) = fetched.keys.fitting("RS256", "RS256-1")
    if how == "down":
        await served.stop()
    else:
        break_it(served, how)
    await fetched.again()
    assert key.alive
    assert fetched.keys.fitting("RS256", "RS256-1") == [key]
    assert "those of before hold" in caplog.text
    assert served.asked["/elsewhere"] == 0


async def test_what_is_left_out_and_what_is_no_set_is_told_with_the_url(source, endpoint, caplog):
    bad = endpoint.issuer.key.public(kid="bad", d="AQAB")
    endpoint.document = {"keys": [bad]}
    await source.open()
    endpoint.document = {"keys": [bad, endpoint.issuer.key.public()]}
    await source._once()
    why = 'key "bad" is not used: it is private, and so known to whoever can read the set'
    place = "customers: http://id.example/jwks.json"
    none = f"it has no key that can be used: {why}; its tokens can't be verified until it answers"
    assert caplog.messages == [
        f"customers: no keys: http://id.example/jwks.json: {none}",
        f"{place}: {why}",
        f"{place}: the keys can be fetched again",
    ]


@pytest.mark.parametrize("how", TROUBLES)
async def test_an_issuer_in_trouble_at_the_start_has_no_keys(served, fetched, how, caplog):
    caplog.set_level(logging.INFO)
    break_it(served, how)
    await fetched.open()
    assert len(fetched.keys) == 0
    assert "its tokens can't be verified" in caplog.text
