"""Children and their bound, and counters that others keep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.telemetry.metrics.definition import Kind, Metric
from gateway.telemetry.metrics.instruments import OTHER, Histograms, Numbers
from gateway.telemetry.metrics.rising import Rising

FEW = Metric("a.few", Kind.COUNTER, "A few.", ("a", "b"), most=2)


def test_a_set_of_labels_has_one_child():
    family = Numbers(FEW)
    assert family.child("x", "y") is family.child("x", "y")
    assert family.child("x", "y") is not family.child("y", "x")


def test_what_is_one_too_many_is_counted_together_and_that_is_counted():
    family = Numbers(FEW)
    for number in range(5):
        family.child("x", str(number)).value += 1
    assert {labels: each.value for labels, each in family} == {
        ("x", "0"): 1,
        ("x", "1"): 1,
        (OTHER, OTHER): 3,
    }
    assert family.overflows == 3


def test_other_labels_than_the_metric_has_are_a_bug():
    with pytest.raises(AssertionError, match="other labels"):
        Numbers(FEW).child("x")


def test_a_bound_belongs_to_its_bucket():
    family = Histograms(Metric("a.size", Kind.HISTOGRAM, "Sizes.", bounds=(1.0, 2.0)))
    for value in (0.5, 1.0, 1.5, 2.0, 2.5):
        family.child().observe(value)
    assert family.child().counts == [2, 2, 1]
    assert family.child().sum == 7.5


class Counting:
    """Something that counts, until it ends."""

    def __init__(self):
        self.count = 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["count", "end"]))))
def test_a_counter_that_others_keep_never_goes_back_and_loses_nothing_that_was_read(steps):
    rising, there, counted = Rising(10), {}, 0
    for name, step in steps:
        if step == "count":
            there.setdefault(name, Counting()).count += 1
            counted += 1
        else:
            there.pop(name, None)
        found = rising.read((each, ("l",), each.count) for each in there.values())
        assert sum(value for _, value in found) == counted


def test_one_that_begins_anew_goes_on_where_the_other_ended():
    rising, first, second = Rising(10), Counting(), Counting()
    first.count = 5
    assert rising.read([(first, ("x",), 5)]) == [(("x",), 5)]
    assert rising.read([]) == [(("x",), 5)]
    assert rising.read([(second, ("x",), 2)]) == [(("x",), 7)]


def test_those_that_count_for_the_same_labels_are_added_up():
    rising, first, second = Rising(10), Counting(), Counting()
    assert rising.read([(first, ("x",), 5), (second, ("x",), 2)]) == [(("x",), 7)]
    assert rising.read([(second, ("x",), 3)]) == [(("x",), 8)]


def test_of_too_many_labels_the_rest_is_one():
    rising, each = Rising(2), Counting()
    assert rising.read([(each, (name,), 1) for name in "abcd"]) == [
        (("a",), 1),
        (("b",), 1),
        ((OTHER,), 2),
    ]
