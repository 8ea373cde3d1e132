"""A table of a bounded number of keys: what it keeps, what it forgets, who shares it."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.state.table import WAYS, Table, TableError, size

SECRET = bytes(range(16))


@pytest.fixture
def file():
    with tempfile.TemporaryFile() as file:
        yield file.fileno()


def kept(table: Table, key: str) -> tuple[float, float, float] | None:
    slot = table.find(*table.locate(key))
    return None if slot < 0 else table.read(slot, 3)


def keep(table: Table, key: str, first: float, now: float = 0.0) -> None:
    tag, where = table.locate(key)
    slot = table.find(tag, where)
    if slot < 0:
        table.insert(tag, where, (first, -first, 2 * first), 3, now)
    else:
        table.write(slot, (first, -first, 2 * first), 3)


@given(st.lists(st.tuples(st.text(st.characters(), max_size=6), st.floats(1, 1e9)), max_size=60))
def test_keeps_the_last_numbers_of_each_key(calls):
    """Keys are any text, surrogates among it."""
    table, model = Table.private(1000), {}
    for key, first in calls:
        keep(table, key, first)
        model[key] = (first, -first, 2 * first)
    assert {key: kept(table, key) for key in model} == model
    assert len(table) == len(model)
    assert kept(table, "\0 never kept") is None
    table.close()


class Crowded:
    """A table of one set."""

    def __init__(self):
        self.table = Table.private(10, secret=SECRET)

    def fill(self, untils, now=0.0):
        for number, until in enumerate(untils):
            keep(self.table, f"key {number}", until, now)


@pytest.fixture
def crowded():
    made = Crowded()
    yield made
    made.table.close()


def test_fills_each_slot_of_a_set_before_anything_is_forgotten(crowded):
    crowded.fill(range(100, 100 + WAYS))
    assert all(kept(crowded.table, f"key {number}") for number in range(WAYS))
    assert crowded.table.evicted == 0


def test_what_is_worth_nothing_goes_uncounted(crowded):
    crowded.fill(range(100, 100 + WAYS))
    keep(crowded.table, "new", 500.0, now=100.0)
    assert kept(crowded.table, "new") is not None
    assert kept(crowded.table, "key 0") is None
    assert crowded.table.evicted == 0


def test_what_is_worth_nothing_soonest_goes_first_and_is_counted(crowded):
    untils = [*range(200, 200 + WAYS)]
    untils[5] = 150
    crowded.fill(untils, now=0.0)
    keep(crowded.table, "new", 500.0, now=100.0)
    assert kept(crowded.table, "key 5") is None
    assert len(crowded.table) == WAYS
    assert crowded.table.evicted == 1


def test_a_table_that_forgets_more_than_one_in_a_hundred_says_so(crowded, caplog):
    with caplog.at_level(logging.WARNING, "gateway.state"):
        crowded.fill(range(100, 100 + 4 * WAYS))
    assert crowded.table.evicted == 3 * WAYS
    assert len(caplog.records) == 1
    assert "more than 10 keys" in caplog.text


def test_a_table_that_goes_on_forgetting_says_so_once_an_hour(crowded, caplog):
    with caplog.at_level(logging.WARNING, "gateway.state"):
        for minute in range(150):
            keep(crowded.table, f"first {minute}", 1e6, now=60.0 * minute)
            keep(crowded.table, f"second {minute}", 1e6, now=60.0 * minute)
        assert len(caplog.records) == 3
        keep(crowded.table, "much later", 1e6, now=60.0 * 1000)
        assert len(caplog.records) == 4


def test_a_tag_is_found_only_where_one_stands(crowded):
    """Not across two."""
    table = crowded.table
    one, two = bytes.fromhex("1111111122222222"), bytes.fromhex("3333333344444444")
    across = bytes.fromhex("2222222233333333")
    table.insert(one, 0, (1.0, 0.0, 0.0), 1, 0.0)
    table.insert(two, 0, (2.0, 0.0, 0.0), 1, 0.0)
    assert table.find(across, 0) == -1
    table.insert(across, 0, (3.0, 0.0, 0.0), 1, 0.0)
    assert [table.read(table.find(tag, 0), 1)[0] for tag in (one, two, across)] == [1, 2, 3]


def test_a_slot_is_empty_only_where_a_whole_tag_is_missing(crowded):
    table = crowded.table
    for number in range(WAYS):
        table.insert((number + 1 << 32).to_bytes(8, "little"), 0, (9.0, 0.0, 0.0), 1, 0.0)
    assert len(table) == WAYS
    assert table.evicted == 0


def test_one_tag_in_two_to_the_64_is_another_as_0_means_empty(crowded, monkeypatch):
    class Zero:
        def copy(self):
            return self

        def update(self, _):
            pass

        def digest(self):
            return bytes(8)

    monkeypatch.setattr(crowded.table, "_hash", Zero())
    assert crowded.table.locate("any") == ((1).to_bytes(8, "little"), 0)


def test_keys_fall_elsewhere_with_another_secret():
    tables = [Table.private(100_000), Table.private(100_000)]
    keys = [f"key {number}" for number in range(20)]
    assert [tables[0].locate(key) for key in keys] != [tables[1].locate(key) for key in keys]


def test_keys_up_to_its_number_lose_less_than_one_in_a_hundred():
    table = Table.private(100_000, secret=SECRET)
    for number in range(100_000):
        keep(table, f"key {number}", 1000.0 + number)
    assert 0 < table.evicted < 1000
    assert len(table) == 100_000 - table.evicted
    for number in range(100_000, 400_000):
        keep(table, f"key {number}", 1000.0 + number)
    assert len(table) <= 160_000, "it never grows"
    assert (
        sum(kept(table, f"key {number}") is not None for number in range(390_000, 400_000)) > 9900
    )
    table.close()


def test_takes_the_bytes_it_says():
    assert size(1_000_000) == 8192 + 4 * 12_800_000
    assert size(10) == 8192 + 4 * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_what_is_not_touched_is_not_resident():
    def resident() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) * 1024

    table = Table.private(10_000_000)
    before = resident()
    for number in range(1000):  # each touches a page of tags, and one of the first numbers
        tag, where = table.locate(f"key {number}")
        table.find(tag, where)
        table.insert(tag, where, (1.0, 0.0, 0.0), 1, 0.0)
    grown = resident() - before
    table.close()
    assert grown < 3 * 1000 * 4096 + 8 * 2**20
    assert grown < size(10_000_000) / 10


class TestShared:
    def test_others_see_what_one_keeps(self, file):
        one = Table.share(1000, file)
        other = Table.attach(file)
        keep(one, "key", 7.0)
        assert kept(other, "key") == (7.0, -7.0, 14.0)
        keep(other, "key", 8.0)
        assert kept(one, "key") == (8.0, -8.0, 16.0)
        assert other.keys == 1000
        one.close()
        assert kept(other, "key") == (8.0, -8.0, 16.0)
        other.close()

    def test_what_a_process_keeps_is_there_after_its_death(self, file):
        table = Table.share(1000, file)

        def work():
            keep(Table.attach(file), "key", 7.0)

        process = multiprocessing.get_context("fork").Process(target=work)
        process.start()
        process.join()
        assert kept(table, "key") == (7.0, -7.0, 14.0)
        table.close()

    def test_has_mutexes_and_a_private_one_none(self, file):
        table = Table.share(1000, file)
        assert table.locks is not None
        assert Table.private(1000).locks is None
        table.close()

    @pytest.mark.parametrize(
        "content",
        [b"", b"short", bytes(size(1000)), b"gwtable1" + bytes(size(1000) - 8)],
        ids=["empty", "short", "zeros", "no sizes"],
    )
    def test_what_is_no_table_is_not_attached(self, file, content):
        os.write(file, content)
        with pytest.raises(TableError):
            Table.attach(file)

    def test_one_that_was_cut_is_not_attached(self, file):
        Table.share(1000, file).close()
        os.ftruncate(file, size(1000) - 4096)
        with pytest.raises(TableError):
            Table.attach(file)
