"""Of which scheme a value of `Authorization` is (RFC 9110 section 11.4)."""

from __future__ import annotations

import pytest

from gateway.policies.auth.scheme import of_scheme

BASIC = of_scheme("Basic")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("Basic QTpi", id="well made"),
        pytest.param("bASIC QTpi", id="in any case"),
        pytest.param("Basic", id="alone"),
        pytest.param("Basic\tQTpi", id="with a tab"),
        pytest.param("Basic,QTpi", id="with a comma"),
        pytest.param("Basic=QTpi", id="with an equals sign"),
        pytest.param("Basic\xa0QTpi", id="with a space that is none of ASCII's"),
    ],
)
def test_what_is_of_a_scheme_well_made_or_not(value):
    assert BASIC.match(value)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="nothing"),
        pytest.param("Basics QTpi", id="a longer name"),
        pytest.param("Basic-2 QTpi", id="a longer name of other characters"),
        pytest.param("Bearer QTpi", id="another"),
        pytest.param("QTpi", id="a token alone"),
        pytest.param(" Basic QTpi", id="a space before it"),
        pytest.param("Ba\u017fic QTpi", id="a letter that only Unicode takes for an s"),
    ],
)
def test_what_is_of_another_or_of_none(value):
    assert not BASIC.match(value)
