"""Who guesses passwords is made to wait, and who else is not."""

from __future__ import annotations

import pytest
from google.rpc.error_details_pb2 import RetryInfo

from gateway.call import RpcError
from gateway.policies.auth.lockout import ADDRESS, NAME, NAME_FROM_ADDRESS, Lockout

HERE, THERE = "203.0.113.7", "198.51.100.9"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lockout(clock) -> Lockout:
    return Lockout(clock)


def fail(lockout: Lockout, times: int, name: str = "ada", address: str = HERE) -> None:
    for _ in range(times):
        lockout.begin(name, address).wrong()


def wait(lockout: Lockout, name: str = "ada", address: str = HERE) -> float:
    """The seconds that a try is told to wait; 0 if it is let through."""
    try:
        one = lockout.begin(name, address)
    except RpcError as refusal:
        assert refusal.reason == "LOCKED_OUT"
        (detail,) = [d for d in refusal.status.details if d.type_url.endswith("RetryInfo")]
        delay = RetryInfo.FromString(detail.value).retry_delay
        return delay.seconds + delay.nanos / 1e9
    one.given_up()
    return 0


def test_nine_failures_are_no_matter_the_tenth_locks_for_a_minute(lockout):
    fail(lockout, 9)
    assert wait(lockout) == 0
    fail(lockout, 1)
    assert wait(lockout) == 60


def test_a_lock_ends_by_itself(lockout, clock):
    fail(lockout, 10)
    clock.now += 59
    assert wait(lockout) == 1
    clock.now += 1
    assert wait(lockout) == 0


def test_each_further_lock_is_twice_as_long_up_to_a_quarter_of_an_hour(lockout, clock):
    waits = []
    for _ in range(6):
        fail(lockout, 10)
        waits.append(wait(lockout))
        clock.now += waits[-1]
    assert waits == [60, 120, 240, 480, 900, 900]


def test_an_hour_of_quiet_makes_locks_short_again(lockout, clock):
    for _ in range(3):
        fail(lockout, 10)
        clock.now += wait(lockout)
    clock.now += 3601
    fail(lockout, 10)
    assert wait(lockout) == 60


def test_failures_far_apart_do_not_add_up(lockout, clock):
    for _ in range(3):
        fail(lockout, 9)
        clock.now += 301
    assert wait(lockout) == 0


def test_the_right_password_makes_failures_good(lockout):
    fail(lockout, 9)
    lockout.begin("ada", HERE).right()
    fail(lockout, 9)
    assert wait(lockout) == 0


def test_another_address_or_another_name_is_not_locked(lockout):
    fail(lockout, 10)
    assert wait(lockout, address=THERE) == 0
    assert wait(lockout, name="bob") == 0


def test_many_names_from_one_address_lock_the_address(lockout):
    for number in range(50):
        fail(lockout, 1, f"user{number}")
    assert wait(lockout, "anybody") == 60
    assert wait(lockout, "anybody", THERE) == 0


def test_right_passwords_of_one_name_do_not_pay_for_guesses_at_others(lockout):
    for number in range(50):
        fail(lockout, 1, f"user{number}")
        if number < 49:
            lockout.begin("mallory", HERE).right()
    assert wait(lockout, "anybody") == 60


def test_one_name_from_many_addresses_locks_the_name(lockout):
    for number in range(100):
        fail(lockout, 1, address=f"192.0.2.{number}")
    assert wait(lockout, address=HERE) == 60
    assert wait(lockout, name="bob") == 0


def test_others_lock_nobody_out_where_they_were_right_before(lockout):
    lockout.begin("ada", HERE).right()
    for number in range(100):
        fail(lockout, 1, address=f"192.0.2.{number}")
    for number in range(50):
        fail(lockout, 1, f"user{number}")
    assert wait(lockout) == 0
    assert wait(lockout, address=THERE) == 60
    fail(lockout, 10)
    assert wait(lockout) == 60  # guesses at it from there lock it there


def test_an_ipv6_site_counts_as_one(lockout):
    for number in range(10):
        fail(lockout, 1, address=f"2001:db8::{number:x}")
    assert wait(lockout, address="2001:db8::ffff") == 60
    assert wait(lockout, address="2001:db8:0:1::1") == 0


@pytest.mark.parametrize(
    ("bound", "who"),
    [
        (NAME_FROM_ADDRESS, lambda _: ("ada", HERE)),
        (ADDRESS, lambda number: (f"user{number}", HERE)),
        (NAME, lambda number: ("ada", f"192.0.2.{number}")),
    ],
    ids=["of a name from an address", "of an address", "of a name"],
)
def test_what_is_being_looked_at_counts_until_it_is_known(lockout, bound, who):
    tries = [lockout.begin(*who(number)) for number in range(bound.failures)]
    assert wait(lockout, *who(200)) == 1
    tries[0].given_up()
    assert wait(lockout, *who(200)) == 0
    for one in tries[1:]:
        one.wrong()
    assert wait(lockout, *who(200)) == 0
    fail(lockout, 1, *who(201))
    assert wait(lockout, *who(200)) == 60


def test_who_goes_on_guessing_is_pointed_out_once_in_a_hundred_tries(lockout, clock):
    fail(lockout, 10)
    assert [lockout.insists("ada", HERE) for _ in range(200)].count(True) == 2
    assert not lockout.insists("bob", HERE)
    clock.now += 60
    fail(lockout, 10)
    assert [lockout.insists("ada", HERE) for _ in range(99)].count(True) == 0


def test_tables_are_bounded_and_forget_the_oldest(clock):
    lockout = Lockout(clock, most=20)
    fail(lockout, 10)
    for number in range(30):
        fail(lockout, 1, f"user{number}", f"192.0.2.{number}")
        lockout.begin(f"right{number}", f"192.0.2.{number}").right()
    sizes = [len(table) for table in (lockout._both, lockout._sites, lockout._names)]
    assert max(sizes) == len(lockout._familiar) == 20
    assert wait(lockout) == 0


def test_who_was_always_right_leaves_nothing_behind(lockout):
    for number in range(30):
        lockout.begin(f"user{number}", HERE).right()
    assert [len(table) for table in (lockout._both, lockout._sites, lockout._names)] == [0, 0, 0]
