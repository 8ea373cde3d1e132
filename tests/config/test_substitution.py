"""References to the environment in text values."""

import pytest

from gateway.config.substitution import Substituted, SubstitutionError, substitute

ENVIRON = {"NAME": "x", "EMPTY": "", "NESTED": "${NAME}"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        pytest.param("${NAME}", "x", id="a variable"),
        pytest.param("a-${NAME}-${NAME}", "a-x-x", id="inside a text, more than once"),
        pytest.param("${NONE:-d}", "d", id="unset: the default"),
        pytest.param("${EMPTY:-d}", "d", id="empty: the default"),
        pytest.param("${NAME:-d}", "x", id="set: not the default"),
        pytest.param("${NONE:-}", "", id="an empty default"),
        pytest.param("${NONE:-a:-b}", "a:-b", id="a default with :- in it"),
        pytest.param("${EMPTY}", "", id="set but empty"),
        pytest.param("${NESTED}", "${NAME}", id="values are not substituted again"),
    ],
)
def test_reference(text, result):
    value = substitute(text, ENVIRON)
    assert value == result
    assert isinstance(value, Substituted)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        pytest.param("$${NAME}", "${NAME}", id="escaped"),
        pytest.param("$NAME", "$NAME", id="a dollar alone is a dollar"),
        pytest.param("$$", "$$", id="two dollars are two dollars"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_no_reference(text, result):
    value = substitute(text, ENVIRON)
    assert value == result
    assert not isinstance(value, Substituted)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${NONE}", "environment variable NONE is not set"),
        ("${NONE", "malformed"),
        ("${}", "malformed"),
        ("${1A}", "malformed"),
        ("${A-b}", "malformed"),
    ],
)
def test_refused(text, message):
    with pytest.raises(SubstitutionError, match=message):
        substitute(text, ENVIRON)
