"""How many endpoints may be out, and each for how long."""

import pytest

from gateway.upstream.outliers.ejection import Ejection, most
from gateway.upstream.spec import OutlierSpec


@pytest.mark.parametrize(
    ("share", "endpoints", "expected"),
    [
        pytest.param(50, 10, 5, id="a share of them"),
        pytest.param(50, 5, 2, id="rounded down"),
        pytest.param(10, 5, 1, id="at least one"),
        pytest.param(0, 2, 1, id="whatever the share"),
        pytest.param(50, 1, 0, id="but not the only one"),
        pytest.param(100, 4, 3, id="and never all"),
        pytest.param(50, 0, 0, id="none of none"),
    ],
)
def test_so_many_may_be_out(share, endpoints, expected):
    assert most(OutlierSpec(max_ejected=share), endpoints) == expected


def test_each_further_time_is_longer_up_to_the_longest():
    ejection, spec, lengths = Ejection(), OutlierSpec(base_ejection=30, max_ejection=100), []
    for _ in range(5):
        ejection.begin(1000.0)
        lengths.append(ejection.until(spec) - 1000)
        ejection.end()
    assert lengths == [30, 60, 90, 100, 100]


def test_the_first_time_is_never_cut_short():
    ejection = Ejection()
    ejection.begin(0.0)
    assert ejection.seconds(OutlierSpec(base_ejection=30, max_ejection=10)) == 30


def test_each_interval_that_it_is_in_takes_one_time_off():
    ejection, spec = Ejection(), OutlierSpec(base_ejection=30)
    for _ in range(3):
        ejection.begin(0.0)
        ejection.end()
    ejection.rest()
    ejection.begin(0.0)
    assert ejection.seconds(spec) == 90
    ejection.end()
    for _ in range(9):
        ejection.rest()
    ejection.begin(0.0)
    assert ejection.seconds(spec) == 30
