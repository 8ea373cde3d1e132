import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.client.pool import Pool
from gateway.client.window import MOST, ReceiveWindow, SendWindow


def sending(credit: int, buffer: int, pool: Pool | None = None) -> SendWindow:
    """A window; of the only stream, unless there is a pool."""
    return SendWindow(credit, buffer, pool or Pool(None), lambda: None)


def test_credit_is_what_was_granted_less_what_was_sent():
    window = sending(2, 100)
    window.take(1)
    window.take(1)
    assert not window.ask(1)
    window.grant(1)
    assert window.ask(1)
    assert window.credit == 1


def test_bytes_are_free_again_with_the_grant_of_the_oldest_messages():
    window = sending(10, 100)
    window.take(70)
    window.take(30)
    assert not window.ask(1)
    window.grant(1)
    assert window.ask(70)
    assert not window.ask(71)


def test_one_message_may_have_any_size_where_none_is_on_the_way():
    window = sending(10, 100)
    assert window.ask(1000)
    window.take(1000)
    assert not window.ask(0)
    window.grant(1)
    assert window.ask(1000)


def test_without_credit_nothing_may_be_sent_however_small():
    assert not sending(0, 100).ask(0)


def test_a_credit_is_at_most_2_to_the_31_less_1():
    window = sending(5, 100)
    window.grant(MOST)
    window.grant(MOST)
    assert window.credit == MOST


@pytest.mark.parametrize(("total", "credit"), [(9, 8), (5, 4), (4, 4)], ids=str)
def test_a_total_makes_good_for_grants_that_were_lost_and_takes_none_back(total, credit):
    window = sending(4, 10)
    window.take(10)
    window.grant(1)
    window.granted_in_all(total)
    assert window.credit == credit


@given(st.lists(st.integers(0, 50), max_size=30), st.data())
def test_bytes_on_the_way_are_those_of_the_messages_that_were_not_granted_anew(sizes, data):
    window, way = sending(4, 60), []
    for size in sizes:
        while not window.ask(size):
            n = data.draw(st.integers(1, len(way)))
            window.grant(n)
            del way[:n]
        window.take(size)
        way.append(size)
        assert len(way) <= 4
        assert len(way) == 1 or sum(way) <= 60


class TestOtherStreams:
    def test_share_the_bytes_which_are_free_again_with_a_grant(self):
        pool = Pool(100)
        first, second = sending(4, 100, pool), sending(4, 100, pool)
        first.take(60)
        second.take(30)
        assert not second.ask(20)
        first.grant(1)
        assert second.ask(70)

    def test_get_what_a_total_says_to_be_granted(self):
        pool = Pool(100)
        first, second = sending(4, 100, pool), sending(4, 100, pool)
        first.take(90)
        assert not second.ask(90)
        first.granted_in_all(5)
        assert second.ask(90)

    def test_get_all_when_a_stream_is_over(self):
        pool = Pool(100)
        first, second = sending(4, 100, pool), sending(4, 100, pool)
        first.take(40)
        first.take(40)
        first.close()
        first.grant(2)  # was on the way
        second.take(100)
        assert not sending(4, 100, pool).ask(1)

    @pytest.mark.parametrize("leave", [SendWindow.withdraw, SendWindow.close])
    def test_go_on_when_a_stream_that_stood_in_line_leaves(self, leave):
        pool = Pool(100)
        sending(4, 100, pool).take(50)
        first, second = sending(4, 100, pool), sending(4, 100, pool)
        assert not first.ask(60)
        assert not second.ask(50)
        leave(first)
        assert second.ask(50)

    @pytest.mark.parametrize(("credit", "sent"), [(0, 0), (4, 90)], ids=["credit", "bytes"])
    def test_are_not_held_up_by_one_that_waits_for_its_own_credit(self, credit, sent):
        pool = Pool(100)
        first = sending(credit, 90, pool)
        if sent:
            first.take(sent)
        assert not first.ask(20)
        assert sending(4, 90, pool).ask(10)


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
