"""Limits in memory: whole calls by a slow, obvious model, and by processes that share them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policies.limits.ask import Algorithm, Ask, Numbers, Share, Verdict
from gateway.policies.limits.memory import MemoryLimiter
from gateway.state.mutex import RobustMutexes
from gateway.state.table import Table

processes = multiprocessing.get_context("fork")
TEN = Numbers(Algorithm.TOKEN_BUCKET, 10, 1.0, 10)
DAY = Numbers(Algorithm.CALENDAR, 1000, 86400.0, 1000)
OFF = 1_700_000_000.0  # what the wall is ahead of the clock
ENDS = OFF + 1_000_000.0


class Clock:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now + OFF


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limiter(clock):
    table = Table.private(10_000)
    yield MemoryLimiter(table, clock, clock.wall)
    table.close()


def decided(limiter: MemoryLimiter, *asks: Ask) -> tuple[bool, tuple[Share, ...]]:
    allowed, shares = limiter.decide(asks)
    assert None not in shares
    return allowed, shares


class Model:
    """What was taken, as a list of times for each key: a limit is counted anew for each ask.

    Times are whole numbers of sixteenths of the period of the limit, of which there is one.
    """

    def __init__(self) -> None:
        self.taken = defaultdict(list)

    def there(self, ask: Ask, at: int) -> int:
        taken, limit = self.taken[ask.key], ask.numbers.limit
        if ask.numbers.algorithm is Algorithm.TOKEN_BUCKET:
            per_sixteenth, level, last = limit, 16 * ask.numbers.burst, 0
            full = level
            for when, cost in taken:
                level = min(full, level + (when - last) * per_sixteenth) - 16 * cost
                last = when
            return min(full, level + (at - last) * per_sixteenth) // 16
        if ask.numbers.algorithm is Algorithm.CALENDAR:
            return limit - sum(cost for _, cost in taken)
        this = sum(cost for when, cost in taken if when // 16 == at // 16)
        if ask.numbers.algorithm is Algorithm.FIXED_WINDOW:
            return limit - this
        before = sum(cost for when, cost in taken if when // 16 == at // 16 - 1)
        return max((16 * (limit - this) - before * (16 - at % 16)) // 16, 0)

    def decide(self, asks: list[Ask], at: int) -> list[bool]:
        """Takes of all or none, but dark ones; returns whether there was enough for each."""
        before = {key: list(taken) for key, taken in self.taken.items()}
        enough = self._take(asks, at, dark_only=False)
        if not all(fits or ask.dark for fits, ask in zip(enough, asks, strict=True)):
            self.taken = defaultdict(list, before)
            self._take(asks, at, dark_only=True)
        return enough

    def _take(self, asks: list[Ask], at: int, *, dark_only: bool) -> list[bool]:
        enough = []
        for ask in asks:
            there = self.there(ask, at)
            enough.append(max(ask.cost, 1) <= there)
            if ask.dark or not dark_only:
                cost = ask.cost if enough[-1] else there if ask.dark else 0
                self.taken[ask.key].append((at, cost))
        return enough


LIMITS = [
    Numbers(Algorithm.TOKEN_BUCKET, 5, 1.0, 8),
    Numbers(Algorithm.TOKEN_BUCKET, 16, 1.0, 16),
    Numbers(Algorithm.SLIDING_WINDOW, 7, 1.0, 7),
    Numbers(Algorithm.FIXED_WINDOW, 5, 1.0, 5),
    Numbers(Algorithm.CALENDAR, 9, 86400.0, 9),
]


@st.composite
def calls(draw):
    """Pauses in sixteenths of a second, and up to four asks, mostly of different keys."""
    asks = st.builds(
        lambda limit, caller, cost, dark: Ask(
            f"{limit}/{caller}", LIMITS[limit], cost, 0.0, ENDS, dark
        ),
        st.integers(0, len(LIMITS) - 1),
        st.sampled_from("ab"),
        st.integers(0, 4),
        st.booleans(),
    )
    pauses = st.one_of(st.integers(0, 3), st.integers(0, 50))
    return draw(st.lists(st.tuples(pauses, st.lists(asks, max_size=4)), max_size=40))


@given(calls(), st.booleans())
def test_decides_as_a_list_of_the_calls_does(several, shared):
    clock, model = Clock(), Model()
    with contextlib.ExitStack() as closed:
        if shared:
            file = closed.enter_context(tempfile.TemporaryFile())
            table = Table.share(100, file.fileno())
        else:
            table = Table.private(100)
        closed.callback(table.close)
        limiter = MemoryLimiter(table, clock, clock.wall)
        at = 0
        for pause, asks in several:
            at += pause
            clock.now = 1000.0 + at / 16
            verdict = limiter.decide(asks)
            enough = model.decide(asks, at)
            assert [share.allowed for share in verdict.shares] == enough
            assert verdict.allowed == all(
                fits or ask.dark for fits, ask in zip(enough, asks, strict=True)
            )
            for ask in asks:
                look = limiter.decide([Ask(ask.key, ask.numbers, 0, 0.0, ENDS)]).shares[0]
                assert look.remaining == model.there(ask, at)


class TestOne:
    def test_tells_what_is_left_and_when_there_is_more(self, limiter, clock):
        allowed, (share,) = decided(limiter, Ask("a", TEN))
        assert (allowed, share.remaining, share.retry_after, share.wait) == (True, 9, 0.0, 0.0)
        assert share.resets == pytest.approx(0.1)
        for _ in range(9):
            limiter.decide([Ask("a", TEN)])
        allowed, (share,) = decided(limiter, Ask("a", TEN))
        assert (allowed, share.remaining) == (False, 0)
        assert share.retry_after == pytest.approx(0.1)
        clock.now += share.retry_after
        assert decided(limiter, Ask("a", TEN))[0]
        assert not decided(limiter, Ask("a", TEN))[0]

    def test_of_a_calendar_counts_by_the_wall(self, limiter, clock):
        today = Ask("a", DAY, 999, ends=clock.wall() + 100)
        assert decided(limiter, today) == (True, (Share(True, 1, 100.0),))
        assert not decided(limiter, today)[0]
        clock.now += 100
        assert decided(limiter, today._replace(ends=clock.wall() + 86400))[0]

    def test_dark_never_refuses(self, limiter):
        dark = Ask("a", TEN, 8, dark=True)
        assert decided(limiter, dark)[0]
        allowed, (share,) = decided(limiter, dark)
        assert (allowed, share.allowed, share.remaining) == (True, False, 0)

    def test_that_looks_or_is_refused_takes_no_room(self, limiter):
        limiter.decide([Ask("a", TEN, 0)])
        limiter.decide([Ask("b", TEN, 11)])
        limiter.decide([Ask("a", TEN, 0), Ask("b", TEN, 11)])
        assert len(limiter._table) == 0

    def test_reserves_for_those_that_wait(self, limiter):
        limiter.decide([Ask("a", TEN, 10)])
        waits = [limiter.decide([Ask("a", TEN, patience=0.25)]).shares[0].wait for _ in range(2)]
        assert waits == pytest.approx([0.1, 0.2])
        assert not limiter.decide([Ask("a", TEN, patience=0.25)]).allowed

    def test_of_no_ask_there_is_nothing_to_refuse(self, limiter):
        assert limiter.decide([]) == Verdict(True, ())


class TestSeveral:
    def test_none_is_taken_where_one_is_refused(self, limiter):
        limiter.decide([Ask("b", TEN, 8)])
        allowed, (first, second) = decided(limiter, Ask("a", TEN, 3), Ask("b", TEN, 3))
        assert not allowed
        assert first == Share(True, 10, 0.0), "as it is without this call"
        assert (second.allowed, second.remaining) == (False, 2)
        assert second.retry_after == pytest.approx(0.1)

    def test_dark_ones_are_taken_where_one_is_refused(self, limiter):
        limiter.decide([Ask("b", TEN, 10)])
        assert not limiter.decide([Ask("a", TEN, 3, dark=True), Ask("b", TEN)]).allowed
        assert limiter.decide([Ask("a", TEN, 0)]).shares[0].remaining == 7

    def test_a_dark_one_refuses_nobody(self, limiter):
        limiter.decide([Ask("a", TEN, 10)])
        allowed, (dark, other) = decided(limiter, Ask("a", TEN, dark=True), Ask("b", TEN))
        assert (allowed, dark.allowed, other.allowed, other.remaining) == (True, False, True, 9)

    def test_nothing_is_reserved_where_one_is_refused(self, limiter):
        limiter.decide([Ask("a", TEN, 10), Ask("b", TEN, 10)])
        waiting, refused = Ask("a", TEN, patience=1.0), Ask("b", TEN)
        allowed, (share, _) = decided(limiter, waiting, refused)
        assert (allowed, share.allowed, share.wait, share.retry_after) == (False, True, 0.0, 0.0)
        assert limiter.decide([waiting]).shares[0].wait == pytest.approx(0.1)

    def test_with_one_key_find_what_those_before_have_left(self, limiter):
        allowed, shares = decided(limiter, Ask("a", TEN, 6), Ask("a", TEN, 3))
        assert (allowed, [share.remaining for share in shares]) == (True, [4, 1])
        allowed, shares = decided(limiter, Ask("a", TEN, 1), Ask("a", TEN, 1))
        assert (allowed, [share.allowed for share in shares]) == (False, [True, False])
        assert [share.remaining for share in shares] == [1, 1], "as it is without this call"
        assert limiter.decide([Ask("a", TEN)]).allowed

    def test_that_are_new_in_one_full_set_do_not_write_over_each_other(self, clock):
        table = Table.private(10)
        limiter = MemoryLimiter(table, clock, clock.wall)
        for number in range(16):
            limiter.decide([Ask(f"key {number}", TEN, 5 + (number > 0))])
        found, new = Ask("key 0", TEN, 3), Ask("new", TEN, 4)
        assert limiter.decide([new, found]).allowed
        remaining = {
            key: limiter.decide([Ask(key, TEN, 0)]).shares[0].remaining for key in ("key 0", "new")
        }
        assert remaining == {"key 0": 2, "new": 6}
        assert table.evicted == 1
        table.close()


def test_a_caller_that_floods_takes_nothing_from_another(limiter, clock):
    """100 calls of one to each of the other, who asks exactly at its rate."""
    flooding = other = 0
    for _ in range(300):
        clock.now += 0.1
        flooding += sum(limiter.decide([Ask("a", TEN)]).allowed for _ in range(100))
        other += limiter.decide([Ask("b", TEN)]).allowed
    assert other == 300
    assert flooding == 10 + 299


def test_as_many_keys_as_there_may_be_are_exact_while_others_come_and_go(clock):
    """Keys that are whole again make room for new ones, and nothing is forgotten."""
    table = Table.private(1000)  # 100 sets of 16, each of which has 3 keys of a round
    limiter = MemoryLimiter(table, clock, clock.wall)
    for round_ in range(20):
        for number in range(300):
            key = f"key {round_} {number}"
            assert limiter.decide([Ask(key, TEN, 10)]).allowed
            assert not limiter.decide([Ask(key, TEN)]).allowed
        clock.now += 1.1
    assert table.evicted == 0
    assert len(table) <= 1600
    table.close()


def test_a_full_table_forgets_the_bucket_that_is_full_again_first(clock):
    table = Table.private(10)
    limiter = MemoryLimiter(table, clock, clock.wall)
    for number in range(16):
        limiter.decide([Ask(f"key {number}", TEN, 1 + number % 10)])
    limiter.decide([Ask("new", TEN)])
    forgotten = [
        number
        for number in range(16)
        if limiter.decide([Ask(f"key {number}", TEN, 0)]).shares[0].remaining == 10
    ]
    assert forgotten == [0]
    assert table.evicted == 1
    table.close()


class TestProcesses:
    """Real ones, at once, on one table."""

    @pytest.fixture
    def file(self):
        with tempfile.TemporaryFile() as file:
            yield file.fileno()

    @pytest.mark.parametrize("algorithm", list(Algorithm), ids=lambda each: each.value)
    def test_four_give_together_exactly_the_limit(self, file, algorithm):
        Table.share(1000, file).close()
        numbers = Numbers(algorithm, 3000, 1e6, 3000)
        ours, its = processes.Pipe()
        start = processes.Event()

        def hammer():
            table = Table.attach(file)
            patient(table)
            limiter = MemoryLimiter(table, lambda: 1000.0, lambda: OFF)
            start.wait()
            its.send(
                sum(limiter.decide([Ask("one", numbers, ends=ENDS)]).allowed for _ in range(2000))
            )

        several = [processes.Process(target=hammer, daemon=True) for _ in range(4)]
        for process in several:
            process.start()
        start.set()
        assert sum(ours.recv() for _ in several) == 3000
        for process in several:
            process.join()

    def test_four_that_ask_for_several_at_once_in_any_order_neither_block_nor_give_more(self, file):
        Table.share(1000, file).close()
        numbers = Numbers(Algorithm.TOKEN_BUCKET, 2000, 1e6, 2000)
        keys = [f"key {number}" for number in range(6)]
        ours, its = processes.Pipe()

        def hammer(turn):
            table = Table.attach(file)
            patient(table)
            limiter = MemoryLimiter(table, lambda: 1000.0, lambda: OFF)
            asks = [Ask(key, numbers) for key in keys[turn:] + keys[:turn]]
            its.send(sum(limiter.decide(asks).allowed for _ in range(1000)))

        several = [processes.Process(target=hammer, args=(n,), daemon=True) for n in range(4)]
        for process in several:
            process.start()
        assert sum(ours.recv() for _ in several) == 2000
        for process in several:
            process.join()

    @pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
    def test_one_that_is_ended_in_the_midst_keeps_nobody_from_deciding(self, file, end):
        table = Table.share(1000, file)
        limiter = MemoryLimiter(table, lambda: 1000.0, lambda: OFF)
        limiter.decide([Ask("one", TEN, 2)])
        ours, its = processes.Pipe()

        def stay():
            its.send(None)
            signal.pause()

        def work():
            theirs = MemoryLimiter(Table.attach(file), stay, lambda: OFF)
            theirs.decide([Ask("one", TEN)])  # its clock is read under the mutex

        process = processes.Process(target=work, daemon=True)
        process.start()
        ours.recv()
        os.kill(process.pid, end)
        if end is signal.SIGKILL:
            process.join()
        allowed = [limiter.decide([Ask("one", TEN)]).allowed for _ in range(10)]
        assert allowed == [True] * 8 + [False] * 2
        several = limiter.decide([Ask("two", TEN), Ask("one", TEN)])
        assert not several.allowed
        process.kill()
        process.join()
        table.close()


def patient(table: Table) -> None:
    """Lets a mutex be waited for as long as a machine with few cores needs: what is exact, is."""
    if isinstance(table.locks, RobustMutexes):
        table.locks._waiting._patience = 60.0
