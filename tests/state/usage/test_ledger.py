"""One process counts: by caller, method and day, and tells each number once."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.state.usage.counts import ANONYMOUS, OTHERS, Caller, Key
from gateway.state.usage.ledger import Ledger, day_of

ACME = ("keys", "acme", "free")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


class Clock:
    """Stands until it is moved."""

    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        return self.now


def ledger(most=100, clock=None):
    return Ledger(most, clock or Clock())


def count(of, who, method="a/B", calls=1):
    of.tally(method).of(who).calls += calls


def calls(counts):
    return {key: each.calls for key, each in counts.items()}


def test_what_was_counted_is_told_once():
    one = ledger()
    count(one, ACME)
    count(one, ACME, calls=2)
    count(one, ANONYMOUS)
    assert calls(one.take()) == {
        Key("2026-11-21", Caller(*ACME), "a/B"): 3,
        Key("2026-11-21", ANONYMOUS, "a/B"): 1,
    }
    assert one.take() == {}
    count(one, ACME)
    assert calls(one.take()) == {Key("2026-11-21", Caller(*ACME), "a/B"): 1}


def test_methods_and_plans_are_told_apart():
    one = ledger()
    count(one, ACME, "a/B")
    count(one, ACME, "a/C")
    count(one, ("keys", "acme", None), "a/C")
    assert calls(one.take()) == {
        Key("2026-11-21", Caller("keys", "acme", "free"), "a/B"): 1,
        Key("2026-11-21", Caller("keys", "acme", "free"), "a/C"): 1,
        Key("2026-11-21", Caller("keys", "acme", ""), "a/C"): 1,
    }


def test_no_plan_and_one_without_a_name_are_the_same():
    one = ledger()
    count(one, ("keys", "acme", None))
    count(one, ("keys", "acme", ""), calls=2)
    assert calls(one.take()) == {Key("2026-11-21", Caller("keys", "acme", ""), "a/B"): 3}


def test_a_call_counts_on_the_day_that_it_is_in_utc():
    clock = Clock(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
    one = ledger(clock=clock)
    count(one, ACME)
    clock.now += 1
    count(one, ACME, calls=2)
    clock.now += 86400 * 2
    count(one, ACME, calls=4)
    assert {key.day: each.calls for key, each in one.take().items()} == {
        "2026-12-31": 1,
        "2027-01-01": 2,
        "2027-01-03": 4,
    }


def test_no_more_callers_than_may_be_are_told_apart():
    one = ledger(most=2)
    for name in ["a", "b", "c", "d", "a"]:
        count(one, ("keys", name, None))
    count(one, ("keys", "c", None), "a/C")
    count(one, ANONYMOUS)
    assert calls(one.take()) == {
        Key("2026-11-21", Caller("keys", "a", ""), "a/B"): 2,
        Key("2026-11-21", Caller("keys", "b", ""), "a/B"): 1,
        Key("2026-11-21", OTHERS, "a/B"): 2,
        Key("2026-11-21", OTHERS, "a/C"): 1,
        Key("2026-11-21", ANONYMOUS, "a/B"): 1,
    }


def test_who_is_told_apart_stays_so_for_the_day_also_after_it_was_told():
    clock = Clock()
    one = ledger(most=1, clock=clock)
    count(one, ("keys", "a", None))
    one.take()
    count(one, ("keys", "b", None))
    count(one, ("keys", "a", None))
    assert {key.caller.subject for key in one.take()} == {"a", "others"}
    clock.now += 86400
    count(one, ("keys", "b", None))
    assert {key.caller.subject for key in one.take()} == {"b"}


def test_that_some_are_not_told_apart_is_told_once_a_day(caplog):
    clock = Clock()
    one = ledger(most=1, clock=clock)
    for _ in range(2):
        for subject in ("a", "b", "c"):
            count(one, ("keys", subject, None))
            count(one, ("keys", subject, None), "a/C")
        one.take()
        clock.now += 86400
    rest = "the rest of their usage is counted as one"
    assert caplog.messages == [
        f"more than 1 callers came on 2026-11-{day}: {rest}" for day in (21, 22)
    ]


def test_a_caller_who_is_named_like_the_rest_is_not_the_rest():
    one = ledger(most=1)
    count(one, ("keys", "others", None))
    count(one, ("keys", "b", None), calls=5)
    told = calls(one.take())
    assert told[Key("2026-11-21", Caller("keys", "others", ""), "a/B")] == 1
    assert told[Key("2026-11-21", OTHERS, "a/B")] == 5


def test_the_memory_of_a_flood_of_callers_is_bounded():
    one = ledger(most=10)
    for number in range(1000):
        count(one, ("keys", str(number), None))
    assert len(one.tally("a/B").counts) == 11
    assert len(one.callers) == 10


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("abcde"), st.sampled_from(["a/B", "a/C"])),
        st.just("take"),
        st.sampled_from([60, 3600 * 5, 86400]),
    ),
    max_size=60,
)


@given(STEPS, st.integers(1, 6))
def test_every_call_is_told_exactly_once(steps, most):
    clock = Clock()
    one = ledger(most, clock)
    made, told = {}, {}

    def take():
        for key, each in one.take().items():
            told[key.day, key.method] = told.get((key.day, key.method), 0) + each.calls

    for step in steps:
        if step == "take":
            take()
        elif isinstance(step, int):
            clock.now += step
        else:
            who, method = step
            count(one, ("keys", who, None), method)
            at = day_of(clock.now), method
            made[at] = made.get(at, 0) + 1
    take()
    assert told == made
