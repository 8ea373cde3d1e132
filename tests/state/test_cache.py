"""What is kept in memory: bounds, what is found again, what goes first, tags and groups."""

from __future__ import annotations

import gc
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.state.cache import ENTRY, FORM, TAG, CacheStore

FOREVER = 1e9


def store(entries=10, entry_size=10_000):
    """A store with room for so many entries of 1,000 bytes."""
    return CacheStore(entries * (ENTRY + 1000), entry_size)


def key(name):
    return str(name).encode()


def put(of, name, size=1000, *, until=FOREVER, group="g", tags=()):
    return of.put(key(name), name, size, until=until, group=group, tags=tags)


def there(of, name, now=0.0):
    entry = of.get(key(name), now)
    return None if entry is None else entry.value


def test_what_was_put_is_found():
    of = store()
    put(of, "a")
    assert there(of, "a") == "a"
    assert there(of, "b") is None


def test_an_entry_ends_at_its_time():
    of = store()
    put(of, "a", until=10.0)
    assert there(of, "a", 9.9) == "a"
    assert there(of, "a", 10.0) is None
    assert len(of) == of.taken == 0


def test_another_takes_the_place_of_the_first():
    of = store()
    put(of, "a", tags=("x",))
    of.put(key("a"), "b", 10, until=FOREVER, group="h", tags=("y",))
    assert there(of, "a") == "b"
    assert (len(of), of.taken, of.groups) == (1, ENTRY + 10 + TAG + 1, ("h",))
    assert of.purge_tag("x", 9) == 0
    assert of.purge_tag("y", 9) == 1


def test_one_that_is_larger_than_the_room_is_not_kept_nor_is_what_it_replaces():
    of = store(2)
    put(of, "a")
    put(of, "a", 5000)
    assert there(of, "a") is None
    assert (len(of), of.taken, of.groups) == (0, 0, ())


def test_what_is_never_asked_for_leaves_in_the_order_in_which_it_came():
    of = store(3)
    for name in "abcd":
        put(of, name)
    assert [name for name in "abcd" if there(of, name)] == ["b", "c", "d"]


def test_who_comes_back_soon_stays_longer():
    of = store(20)
    for number in range(21):
        put(of, number)  # 0 leaves, and its key is remembered
    put(of, 0)
    for number in range(100, 200):
        put(of, number)
    assert there(of, 0) == 0


def test_hot_keys_survive_a_scan():
    of = store(100)
    hot = [f"hot{number}" for number in range(50)]
    for name in hot:
        put(of, name)
    for _ in range(3):
        assert all(there(of, name) for name in hot)
    for number in range(10_000):
        put(of, number)
    assert [name for name in hot if there(of, name)] == hot


def test_what_is_asked_for_often_is_found_more_often_than_by_the_last_use():
    """Zipf's law with a scan between: more hits than the last recently used ones would have had."""
    draw = random.Random(7)
    names = range(2000)
    weights = [1 / (number + 1) for number in names]
    asked = []
    for number in range(30_000):
        asked += draw.choices(names, weights)
        if number % 3 == 0:
            asked.append(f"scan{number}")
    of, recent, hits, recent_hits = store(100), {}, 0, 0
    for name in asked:
        if there(of, name) is None:
            put(of, name)
        else:
            hits += 1
        recent_hits += name in recent
        recent.pop(name, None)
        recent[name] = True
        if len(recent) > 100:
            del recent[next(iter(recent))]
    assert hits > 1.15 * recent_hits


def test_letting_one_in_takes_a_bounded_time_however_warm_the_others_are(monkeypatch):
    of = store(2000)
    for number in range(2000):
        put(of, number)
    for _ in range(3):
        for number in range(2000):
            there(of, number)
    put(of, "more")  # fills the main queue with what was asked for
    for _ in range(3):
        for number in range(2000):
            there(of, number)
    spared = []
    spare = CacheStore._spare
    monkeypatch.setattr(CacheStore, "_spare", lambda *each: (spared.append(1), spare(*each)))
    put(of, "another")
    assert len(spared) <= 128


def test_forms_are_charged_and_found():
    of = store()
    entry = put(of, "a")
    assert entry.get("json") is None
    entry.keep("json", b"{}" * 100)
    assert of.get(key("a"), 0.0).get("json") == b"{}" * 100
    assert of.taken == entry.charge == ENTRY + 1000 + FORM + 200
    entry.keep("json", b"{}")
    assert of.taken == ENTRY + 1000 + FORM + 2


