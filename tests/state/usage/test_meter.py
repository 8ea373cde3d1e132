"""What a process counted reaches where it is kept, once, also when that was away."""

import asyncio

import pytest

from gateway.state.usage import meter as module
from gateway.state.usage.counts import add, counts_of
from gateway.state.usage.ledger import Ledger
from gateway.state.usage.meter import InMemory, Meter, StoreError, Told
from gateway.state.usage.question import Question, answered, read
from gateway.state.usage.totals import Totals

ALL = read({"by": ""})


class Flaky:
    """A store that knows numbers, and is away or loses answers when it is told to."""

    def __init__(self):
        self.counts, self.known = {}, 0
        self.away = self.loses = False

    async def take(self, batch):
        await asyncio.sleep(0)
        if self.away:
            raise StoreError("away")
        if batch.number > self.known:
            self.known = batch.number
            add(self.counts, counts_of(batch.rows))
        if self.loses:
            raise StoreError("no answer")

    async def answer(self, question: Question):
        if self.away:
            raise StoreError("away")
        return answered(question, self.counts)


def count(meter, calls=1):
    meter._ledger.tally("a/B").of(("keys", "acme", None)).calls += calls


async def calls(meter):
    return [row["calls"] for row in (await meter.answer(ALL))["rows"]]


async def test_an_answer_has_what_was_counted_just_now():
    meter = Meter(InMemory(Totals(lambda: 10)), Ledger(10))
    assert await calls(meter) == []
    count(meter)
    count(meter, 2)
    assert await calls(meter) == [3]
    count(meter)
    assert await calls(meter) == [4]


async def test_it_tells_by_itself_every_second(monkeypatch):
    monkeypatch.setattr(module, "EVERY", 0)
    told = asyncio.Event()

    async def tell(rows):
        assert rows
        told.set()

    meter = Meter(Told(tell), Ledger(10))
    await meter.open()
    count(meter)
    async with asyncio.timeout(10):
        await told.wait()
    await meter.close()


async def test_who_leaves_all_to_another_says_nothing_himself():
    rows = []

    async def tell(more):
        rows.extend(more)

    meter = Meter(Told(tell), Ledger(10))
    count(meter, 5)
    assert await meter.answer(ALL) == {}
    assert [row[1:6] for row in rows] == [("keys", "acme", "", "a/B", 5)]


async def test_nothing_is_lost_or_doubled_when_a_store_is_away_or_loses_answers():
    store = Flaky()
    meter = Meter(store, Ledger(10))
    store.loses = True
    count(meter)
    with pytest.raises(StoreError):
        await meter.answer(ALL)
    store.loses, store.away = False, True
    count(meter, 2)
    with pytest.raises(StoreError):
        await meter.answer(ALL)
    store.away = False
    count(meter, 4)
    assert await calls(meter) == [7]


async def test_one_flush_at_a_time():
    store = Flaky()
    meter = Meter(store, Ledger(10))
    count(meter, 3)
    assert await asyncio.gather(*(calls(meter) for _ in range(5))) == [[3]] * 5


async def test_who_stops_waiting_loses_nothing():
    store = Flaky()
    meter = Meter(store, Ledger(10))
    count(meter, 3)
    asking = asyncio.create_task(calls(meter))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await calls(meter) == [3]


async def test_the_end_tells_the_rest():
    store = Flaky()
    meter = Meter(store, Ledger(10))
    await meter.open()
    count(meter, 3)
    await meter.close()
    assert [each.calls for each in store.counts.values()] == [3]


async def test_the_end_tries_again_for_a_while_and_says_what_is_lost(monkeypatch, caplog):
    monkeypatch.setattr(module, "LAST", 0.05)
    monkeypatch.setattr(module, "_AGAIN", 0)
    store = Flaky()
    store.away = True
    meter = Meter(store, Ledger(10))
    count(meter, 3)
    await meter.close()
    assert "the usage of 3 calls is lost" in caplog.text


async def test_a_meter_that_ends_leaves_to_the_next_what_comes(monkeypatch):
    monkeypatch.setattr(module, "_AGAIN", 0)
    ledger, away, store = Ledger(10), Flaky(), Flaky()
    away.away = True
    old, new = Meter(away, ledger), Meter(store, ledger)
    count(old)
    ending = asyncio.create_task(old.close())
    for _ in range(5):
        await asyncio.sleep(0)
    count(old, 2)  # of a call that ran when the state was changed
    for _ in range(5):
        await asyncio.sleep(0)
    assert await calls(new) == [2]
    away.away = False
    await ending
    assert [each.calls for each in away.counts.values()] == [1]


async def test_an_outage_is_told_once_and_so_is_its_end(monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setattr(module, "EVERY", 0)
    store = Flaky()
    store.away = True
    meter = Meter(store, Ledger(10))
    await meter.open()
    count(meter)
    for _ in range(20):
        await asyncio.sleep(0)
    store.away = False
    async with asyncio.timeout(10):
        while not store.counts:
            await asyncio.sleep(0)
    await meter.close()
    words = [record.getMessage() for record in caplog.records]
    assert words == [
        "usage can't be kept now: away; it waits in memory",
        "usage is kept again",
    ]


class Poisoned(Flaky):
    """A store that fails to understand the first batch, whatever is done."""

    tried = 0

    async def take(self, batch):
        if batch.number == 1:
            self.tried += 1
            raise KeyError("what nobody thought of")
        await super().take(batch)


async def test_a_batch_that_a_bug_keeps_from_arriving_is_set_aside_after_some_tries(
    monkeypatch, caplog
):
    monkeypatch.setattr(module, "EVERY", 0)
    store = Poisoned()
    meter = Meter(store, Ledger(10))
    await meter.open()
    count(meter, 3)
    async with asyncio.timeout(10):
        while not store.tried:
            await asyncio.sleep(0)
        count(meter, 4)
        while not store.counts:
            await asyncio.sleep(0)
    assert await calls(meter) == [4]
    await meter.close()
    assert store.tried == 3
    (line,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert line.getMessage() == "the usage of 3 calls is lost: a bug in keeping it"
