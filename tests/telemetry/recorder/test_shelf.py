"""A bounded store in which each kind has its share."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.telemetry.recorder.shelf import Shelf


def shelf(places):
    left = []
    return Shelf(places, left.append), left


def test_the_oldest_makes_place():
    kept, left = shelf(3)
    for number in range(5):
        kept.put("a", number)
    assert (list(kept), left) == ([2, 3, 4], [0, 1])


def test_a_flood_pushes_out_its_own_kind_alone():
    kept, left = shelf(10)
    kept.put("seldom", "first")
    for number in range(1000):
        kept.put("flood", number)
    assert "first" in list(kept)
    assert "first" not in left
    assert len(kept) == 10


def test_where_all_are_of_different_kinds_the_first_makes_place():
    kept, left = shelf(2)
    for name in "abc":
        kept.put(name, name)
    assert (list(kept), left) == (["b", "c"], ["a"])


def test_what_would_be_pushed_out_within_a_second_is_not_wanted():
    kept, _ = shelf(3)
    wanted = []
    for _ in range(5):
        wanted.append(kept.wants("a", 1.0))
        kept.put("a", 0)
    assert (wanted, kept.crowded) == ([True, True, True, True, False], 1)
    assert kept.wants("b", 1.0)
    assert kept.wants("a", 2.5)


def test_fewer_places_are_kept_at_once():
    kept, left = shelf(4)
    for number in range(4):
        kept.put("a", number)
    kept.resize(2)
    assert (list(kept), left) == ([2, 3], [0, 1])
    kept.resize(3)
    for number in range(4, 6):
        kept.put("a", number)
    assert list(kept) == [3, 4, 5]


@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(1, 6)))),
)
def test_it_is_bounded_and_takes_from_who_has_most(places, steps):
    kept, left = shelf(places)
    model = []

    def agree():
        for gone in left:
            sizes = Counter(kind for kind, _ in model)
            assert len(model) > places
            assert sizes[gone[0]] == max(sizes.values())
            assert gone == next(each for each in model if each[0] == gone[0])
            model.remove(gone)
        left.clear()
        assert sorted(model) == sorted(kept)
        assert len(kept) == len(model) <= places

    for number, (kind, resized) in enumerate(steps):
        if resized is not None:
            places = resized
            kept.resize(places)
            agree()
        kept.put(kind, (kind, number))
        model.append((kind, number))
        agree()
