"""Dice: the same names, the same throws."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

from gateway.mock.dice import Dice


def throws(dice):
    return [dice.between(1, 6) for _ in range(20)]


def test_the_same_names_throw_the_same():
    assert throws(Dice(b"0").of("a", 1)) == throws(Dice(b"0").of("a", 1))


def test_other_names_and_seeds_throw_otherwise():
    known = {tuple(throws(Dice(seed).of(*names))) for seed in (b"0", b"1") for names in NAMES}
    assert len(known) == 2 * len(NAMES)


NAMES = (("a", "b"), ("ab",), ("a", "b", ""), ("b", "a"))


def test_what_was_thrown_before_changes_nothing_of_what_is_thrown_for_another():
    dice = Dice(b"0")
    before = throws(dice.of("a"))
    throws(dice)
    assert throws(dice.of("a")) == before


def test_another_process_throws_the_same():
    code = "from gateway.mock.dice import Dice; print(Dice(b'0').of('a').between(0, 10**30))"
    (there,) = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=env
        ).stdout
        for env in ({"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2"})
    }
    assert int(there) == Dice(b"0").of("a").between(0, 10**30)


def test_all_faces_come():
    dice = Dice(b"0")
    assert set(Counter(dice.between(-2, 3) for _ in range(500))) == set(range(-2, 4))
    assert all(0 <= dice.share() < 1 for _ in range(100))
    assert {dice.pick("ab") for _ in range(50)} == {"a", "b"}
    assert len(dice.data(11)) == 11
