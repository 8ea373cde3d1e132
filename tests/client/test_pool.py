from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.client.pool import Pool


class Member:
    """A stream with messages to send, one after the other; asks whenever it is called."""

    def __init__(self, pool: Pool, *sizes: int) -> None:
        self.pool = pool
        self.sizes = deque(sizes)
        self.calls = 0

    def changed(self) -> None:
        self.calls += 1

    def try_to_send(self) -> bool:
        if not self.sizes or not self.pool.ask(self, self.sizes[0]):
            return False
        self.pool.take(self, self.sizes.popleft())
        return True


def test_streams_share_the_bytes():
    pool = Pool(100)
    assert Member(pool, 60).try_to_send()
    assert Member(pool, 40).try_to_send()
    assert not Member(pool, 1).try_to_send()


def test_one_message_may_have_any_size_where_none_is_on_the_way():
    pool = Pool(100)
    assert Member(pool, 1000).try_to_send()
    assert not Member(pool, 0).try_to_send()


@pytest.mark.parametrize("size", [0, 10**12], ids=["small", "large"])
def test_a_gateway_that_does_not_say_has_no_bound(size):
    pool = Pool(None)
    assert all(Member(pool, size).try_to_send() for _ in range(100))


def test_first_come_first_served():
    pool = Pool(100)
    sent, large, small = Member(pool, 60), Member(pool, 90), Member(pool, 10)
    assert sent.try_to_send()
    assert not large.try_to_send()
    assert not small.try_to_send()  # it would fit; but then the large one would wait for ever
    pool.free(60)
    assert not small.try_to_send()
    assert large.try_to_send()
    assert small.try_to_send()


def test_who_asks_again_keeps_its_place():
    pool = Pool(100)
    assert Member(pool, 100).try_to_send()
    first, second = Member(pool, 50), Member(pool, 50)
    for member in (first, second, first):
        assert not member.try_to_send()
    pool.free(50)
    assert not second.try_to_send()
    assert first.try_to_send()


class TestWhoIsCalled:
    @pytest.fixture
    def pool(self):
        return Pool(100)

    @pytest.fixture
    def line(self, pool):
        assert Member(pool, 100).try_to_send()
        members = [Member(pool, 20) for _ in range(3)]
        assert not any(member.try_to_send() for member in members)
        return members

    def calls(self, line):
        return [member.calls for member in line]

    def test_the_first_when_bytes_are_free(self, pool, line):
        pool.free(40)
        assert self.calls(line) == [1, 0, 0]

    def test_the_next_when_the_first_has_sent(self, pool, line):
        pool.free(40)
        line[0].try_to_send()
        assert self.calls(line) == [1, 1, 0]

    def test_the_next_when_the_first_has_left(self, pool, line):
        pool.free(40)
        pool.leave(line[0])
        assert self.calls(line) == [1, 1, 0]
        assert line[1].try_to_send()

    def test_nobody_that_has_left(self, pool, line):
        for member in line:
            pool.leave(member)
            pool.leave(member)
        before = self.calls(line)
        pool.free(100)
        assert self.calls(line) == before


@given(
    st.integers(1, 50),
    st.lists(st.lists(st.integers(0, 80), max_size=6), max_size=8),
    st.randoms(use_true_random=False),
)
def test_all_is_sent_in_the_end_by_those_who_are_called(size, streams, random):
    pool = Pool(size)
    members = [Member(pool, *sizes) for sizes in streams]
    way: list[int] = []
    ready = deque(members)
    while ready or way:
        if ready and (not way or random.random() < 0.6):
            member = ready.popleft()
            calls, first = member.calls, member.sizes[0] if member.sizes else 0
            if member.try_to_send():
                way.append(first)
                ready.append(member)
            assert member.calls == calls
        else:
            pool.free(way.pop(random.randrange(len(way))))
        ready.extend(each for each in members if each.calls and each not in ready)
        for each in members:
            each.calls = 0
        assert len([each for each in way if each]) <= 1 or sum(way) <= size
    assert not any(member.sizes for member in members)
