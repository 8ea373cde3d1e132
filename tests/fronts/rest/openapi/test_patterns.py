"""Patterns of RE2 as those of JSON Schema."""

import re

import pytest

from gateway.fronts.rest.openapi.patterns import as_ecma


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"^[a-z][a-z0-9-]{0,62}$", id="usual"),
        pytest.param(r"^(?:a|b)+?\d\W\\$", id="groups-and-classes"),
        pytest.param(r"^[^/\\\]]+\.\x2d\/$", id="what-is-escaped"),
        pytest.param(r"^a{3}b{3,}c{3,5}$", id="times"),
        pytest.param("^ß+☃$", id="any-character"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_the_same(pattern):
    assert as_ecma(pattern) == pattern


@pytest.mark.parametrize(
    ("pattern", "spelled", "text"),
    [
        pytest.param(r"^\d{3}\-\d{4}$", r"^\d{3}\x2d\d{4}$", "555-1234", id="outside-of-a-class"),
        pytest.param(r"^[\w\-\@]+$", r"^[\w\x2d\x40]+$", "a-b@c", id="within-one"),
        pytest.param(r"^\\\-$", r"^\\\x2d$", "\\-", id="behind-a-backslash"),
    ],
)
def test_what_is_spelled_otherwise(pattern, spelled, text):
    assert as_ecma(pattern) == spelled
    assert re.fullmatch(spelled, text)


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("(?i)a", id="flags"),
        pytest.param("(?P<name>a)", id="named-groups"),
        pytest.param("[[:alpha:]]", id="classes-by-name"),
        pytest.param("[^[:alpha:]x]", id="classes-by-name-that-are-excluded"),
        pytest.param(r"\Aa\z", id="ends-of-the-text"),
        pytest.param(r"\p{Greek}", id="properties"),
        pytest.param(r"\x{10FFFF}", id="characters-by-number"),
        pytest.param(r"\123", id="octal"),
        pytest.param(r"\Q.\E", id="quotes"),
        pytest.param(r"[\a]", id="the-bell"),
        pytest.param("a{,3}", id="braces"),
        pytest.param("^{.*}$", id="braces-around"),
        pytest.param(r"^[^\\]]$", id="a-bracket"),
        pytest.param("[]a]", id="a-bracket-in-a-class"),
        pytest.param("[^]a]", id="a-bracket-out-of-a-class"),
    ],
)
def test_what_is_told_in_words(pattern):
    assert as_ecma(pattern) is None
