"""Writes in the background: the newest of a key is what stays, and what is under way is bounded."""

from __future__ import annotations

import asyncio

import pytest

from gateway.state.latest import Latest

K1, K2, K3 = b"1", b"2", b"3"


class Place:
    """Where things are written, each once its gate opens."""

    def __init__(self):
        self.begun = []
        self.written = []
        self.gates = {}

    def write(self, key, value):
        async def begin():
            self.begun.append(value)
            await self.gates.setdefault(value, asyncio.Event()).wait()
            self.written.append(value)

        return begin

    def let(self, *values):
        for value in values:
            self.gates.setdefault(value, asyncio.Event()).set()


@pytest.fixture
def place():
    return Place()


@pytest.fixture
def begin(place):
    def begin(latest, key, value, size=1):
        latest.begin(key, size, place.write(key, value))

    return begin


async def turn():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_write_waits_for_the_one_before_it(place, begin):
    latest = Latest(10, 10)
    begin(latest, K1, "put")
    begin(latest, K2, "other")
    await turn()
    begin(latest, K1, "drop")
    await turn()
    assert place.begun == ["put", "other"]
    place.let("other", "drop", "put")
    await latest.settle()
    assert place.written == ["other", "put", "drop"]
    assert len(latest) == 0


async def test_of_those_that_wait_only_the_newest_is_written(place, begin):
    latest = Latest(10, 10)
    begin(latest, K1, "first")
    await turn()
    for value in ("second", "third", "last"):
        begin(latest, K1, value)
    place.let("first", "second", "third", "last")
    await latest.settle()
    assert place.written == ["first", "last"]


async def test_so_many_keys_at_a_time(place, begin):
    latest = Latest(2, 10)
    for key in (K1, K2, K3):
        begin(latest, key, key)
    await turn()
    begin(latest, K1, "again")
    place.let(K1, K2, K3, "again")
    await latest.settle()
    assert set(place.written) == {K1, K2, "again"}
    begin(latest, K3, K3)
    await latest.settle()
    assert place.written[-1] == K3


async def test_so_many_bytes_at_a_time(place, begin):
    latest = Latest(10, 10)
    begin(latest, K1, "six", 6)
    await turn()
    begin(latest, K1, "four", 4)
    begin(latest, K2, "one", 1)
    begin(latest, K1, "three", 3)  # in place of four
    begin(latest, K3, "none", 1)
    place.let("six", "four", "one", "three", "none")
    await latest.settle()
    assert sorted(place.written) == ["none", "six", "three"]
    begin(latest, K2, "ten", 10)
    place.let("ten")
    await latest.settle()
    assert place.written[-1] == "ten"


async def test_what_waits_is_too_old_where_there_is_no_room_for_the_newest(place, begin):
    latest = Latest(10, 10)
    begin(latest, K1, "first", 6)
    await turn()
    begin(latest, K1, "older", 4)
    begin(latest, K1, "newest", 5)
    place.let("first", "older", "newest")
    await latest.settle()
    assert place.written == ["first"]


async def test_what_takes_away_has_a_bound_of_its_own_and_the_log_tells_of_it(place, begin, caplog):
    latest = Latest(1, 10, most=2)
    begin(latest, K1, "put")
    begin(latest, K2, "no put")
    begin(latest, K2, "drop", 0)
    assert not caplog.records
    for _ in range(2):
        begin(latest, K3, "one too many", 0)
    assert [each.levelname for each in caplog.records] == ["WARNING"]
    place.let("put", "drop", "one too many")
    await latest.settle()
    assert sorted(place.written) == ["drop", "put"]
    for key in (K1, K2, K3):
        begin(latest, key, key, 0)
    assert len(caplog.records) == 2
    place.let(K1, K2)
    await latest.settle()


async def test_what_waits_for_a_write_that_fails_is_written_all_the_same(place, begin, caplog):
    latest = Latest(10, 10)

    async def fails():
        await asyncio.sleep(0)
        raise ValueError

    latest.begin(K1, 6, fails)
    await asyncio.sleep(0)
    begin(latest, K1, "next", 4)
    place.let("next", "ten")
    await latest.settle()
    assert [each.exc_info[0] for each in caplog.records] == [ValueError]
    begin(latest, K2, "ten", 10)
    await latest.settle()
    assert place.written == ["next", "ten"]


@pytest.mark.parametrize("begun", [True, False], ids=["under-way", "not-begun"])
async def test_what_is_cancelled_gives_back_its_room_and_that_of_what_waits(place, begin, begun):
    latest = Latest(1, 10)
    begin(latest, K1, "first", 6)
    if begun:
        await turn()
        begin(latest, K1, "waits", 4)
    latest._tasks[K1].cancel()
    await turn()
    assert len(latest) == 0
    begin(latest, K2, "ten", 10)
    place.let("first", "waits", "ten")
    await latest.settle()
    assert place.written == ["ten"]
