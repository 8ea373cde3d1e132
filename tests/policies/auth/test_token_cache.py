"""Tokens that were judged: how long each is taken for what it was, and in how much memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass

import pytest

from gateway.call import Principal
from gateway.policies.auth.provider import BadCredentials
from gateway.policies.auth.token_cache import LONGEST, TokenCache

MIB = 1 << 20


class Clock:
    """Time that passes: on a clock that never goes back, and on the wall, which may be put right.

    Attributes:
        wall: What the wall's clock is ahead of the other.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.wall = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def on_wall(self) -> float:
        return self.now + self.wall


@dataclass
class Key:
    alive: bool = True


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(clock):
    return TokenCache(MIB, clock.on_wall, clock)


def ada(expires=None, **claims):
    return Principal("ada", "customers", claims=claims, expires=expires)


def test_a_token_is_known_by_its_text_alone(cache):
    cache.put("good", ada())
    assert cache.get("good") == ada()
    assert cache.get("goof") is None


def test_no_token_is_kept(cache):
    cache.put("a-secret-token", ada())
    cache.refuse("a-bad-secret", BadCredentials("no", "why"), 10)
    assert "secret" not in repr(cache._entries) + repr(cache._refused)


def test_it_is_taken_for_five_minutes_at_most(cache, clock):
    cache.put("good", ada())
    clock.now += LONGEST - 0.01
    assert cache.get("good")
    clock.now += 0.01
    assert cache.get("good") is None
    assert len(cache) == 0
    assert cache.taken == 0


def test_it_is_taken_for_less_where_its_owner_says_so(cache, clock):
    cache.put("good", ada(), seconds=30)
    clock.now += 30
    assert cache.get("good") is None


def test_it_is_taken_no_longer_than_it_holds(cache, clock):
    cache.put("good", ada(expires=clock.on_wall() + 7))
    clock.now += 6.9
    assert cache.get("good")
    clock.now += 0.1
    assert cache.get("good") is None


@pytest.mark.parametrize("hour", [3600, -3600], ids=["put forward", "put back"])
def test_the_five_minutes_are_none_of_the_walls(cache, clock, hour):
    cache.put("good", ada())
    clock.wall += hour
    assert cache.get("good")
    clock.now += LONGEST
    assert cache.get("good") is None


def test_what_has_expired_on_the_wall_is_not_taken(cache, clock):
    """Its clock was slow, and was put right."""
    cache.put("good", ada(expires=clock.on_wall() + 1800))
    clock.wall += 1799
    assert cache.get("good")
    clock.wall += 1
    assert cache.get("good") is None


def test_it_is_taken_only_while_its_key_is_alive(cache):
    one, other = Key(), Key()
    cache.put("one", ada(), voucher=one)
    cache.put("other", ada(), voucher=other)
    one.alive = False
    assert cache.get("one") is None
    assert cache.get("other")


def test_the_one_not_seen_for_longest_goes_first(clock):
    cache = TokenCache(7500, clock.on_wall, clock)
    for token in ("a", "b", "c"):
        cache.put(token, ada(text="x" * 1000))
    assert len(cache) == 3
    assert cache.get("a")
    cache.put("d", ada(text="x" * 1000))
    assert cache.get("b") is None
    assert [bool(cache.get(token)) for token in "acd"] == [True] * 3


def test_a_token_put_again_is_charged_once(cache):
    cache.put("a", ada())
    once = cache.taken
    cache.put("a", ada())
    assert (len(cache), cache.taken) == (1, once)


def test_what_is_larger_than_the_cache_is_not_kept(clock):
    cache = TokenCache(4000, clock.on_wall, clock)
    cache.put("small", ada())
    cache.put("large", ada(text="x" * 4000))
    assert cache.get("large") is None
    assert cache.get("small")


def test_a_size_of_0_keeps_none(clock):
    cache = TokenCache(0, clock.on_wall, clock)
    cache.put("a", ada())
    assert (len(cache), cache.taken) == (0, 0)


def test_the_charge_counts_what_is_nested(cache):
    cache.put("flat", ada(a="x"))
    flat = cache.taken
    cache.put("nested", ada(a={"b": [{"c": "x" * 5000}]}))
    assert cache.taken - flat > 5000 + flat


def test_memory_stays_below_the_size_that_is_set(clock):
    cache = TokenCache(MIB, clock.on_wall, clock)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(3000):
            claims = {f"claim-{number}-{index}": f"value-{number}-{index}" for index in range(10)}
            cache.put(f"token-{number}", ada(**claims))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(cache) < 1000, "most of them had to go"
    assert MIB * 0.6 < after - before < MIB * 1.02


def test_a_bad_token_is_refused_again_in_the_same_words_for_a_while(cache, clock):
    cache.refuse("bad", BadCredentials("No.", "signature", reason="TOKEN_EXPIRED"), 5)
    clock.now += 4.9
    one, two = cache.refusal("bad"), cache.refusal("bad")
    assert (one.text, one.why, one.reason) == ("No.", "signature", "TOKEN_EXPIRED")
    assert one is not two, "an exception that is raised twice would gather tracebacks"
    clock.now += 0.1
    assert cache.refusal("bad") is None


@pytest.mark.parametrize("hour", [3600, -3600], ids=["put forward", "put back"])
def test_how_long_it_is_refused_is_none_of_the_walls(cache, clock, hour):
    cache.refuse("bad", BadCredentials("No.", "why"), 5)
    clock.wall += hour
    clock.now += 4.9
    assert cache.refusal("bad")
    clock.now += 0.1
    assert cache.refusal("bad") is None


def test_a_token_that_turned_bad_is_not_taken_as_good(cache):
    cache.put("revoked", ada())
    cache.refuse("revoked", BadCredentials("No.", "revoked"), 5)
    assert cache.get("revoked") is None


def test_a_token_that_turned_good_is_not_refused(cache):
    cache.refuse("early", BadCredentials("No.", "not valid yet"), 5)
    cache.put("early", ada())
    assert cache.refusal("early") is None


def test_bad_tokens_are_bounded_and_drive_out_no_good_one(clock):
    cache = TokenCache(MIB, clock.on_wall, clock, refusals=10)
    cache.put("good", ada())
    for number in range(1000):
        cache.refuse(f"bad-{number}", BadCredentials("No.", "why"), 5)
    assert cache.get("good")
    assert len(cache._refused) == 10
    assert cache.refusal("bad-999")
    assert cache.refusal("bad-0") is None


def test_bad_tokens_are_forgotten_when_what_judged_them_changes(cache):
    cache.refuse("bad", BadCredentials("No.", "unknown key"), 5)
    cache.forget_refusals()
    assert cache.refusal("bad") is None


@pytest.mark.parametrize("token", ["", "é", "\ud800", "\U0001f600"])
def test_any_text_can_be_asked_for(cache, token):
    assert cache.get(token) is None
    assert cache.refusal(token) is None
