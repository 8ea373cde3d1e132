"""What outlives generations: closed when no generation needs it, after a grace, and never opened again."""

from __future__ import annotations

import asyncio

import pytest

from gateway.app import lasting as module
from gateway.app.build_error import BuildError
from gateway.app.lasting import Lasting


class Thing:
    """Something that tells what becomes of it."""

    def __init__(self, name, told, held=None):
        self.name = name
        self.told = told
        self.held = held

    async def open(self):
        if self.held is not None:
            await self.held.wait()
        self.told.append(f"{self.name} opens")

    async def close(self):
        self.told.append(f"{self.name} closes")


@pytest.fixture
def told():
    return []


async def generation(lasting, told, *names, at_once=()):
    taken = lasting.taken()
    for name in names:
        taken.of(name, lambda name=name: Thing(name, told), at_once=name in at_once)
    await lasting.open(taken)
    await lasting.settle(taken)


async def test_what_is_used_on_is_neither_closed_nor_opened_again(told, monkeypatch):
    monkeypatch.setattr(module, "_GRACE", 0)
    lasting = Lasting()
    await generation(lasting, told, "a")
    await generation(lasting, told, "a")
    await asyncio.sleep(0.01)
    assert told == ["a opens"]
    await lasting.close()


async def test_what_is_used_no_more_is_closed_after_a_grace_the_last_first(told, monkeypatch):
    monkeypatch.setattr(module, "_GRACE", 0)
    lasting = Lasting()
    await generation(lasting, told, "a", "b")
    await generation(lasting, told)
    assert told == ["a opens", "b opens"]
    async with asyncio.timeout(5):
        while len(told) < 4:
            await asyncio.sleep(0)
    assert told[2:] == ["b closes", "a closes"]
    await lasting.close()
    assert len(told) == 4


async def test_the_end_waits_for_no_grace(told, monkeypatch):
    monkeypatch.setattr(module, "_GRACE", 3600)
    lasting = Lasting()
    await generation(lasting, told, "a", "b")
    await generation(lasting, told, "a")
    assert told == ["a opens", "b opens"]
    await lasting.close()
    assert told[2:] == ["b closes", "a closes"]


async def test_what_is_to_end_at_once_has_no_grace(told, monkeypatch):
    monkeypatch.setattr(module, "_GRACE", 3600)
    lasting = Lasting()
    await generation(lasting, told, "a", "b", at_once=("b",))
    await generation(lasting, told)
    assert told[2:] == ["b closes"]
    await lasting.close()
    assert told[3:] == ["a closes"]


async def test_what_is_for_good_is_there_again_after_generations_without_it(told):
    lasting = Lasting()
    first = lasting.taken()
    made = first.for_good("totals", list)
    still = first.still("room", list)
    await lasting.open(first)
    await lasting.settle(first)
    await generation(lasting, told)
    again = lasting.taken()
    assert again.for_good("totals", list) is made
    assert again.still("room", list) is not still
    await lasting.close()


async def test_after_the_end_nothing_begins(told):
    lasting = Lasting()
    await generation(lasting, told, "a")
    await lasting.close()
    with pytest.raises(BuildError, match="the gateway ends"):
        await generation(lasting, told, "b")
    assert told == ["a opens", "a closes"]


async def test_what_opens_at_the_end_is_closed_when_it_is_open(told):
    lasting, held = Lasting(), asyncio.Event()
    taken = lasting.taken()
    taken.of("a", lambda: Thing("a", told, held))
    opening = asyncio.ensure_future(lasting.open(taken))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(lasting.close())
    await asyncio.sleep(0)
    held.set()
    await asyncio.gather(opening, closing)
    assert told == ["a opens", "a closes"]