def test_forms_make_others_leave():
    of = store(3, entry_size=1700)
    for name in "abc":
        put(of, name)
    of.get(key("c"), 0.0).keep("json", b"." * 1000)
    assert [name for name in "abc" if there(of, name)] == ["b", "c"] or there(of, "a") is None
    assert of.taken <= 3 * (ENTRY + 1000)


def test_a_form_that_is_too_large_is_not_kept():
    of = store(entry_size=100)
    entry = put(of, "a")
    entry.keep("json", b"." * 101)
    assert entry.get("json") is None
    assert of.taken == ENTRY + 1000


def test_of_many_forms_the_first_made_goes():
    of = store()
    entry = put(of, "a")
    for number in range(9):
        entry.keep(number, b".")
    assert [number for number in range(9) if entry.get(number)] == list(range(1, 9))
    assert of.taken == ENTRY + 1000 + 8 * (FORM + 1)


def test_what_is_kept_no_longer_takes_no_forms():
    of = store()
    entry = put(of, "a")
    of.drop(key("a"))
    entry.keep("json", b"{}")
    assert of.taken == 0


def test_purge_by_tag_and_by_group_in_parts():
    of = store()
    for number in range(5):
        put(of, number, group="g" if number < 3 else "h", tags=("even",) if number % 2 == 0 else ())
    assert of.purge_tag("even", 2) == 2
    assert of.purge_tag("even", 2) == 1
    assert of.purge_tag("even", 2) == 0
    assert of.purge_group("h", 9) == 1
    assert of.groups == ("g",)
    assert [number for number in range(5) if there(of, number) is not None] == [1]


def test_every_purge_is_counted():
    of = store()
    of.purge_tag("t", 1)
    of.purge_group("g", 1)
    of.clear()
    of.outdate()
    assert of.purges == 4


def test_clear_lets_go_of_all():
    of = store()
    entry = put(of, "a", tags=("t",))
    assert of.clear() == 1
    assert (len(of), of.taken, of.groups, there(of, "a")) == (0, 0, (), None)
    entry.keep("json", b"{}")
    assert of.taken == 0


NAMES = st.sampled_from("abcdefgh")
STEP = st.one_of(
    st.tuples(st.just("put"), NAMES, st.integers(0, 4000), st.sets(st.sampled_from("xyz"))),
    st.tuples(st.just("get"), NAMES),
    st.tuples(st.just("form"), NAMES, st.integers(0, 3000)),
    st.tuples(st.just("drop"), NAMES),
    st.tuples(st.just("purge"), st.sampled_from("xyz")),
    st.tuples(st.just("time"), st.floats(0, 5)),
)


@given(st.lists(STEP, max_size=60))
def test_it_holds_no_more_than_it_may_and_nothing_that_was_not_put(steps):
    of = store(4)
    model, now, most = {}, 0.0, 0  # what may be found: name -> (value, until, tags)
    for number, (step, *given_) in enumerate(steps):
        if step == "put":
            name, size, tags = given_
            model[name] = (number, now + 3, tags)
            of.put(key(name), number, size, until=now + 3, group=name, tags=tuple(tags))
        elif step == "get":
            entry = of.get(key(given_[0]), now)
            if entry is not None:
                value, until, _ = model[given_[0]]
                assert entry.value == value
                assert now < until
        elif step == "form" and (entry := of.get(key(given_[0]), now)) is not None:
            entry.keep("form", b"." * given_[1])
        elif step == "drop":
            of.drop(key(given_[0]))
            model.pop(given_[0], None)
        elif step == "purge":
            while of.purge_tag(given_[0], 2):
                pass
            model = {name: each for name, each in model.items() if given_[0] not in each[2]}
        elif step == "time":
            now += given_[0]
        entries = [*of._small.entries.values(), *of._main.entries.values()]
        assert of.taken == sum(entry.charge for entry in entries) <= of._room
        assert {entry.key.decode() for entry in entries} <= model.keys()
        assert set(of.groups) == {entry.group for entry in entries}
        assert set(of._by_tag) == {tag for entry in entries for tag in entry.tags}
        most = max(most, len(of))
        assert len(of._left) <= most


@pytest.mark.parametrize("tags", [0, 2])
def test_entries_take_no_more_memory_than_they_are_charged_with(tags):
    count = 3000
    of = CacheStore(10**9, 10**6)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    try:
        for number in range(count):
            name = number.to_bytes(24, "big")
            of._left[name[::-1]] = None  # as many remembered keys as there may be
            entry = of.put(
                name,
                b"",
                0,
                until=float(number),
                group="shop.v1.Catalog/GetProduct",
                tags=tuple(f"t{number}:{each}" for each in range(tags)),
            )
            entry.keep(("json", number), bytes(100))
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 0.6 * of.taken < taken < of.taken
