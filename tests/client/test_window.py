import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.client.window import MOST, ReceiveWindow, SendWindow


def test_credit_is_what_was_granted_less_what_was_sent():
    window = SendWindow(2, 100)
    window.take(1)
    window.take(1)
    assert not window.admits(1)
    window.grant(1)
    assert window.admits(1)
    assert window.credit == 1


def test_bytes_are_free_again_with_the_grant_of_the_oldest_messages():
    window = SendWindow(10, 100)
    window.take(70)
    window.take(30)
    assert not window.admits(1)
    window.grant(1)
    assert window.admits(70)
    assert not window.admits(71)


def test_one_message_may_have_any_size_where_none_is_on_the_way():
    window = SendWindow(10, 100)
    assert window.admits(1000)
    window.take(1000)
    assert not window.admits(0)
    window.grant(1)
    assert window.admits(1000)


def test_without_credit_nothing_may_be_sent_however_small():
    assert not SendWindow(0, 100).admits(0)


def test_a_credit_is_at_most_2_to_the_31_less_1():
    window = SendWindow(5, 100)
    window.grant(MOST)
    window.grant(MOST)
    assert window.credit == MOST


@pytest.mark.parametrize(("total", "credit"), [(9, 8), (5, 4), (4, 4)], ids=str)
def test_a_total_makes_good_for_grants_that_were_lost_and_takes_none_back(total, credit):
    window = SendWindow(4, 10)
    window.take(10)
    window.grant(1)
    window.granted_in_all(total)
    assert window.credit == credit


@given(st.lists(st.integers(0, 50), max_size=30), st.data())
def test_bytes_on_the_way_are_those_of_the_messages_that_were_not_granted_anew(sizes, data):
    window, way = SendWindow(4, 60), []
    for size in sizes:
        while not window.admits(size):
            n = data.draw(st.integers(1, len(way)))
            window.grant(n)
            del way[:n]
        window.take(size)
        way.append(size)
        assert len(way) <= 4
        assert len(way) == 1 or sum(way) <= 60


@pytest.mark.parametrize(("size", "after"), [(1, 1), (2, 1), (3, 1), (16, 8), (64, 32)], ids=str)
def test_a_grant_is_worth_a_frame_at_half_of_the_window(size, after):
    window = ReceiveWindow(size)
    for _ in range(after - 1):
        window.took()
        assert not window.due
    window.took()
    assert window.due
    assert window.grant() == after
    assert window.granted == size + after
    assert not window.due


def test_a_message_beyond_what_was_granted_is_seen():
    window = ReceiveWindow(1)
    assert window.came()
    assert not window.came()
