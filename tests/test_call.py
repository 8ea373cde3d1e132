"""Who is the same caller."""

from __future__ import annotations

import pytest

from gateway.call import Principal

ADA = Principal("ada", "customers")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(ADA, Principal("ada", "customers", plan="pro"), True, id="one subject"),
        pytest.param(ADA, Principal("bob", "customers"), False, id="two subjects"),
        pytest.param(ADA, Principal("ada", "partners"), False, id="of two providers"),
        pytest.param(ADA, None, False, id="somebody and nobody"),
        pytest.param(Principal("", "it"), Principal("", "it"), False, id="without a name"),
    ],
)
def test_who_is_the_same(one, other, same):
    assert one.is_of(other) is same
