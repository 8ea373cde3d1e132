"""Argon2id: what is checked, what it costs, and how many may wait."""

from __future__ import annotations

import asyncio
import threading

import pytest
from argon2 import PasswordHasher, extract_parameters

from gateway.call import Code, RpcError
from gateway.policies.auth import passwords
from gateway.policies.auth.passwords import (
    PasswordPool,
    hash_password,
    is_weak,
    matches,
    stand_in,
)

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
STORED = CHEAP.hash("open sesame")


def test_only_the_password_matches() -> None:
    stored = hash_password("open sesame")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert matches(stored, "open sesame")
    assert not matches(stored, "open sesam")


@pytest.mark.parametrize(
    "like",
    [None, STORED, CHEAP.hash("x"), hash_password("y")],
    ids=["of nobody", "of one", "of another one", "of the usual cost"],
)
def test_a_stand_in_costs_as_much_and_matches_nothing(like: str | None) -> None:
    made = stand_in(like)
    assert extract_parameters(made) == extract_parameters(like or hash_password("z"))
    assert made != stand_in(like)
    assert not matches(made, "")
    assert not matches(made, "open sesame")


@pytest.mark.parametrize(
    ("memory", "passes", "weak"),
    [(19456, 2, False), (47104, 1, False), (7168, 5, False), (7168, 4, True), (4096, 50, True)],
)
def test_which_hashes_are_weak(memory: int, passes: int, weak: bool) -> None:
    costs = f"$argon2id$v=19$m={memory},t={passes},p=1$"
    tail = STORED.split("$", 4)[4]
    assert is_weak(costs + tail) is weak


class Held:
    """Passwords whose look takes until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.most = self.now = 0
        self._lock = threading.Lock()

    def __call__(self, stored: str, password: str) -> bool:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.go.wait(10)
        with self._lock:
            self.now -= 1
        return True


@pytest.fixture
def held(monkeypatch):
    found = Held()
    monkeypatch.setattr(passwords, "matches", found)
    yield found
    found.go.set()


def unavailable(refusal: RpcError) -> bool:
    return (refusal.status.code, refusal.reason) == (
        Code.UNAVAILABLE,
        "AUTHENTICATION_UNAVAILABLE",
    )


async def test_few_are_looked_at_at_once_some_wait_and_more_are_refused(held):
    pool = PasswordPool(threads=2, waiting=3)
    looks = []
    for _ in range(5):
        pool.reserve()
        looks.append(asyncio.create_task(pool.matches(STORED, "x")))
    await asyncio.sleep(0)
    with pytest.raises(RpcError) as refusal:
        pool.reserve()
    assert unavailable(refusal.value)
    held.go.set()
    assert await asyncio.gather(*looks) == [True] * 5
    assert held.most <= 2
    pool.reserve()
    pool.release()
    pool.close()


async def test_a_closed_pool_takes_none_and_ends_what_waits(held):
    pool = PasswordPool(threads=1, waiting=3)
    looks = []
    for _ in range(3):
        pool.reserve()
        looks.append(asyncio.create_task(pool.matches(STORED, "x")))
    await asyncio.sleep(0)
    pool.close()
    with pytest.raises(RpcError) as refusal:
        pool.reserve()
    assert unavailable(refusal.value)
    held.go.set()
    assert await asyncio.gather(*looks) == [True] * 3


async def test_what_was_let_in_before_the_pool_closed_but_not_looked_at_is_told_so():
    pool = PasswordPool()
    pool.reserve()
    pool.close()
    with pytest.raises(RpcError) as refusal:
        await pool.matches(STORED, "open sesame")
    assert unavailable(refusal.value)
