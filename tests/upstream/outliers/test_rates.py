"""Which endpoints' calls fail too often."""

import pytest

from gateway.upstream.outliers.rates import outliers
from gateway.upstream.outliers.tally import Counts
from gateway.upstream.spec import OutlierSpec


def found(*counts, **spec):
    """Returns the numbers of the outliers among (answered, failed, late)."""
    each = {number: Counts(*given) for number, given in enumerate(counts)}
    return list(outliers(each, OutlierSpec(**spec)))


FINE = (100, 0, 0)


@pytest.mark.parametrize(
    ("counts", "spec", "expected"),
    [
        pytest.param([FINE] * 5, {}, [], id="none of those that are alike"),
        pytest.param([FINE] * 4 + [(50, 50, 0)], {}, [4], id="one that fails more than the others"),
        pytest.param([FINE] * 4 + [(50, 0, 50)], {}, [4], id="being late is failing, compared"),
        pytest.param([(50, 50, 0)] * 5, {}, [], id="not where all fail alike"),
        pytest.param([FINE] * 4 + [(98, 2, 0)], {}, [], id="a small difference is none"),
        pytest.param([FINE] * 3 + [(50, 50, 0)], {}, [], id="too few to compare"),
        pytest.param(
            [FINE] * 4 + [(9, 9, 0)], {}, [], id="too few calls of the one that is to be compared"
        ),
        pytest.param(
            [FINE] * 3 + [(20, 0, 0), (50, 50, 0)], {}, [], id="too few with enough calls"
        ),
        pytest.param(
            [FINE] * 4 + [(50, 50, 0)], {"success_rate_stdev": 0}, [], id="comparing is off"
        ),
        pytest.param(
            [FINE] * 4 + [(50, 50, 0)],
            {"success_rate_stdev": 2.5},
            [],
            id="one of five is at most two deviations under the mean",
        ),
        pytest.param([FINE, (15, 85, 0)], {}, [1], id="the share that fails, by itself"),
        pytest.param([FINE, (16, 84, 0)], {}, [], id="a smaller share"),
        pytest.param([FINE, (0, 0, 100)], {}, [], id="being late is not failing, by itself"),
        pytest.param([FINE, (0, 99, 0)], {}, [], id="too few calls for a share"),
        pytest.param([FINE, (0, 100, 0)], {"failure_percentage": 0}, [], id="shares are off"),
        pytest.param(
            [FINE] * 8 + [(10, 90, 0), (0, 100, 0)],
            {},
            [9, 8],
            id="the worst first",
        ),
        pytest.param([], {}, [], id="no endpoints"),
    ],
)
def test_outliers_are(counts, spec, expected):
    assert found(*counts, **spec) == expected


def test_reasons_say_how_bad_it_is():
    counts = {"a": Counts(0, 100), **{name: Counts(100) for name in "bcdef"}}
    assert outliers(counts, OutlierSpec(failure_percentage=0)) == {
        "a": "0% of its calls succeed, where 83% is usual"
    }
    counts = {"a": Counts(0, 100)}
    assert outliers(counts, OutlierSpec()) == {"a": "100% of its calls fail"}
