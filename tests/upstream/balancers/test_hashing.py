"""The hash by which keys and endpoints are placed: it may never change."""

import pytest

from gateway.upstream.balancers.hashing import SPACE, hashed, sequence


@pytest.mark.parametrize(
    ("key", "expected"),
    [(b"", 0xE4A6A0577479B2B4), (b"customer", 0xD315F3AB1C1BA36A), (b"\x00", 0x94F6D9CDD1EA8248)],
)
def test_a_key_has_the_same_hash_everywhere(key, expected):
    assert hashed(key) == expected < SPACE


def test_two_purposes_have_nothing_to_do_with_each_other():
    assert len({hashed(b"key", purpose) for purpose in (b"", b"level", b"look 1")}) == 3


@pytest.mark.parametrize("count", [0, 1, 8, 9, 160])
def test_a_shorter_sequence_is_the_start_of_a_longer_one(count):
    longer = sequence("10.0.0.1:80", 200)
    assert sequence("10.0.0.1:80", count) == longer[:count]
    assert len(set(longer)) == 200
