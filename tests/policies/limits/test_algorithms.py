"""What limits allow, against models that are slow and obvious: lists of the times of calls."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policies.limits.algorithms import COUNTING, LONGEST_PATIENCE, NEW, Kept
from gateway.policies.limits.ask import Algorithm, Ask, Numbers, Share

TOKEN_BUCKET, SLIDING = Algorithm.TOKEN_BUCKET, Algorithm.SLIDING_WINDOW
FIXED, CALENDAR = Algorithm.FIXED_WINDOW, Algorithm.CALENDAR
WINDOWS = [SLIDING, FIXED]
UPTIMES = [0.0, 1000.0, 1_000_000.5, 2.0**25]  # seconds; the last is more than a year


class Key:
    """One key of a limit, and what is kept of it."""

    def __init__(
        self, algorithm: Algorithm, limit: int, period: float = 1.0, burst: int | None = None
    ) -> None:
        self.numbers = Numbers(algorithm, limit, period, limit if burst is None else burst)
        self.step = COUNTING[algorithm][0]
        self.kept: Kept = NEW

    def ask(
        self,
        now: float,
        cost: int = 1,
        *,
        patience: float = 0.0,
        dark: bool = False,
        ends: float = 0.0,
        wall: float = 0.0,
    ) -> Share:
        ask = Ask("key", self.numbers, cost, patience, ends, dark)
        share, self.kept = self.step(ask, now, ends - wall, self.kept)
        return share

    def allowed(self, now: float, calls: int, **how) -> int:
        """How many of so many calls at a time are allowed."""
        return sum(self.ask(now, **how).allowed for _ in range(calls))


class TestTokenBucket:
    @pytest.mark.parametrize("start", UPTIMES)
    @pytest.mark.parametrize(
        ("limit", "period", "burst"),
        [
            (10, 1.0, 10),
            (1, 1.0, 1),
            (3, 1.0, 7),
            (100, 60.0, 20),
            (1000, 1.0, 1000),
            (7, 86400.0, 7),
        ],
    )
    def test_gives_its_burst_at_once_and_one_after_each_interval(self, start, limit, period, burst):
        key, interval = Key(TOKEN_BUCKET, limit, period, burst), period / limit
        assert key.allowed(start, burst + 5) == burst
        for turn in range(1, 2 * burst):
            assert key.allowed(start + turn * interval, 2) == 1, turn
        idle = start + 5 * burst * interval
        assert key.allowed(idle, burst + 5) == burst

    def test_gives_none_before_the_interval_is_over(self):
        key = Key(TOKEN_BUCKET, 10)
        assert key.allowed(1000.0, 10) == 10
        assert not key.ask(1000.098).allowed
        assert key.ask(1000.1).allowed

    @given(
        st.sampled_from([(10, 1.0, 10), (4, 1.0, 9), (5, 60.0, 5), (1000, 1.0, 30)]),
        st.sampled_from(UPTIMES),
        st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5), st.booleans()), max_size=60),
    )
    def test_is_a_bucket(self, numbers, start, calls):
        """Time goes on in eighths of an interval, so that no decision is nearer than that."""
        limit, period, burst = numbers
        key, eighth = Key(TOKEN_BUCKET, limit, period, burst), period / limit / 8
        tokens, at = Fraction(burst), 0
        for eighths, cost, dark in calls:
            at += eighths
            tokens = min(Fraction(burst), tokens + Fraction(eighths, 8))
            share = key.ask(start + at * eighth, cost, dark=dark)
            whole = tokens.numerator // tokens.denominator
            assert share.allowed == (max(cost, 1) <= whole)
            taken = cost if share.allowed else whole if dark else 0
            if not share.allowed and cost <= burst:
                missing = max(cost, 1) - tokens
                assert share.retry_after == pytest.approx(float(missing) * 8 * eighth, rel=1e-3)
            tokens -= taken
            assert share.remaining == whole - taken
            assert share.resets == pytest.approx(
                float(burst - tokens) * 8 * eighth, abs=eighth / 99
            )

    @given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 4)), max_size=80))
    def test_never_gives_more_than_the_burst_and_the_rate_between_any_two_times(self, calls):
        key, now, given_ = Key(TOKEN_BUCKET, 5, 1.0, 8), 1000.0, []
        for pause, cost in calls:
            now += pause
            if key.ask(now, cost).allowed:
                given_.append((now, cost))
        for first, (begin, _) in enumerate(given_):
            total = 0
            for end, cost in given_[first:]:
                total += cost
                assert total <= 8 + 5 * (end - begin) + 0.02

    def test_reserves_for_those_that_wait(self):
        key = Key(TOKEN_BUCKET, 10, 1.0, 2)
        waits = [key.ask(1000.0, patience=0.35).wait for _ in range(5)]
        assert waits == pytest.approx([0, 0, 0.1, 0.2, 0.3], abs=1e-9)
        refused = key.ask(1000.0, patience=0.35)
        assert (refused.allowed, refused.remaining, refused.wait) == (False, 0, 0.0)
        assert refused.retry_after == pytest.approx(0.4)
        assert key.ask(1000.1, patience=0.35).wait == pytest.approx(0.3)

    def test_reserves_no_further_than_the_longest_patience(self):
        key = Key(TOKEN_BUCKET, 1)
        waits = [key.ask(1000.0, patience=1e9) for _ in range(200)]
        assert sum(share.allowed for share in waits) == 1 + int(LONGEST_PATIENCE)

    @pytest.mark.parametrize("patience", [0.0, 1000.0])
    def test_more_than_its_burst_is_never_there(self, patience):
        key = Key(TOKEN_BUCKET, 10)
        key.ask(1000.0, 4)
        share = key.ask(1000.0, 11, patience=patience)
        assert (share.allowed, share.remaining) == (False, 6)
        assert share.retry_after == pytest.approx(0.4)  # all of it is there then

    def test_a_clock_that_is_behind_finds_less_not_more(self):
        key = Key(TOKEN_BUCKET, 10)
        assert key.allowed(1000.0, 5) == 5
        assert key.allowed(999.9, 10) == 4
        assert key.allowed(1000.0, 10) == 1

    def test_numbers_from_before_a_jump_back_are_cut_to_an_empty_bucket(self):
        key = Key(TOKEN_BUCKET, 10)
        assert key.allowed(1_000_000.0, 10) == 10
        share = key.ask(1000.0)
        assert not share.allowed
        assert share.retry_after == pytest.approx(0.1)
        assert key.ask(1000.1).allowed

    def test_a_larger_limit_of_the_same_key_holds_at_once(self):
        key = Key(TOKEN_BUCKET, 1, 86400.0)
        assert key.ask(1000.0).allowed
        key.numbers = Numbers(TOKEN_BUCKET, 10, 1.0, 10)
        assert key.ask(1000.0).retry_after == pytest.approx(0.1)
        assert key.allowed(1001.0, 20) == 10


class TestWindows:
    @pytest.mark.parametrize("start", UPTIMES)
    @pytest.mark.parametrize("algorithm", WINDOWS)
    @pytest.mark.parametrize(("limit", "period"), [(10, 1.0), (1, 1.0), (3, 60.0), (1000, 0.25)])
    def test_gives_its_limit_at_once(self, start, algorithm, limit, period):
        key = Key(algorithm, limit, period)
        assert key.allowed(start, limit + 5) == limit
        assert key.ask(start).remaining == 0
        assert key.allowed(start + 2 * period, limit + 5) == limit

    @given(
        st.sampled_from([(5, 1.0), (7, 2.0), (3, 60.0)]),
        st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4), st.booleans()), max_size=60),
    )
    def test_a_fixed_window_counts_from_multiples_of_its_length(self, numbers, calls):
        limit, period = numbers
        key, at, taken = Key(FIXED, limit, period), 0, []
        for sixteenths, cost, dark in calls:
            at += sixteenths
            there = limit - sum(count for when, count in taken if when // 16 == at // 16)
            share = key.ask(1200 * period + at * period / 16, cost, dark=dark)
            assert share.allowed == (max(cost, 1) <= there)
            count = cost if share.allowed else there if dark else 0
            taken.append((at, count))
            assert share.remaining == there - count
            ends = (16 - at % 16) * period / 16
            assert share.resets == pytest.approx(ends if there - count < limit else 0.0)
            assert share.retry_after == pytest.approx(0.0 if share.allowed else ends)

    @given(
        st.sampled_from([(5, 1.0), (7, 2.0), (30, 60.0)]),
        st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9), st.booleans()), max_size=60),
    )
    def test_a_sliding_window_counts_the_one_before_by_its_overlap(self, numbers, calls):
        limit, period = numbers
        key, at, taken = Key(SLIDING, limit, period), 0, []
        for sixteenths, cost, dark in calls:
            at += sixteenths
            this = sum(count for when, count in taken if when // 16 == at // 16)
            before = sum(count for when, count in taken if when // 16 == at // 16 - 1)
            left = limit - this - before * Fraction(16 - at % 16, 16)
            there = max(left.numerator // left.denominator, 0)
            share = key.ask(1200 * period + at * period / 16, cost, dark=dark)
            assert share.allowed == (max(cost, 1) <= there)
            count = cost if share.allowed else there if dark else 0
            taken.append((at, count))
            assert share.remaining == there - count

    @given(
        st.lists(st.tuples(st.floats(0, 1.5), st.integers(1, 5)), min_size=1, max_size=40),
        st.integers(1, 5),
    )
    def test_a_sliding_window_has_enough_after_retry_after_and_not_before(self, calls, cost):
        key, now = Key(SLIDING, 5), 1000.0
        for pause, charge in calls:
            now += pause
            key.ask(now, charge)
        kept, share = key.kept, key.ask(now, cost)
        if not share.allowed:
            key.kept = kept
            assert (
                not key.ask(now + share.retry_after - 0.02, cost).allowed
                or share.retry_after < 0.02
            )
            key.kept = kept
            assert key.ask(now + share.retry_after, cost).allowed

    @pytest.mark.parametrize("algorithm", WINDOWS)
    def test_is_whole_again_after_resets(self, algorithm):
        key = Key(algorithm, 5)
        share = key.ask(1000.25)
        assert key.ask(1000.25 + share.resets, 0).remaining == 5

    @pytest.mark.parametrize("algorithm", WINDOWS)
    def test_more_than_the_limit_is_never_there(self, algorithm):
        key = Key(algorithm, 5)
        share = key.ask(1000.0, 6)
        assert (share.allowed, share.remaining) == (False, 5)

    @pytest.mark.parametrize("behind", [1e-6, 0.01, 0.5])
    @pytest.mark.parametrize("algorithm", WINDOWS)
    def test_a_clock_that_is_behind_goes_on_where_the_other_was(self, algorithm, behind):
        """It stands in the window before, which it must not begin anew."""
        key = Key(algorithm, 5)
        assert key.allowed(1000.0, 3) == 3
        assert key.allowed(1000.0 - behind, 5) == 2
        assert key.allowed(1000.0, 5) == 0

    @given(
        st.sampled_from(WINDOWS),
        st.floats(0.0, 1e6),
    )
    def test_no_jump_back_shuts_out_for_longer(self, algorithm, jump):
        key = Key(algorithm, 5)
        now = 1_000_000.3
        assert key.allowed(now, 9) == 5
        now -= jump
        assert key.allowed(now, 9) == 0
        longest = {FIXED: 1.0, SLIDING: 1.2}[algorithm]  # its oldest call has to fade: 1 / 5
        assert key.ask(now).retry_after <= longest + 1e-6
        assert key.ask(now + longest).allowed


class TestCalendar:
    def test_counts_until_its_end(self):
        key = Key(CALENDAR, 3, 86400.0)
        share = key.ask(50.0, ends=1000.0, wall=900.0)
        assert share == Share(True, 2, 100.0)
        assert key.allowed(149.0, 5, ends=1000.0, wall=999.0) == 2
        assert key.ask(149.0, ends=1000.0, wall=999.0) == Share(False, 0, 1.0, 1.0)
        assert key.allowed(150.0, 5, ends=2000.0, wall=1000.0) == 3

    def test_a_period_goes_on_where_its_clock_is_set_back_within(self):
        key = Key(CALENDAR, 3, 1000.0)
        assert key.allowed(50.0, 2, ends=1000.0, wall=990.0) == 2
        assert key.allowed(61.0, 5, ends=1000.0, wall=500.0) == 1  # by `now`, it is over

    def test_a_later_period_goes_on_where_its_clock_is_set_back_over_an_end(self):
        key = Key(CALENDAR, 3, 1000.0)
        assert key.allowed(50.0, 2, ends=2000.0, wall=1100.0) == 2
        assert key.allowed(51.0, 5, ends=1000.0, wall=100.0) == 1
        assert key.ask(51.0, ends=1000.0, wall=100.0).retry_after == pytest.approx(899.0)
        assert key.allowed(950.0, 5, ends=1000.0, wall=999.0) == 3

    @given(
        st.lists(
            st.tuples(st.floats(0, 300), st.floats(-2000, 2000), st.integers(1, 3)), max_size=60
        )
    )
    def test_no_jump_shuts_out_for_longer_than_a_period(self, calls):
        key, now, off = Key(CALENDAR, 5, 1000.0), 5000.0, 1_700_000_000.0
        for pause, jump, cost in calls:
            now, off = now + pause, off + jump
            wall = now + off
            ends = (wall // 1000 + 1) * 1000
            share = key.ask(now, cost, ends=ends, wall=wall)
            assert share.retry_after <= 1000 + 1e-5, "a float of this size has no finer digits"
            assert share.resets <= 1000 + 1e-5
            assert key.kept[1] <= 5


@pytest.mark.parametrize("algorithm", list(Algorithm))
class TestEvery:
    def ask(self, key, now, cost=1, **how):
        return key.ask(now, cost, ends=2000.0, wall=1000.0 + now, **how)

    def test_cost_0_only_looks(self, algorithm):
        key = Key(algorithm, 2, 100.0)
        assert self.ask(key, 10.0, 0) == Share(True, 2, 0.0)
        assert key.kept[0] <= 10.0, "worth nothing"
        self.ask(key, 10.0, 2)
        kept = key.kept
        look = self.ask(key, 10.0, 0)
        assert (look.allowed, look.remaining) == (False, 0)
        assert key.kept == kept

    def test_a_refusal_takes_nothing(self, algorithm):
        key = Key(algorithm, 5, 100.0)
        self.ask(key, 10.0, 3)
        refused = self.ask(key, 10.0, 4)
        assert (refused.allowed, refused.remaining) == (False, 2)
        assert refused.retry_after > 0
        assert self.ask(key, 10.0, 2).allowed

    def test_what_is_refused_for_a_new_key_leaves_nothing(self, algorithm):
        key = Key(algorithm, 5, 100.0)
        assert not self.ask(key, 10.0, 6).allowed
        assert key.kept[0] <= 10.0

    def test_dark_takes_as_far_as_there_is_any(self, algorithm):
        key = Key(algorithm, 5, 100.0)
        self.ask(key, 10.0, 3)
        dark = self.ask(key, 10.0, 4, dark=True)
        assert (dark.allowed, dark.remaining) == (False, 0)
        assert not self.ask(key, 10.0, 1).allowed

    def test_its_first_number_says_when_it_is_whole_again(self, algorithm):
        key = Key(algorithm, 5, 100.0)
        self.ask(key, 10.0, 3)
        key.kept = (key.kept[0], 0.0, 0.0) if algorithm is TOKEN_BUCKET else key.kept
        until = key.kept[0]
        assert 10.0 < until <= 1000.0
        ends = 2000.0 if until < 1000.0 else 3000.0
        assert key.ask(until, 0, ends=ends, wall=1000.0 + until).remaining == 5
