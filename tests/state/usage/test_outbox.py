"""A batch keeps its number and its content until it has arrived."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.state.usage import outbox as module
from gateway.state.usage.counts import OTHERS, Caller, Count, Key, add, counts_of
from gateway.state.usage.outbox import ROWS, Outbox


def key(number):
    return Key("2026-11-21", Caller("keys", str(number), ""), "a/B")


def some(numbers):
    return {key(number): Count(calls=1, reply_bytes=number) for number in numbers}


def test_nothing_is_no_batch():
    box = Outbox()
    box.put({})
    assert box.next() is None


def test_a_batch_is_the_same_until_it_has_arrived():
    box = Outbox()
    box.put(some([1]))
    first = box.next()
    box.put(some([1, 2]))
    assert box.next() is first
    assert (first.number, len(first.rows)) == (1, 1)
    box.arrived()
    second = box.next()
    assert second.number == 2
    assert counts_of(second.rows) == some([1, 2])
    box.arrived()
    assert box.next() is None


def test_a_batch_has_a_bounded_number_of_rows():
    box = Outbox()
    box.put(some(range(2 * ROWS + 1)))
    sizes = []
    while (batch := box.next()) is not None:
        sizes.append(len(batch.rows))
        box.arrived()
    assert sizes == [ROWS, ROWS, 1]


def test_what_waits_is_so_many_rows_and_then_one_for_each_method(monkeypatch):
    monkeypatch.setattr(module, "WAITING", 3)
    box = Outbox()
    for number in range(20):
        box.put(some([number]))
    assert len(box._waiting) == 4
    assert box._waiting[key(0)._replace(caller=OTHERS)].calls == 17
    assert box.calls == 20


def test_what_waits_grows_no_further_than_its_keys():
    box = Outbox()
    for _ in range(1000):
        box.put(some([1, 2, 3]))
        box.next()
    assert box.calls == 3000
    assert len(box.next().rows) + len(box._waiting) == 6


@given(
    st.lists(
        st.one_of(st.lists(st.integers(0, 5), max_size=4), st.sampled_from(["sent", "lost"])),
        max_size=40,
    )
)
def test_who_knows_numbers_counts_each_once_however_answers_are_lost(steps):
    box, known, sums, put = Outbox(), 0, {}, {}

    def told(*, arrives):
        nonlocal known
        if (batch := box.next()) is None:
            return
        if batch.number > known:
            known = batch.number
            add(sums, counts_of(batch.rows))
        if arrives:
            box.arrived()

    for step in steps:
        if isinstance(step, str):
            told(arrives=step == "sent")
        else:
            box.put(some(step))
            add(put, some(step))
    while box.next() is not None:
        told(arrives=True)
    assert sums == put
