"""Texts of patterns: what is made matches, and what can't be followed is said."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mock.dice import Dice
from gateway.mock.patterns import Pattern, PatternError


@pytest.mark.parametrize(
    "pattern",
    [
        "^[a-z]+$",
        r"^\d{3}-\d{4}$",
        "^(foo|bar)?baz{2,}$",
        r"^[A-Z][a-zA-Z0-9_]{0,62}$",
        r"\A[^/]+/[^/]+\z",
        r"^projects/[a-z]([-a-z0-9]*[a-z0-9])?$",
        "^a|b$",
        r"^(?:\+|00)[1-9]\d{6,14}$",
        r"^(?P<year>\d{4})-(0[1-9]|1[0-2])$",
        "^[^a-y]$",
        r"^[\w.+-]+@[\w-]+\.[\w.-]+$",
        "^.{3}$",
        r"^\$\.\^$",
        r"^\x41\x{42}$",
        "^[]a]{2}$",
        "^[a-]$",
        "^a+?b*?$",
        "^a{0}$",
        "",
        "middle",
        "^[à-ÿ]{2}$",
    ],
)
def test_it_matches(pattern):
    compiled = re.compile(pattern.replace(r"\z", r"\Z").replace(r"\x{42}", r"\x42"))
    for more in range(4):
        text = Pattern(pattern).text(Dice(b"0").of(more), more)
        assert compiled.search(text), text


def test_a_brace_that_counts_nothing_is_itself():
    assert Pattern("a{,3}").text(Dice(b"0")) == "a{,3}"  # Python has another opinion


@pytest.mark.parametrize(
    ("pattern", "among"),
    [("[[:alpha:]]{9}", str.isalpha), (r"\pN{4}", str.isdigit), (r"[[:^alpha:]\p{Lu}]", str.strip)],
)
def test_it_knows_classes_that_python_has_not(pattern, among):
    assert among(Pattern(pattern).text(Dice(b"0")))


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"\bword\b", r"the escape \b"),
        ("(?i)a", "flags"),
        ("a(", "without its )"),
        ("a)", "unexpected )"),
        ("[a", "ends too early"),
        ("*", "nothing before *"),
        ("a^b", "an anchor"),
        ("a{3,2}", "out of range"),
        ("[b-a]", "a range"),
        (r"\p{Greek}", "Unicode class Greek"),
        ("[[:nothing:]]", "the class"),
        (r"\xzz", "the escape"),
        ("a\\", "ends too early"),
        ("(" * 60, "too deep"),
    ],
)
def test_what_it_cannot_follow_is_said(pattern, why):
    with pytest.raises(PatternError, match=re.escape(why)):
        Pattern(pattern)


atoms = st.sampled_from(["a", "[b-d]", r"\d", "[^x]", r"\.", "(e|fg)", "(?:h(i|j)k)"])
repeated = st.tuples(atoms, st.sampled_from(["", "*", "+", "?", "{2}", "{1,3}", "{2,}"])).map(
    "".join
)


@given(st.lists(repeated, max_size=6), st.integers(0, 5), st.binary(max_size=4))
def test_every_text_matches_as_python_says(parts, more, seed):
    pattern = f"^{''.join(parts)}$"
    assert re.fullmatch(pattern, Pattern(pattern).text(Dice(seed), more))


@given(st.text(alphabet="ab()[]{}|*+?^$\\.-:1,pPx", max_size=12))
def test_any_text_is_a_pattern_or_an_error(text):
    try:
        Pattern(text).text(Dice(b"0"))
    except PatternError as wrong:
        assert str(wrong)


@pytest.mark.parametrize(
    "pattern",
    ["(a{1000}){1000}", "((a{1000}){1000}){1000}", "(((((a{9}){9}){9}){9}){9}){9}"],
)
def test_texts_that_have_no_end_are_given_up(pattern: str) -> None:
    with pytest.raises(PatternError, match="too long"):
        Pattern(pattern).text(Dice(b"x"))


@pytest.mark.parametrize("pattern", ["a**", "a{1}{2}", "a+*", "a" + "{1}" * 3000])
def test_a_repetition_of_a_repetition_is_none_of_re2(pattern: str) -> None:
    with pytest.raises(PatternError, match="repetition of a repetition"):
        Pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "does"),
    [
        ("^(a|b)*c$", "ababc", True),
        ("^(a|b)*c$", "abab", False),
        ("[a-z]{2,3}", "abcd", False),
        ("(a{2}){2,}", "aaaaaa", True),
        ("(a{2}){2,}", "aaaaa", False),
        ("(a?){3}b", "ab", True),
        ("", "", True),
        ("(a*)*", "", True),
        pytest.param("^([a-z-]+)+!$", "quick-notebook-of-somebody-" * 9, False, id="all_ways"),
    ],
)
def test_whether_a_text_matches(pattern: str, text: str, does: bool) -> None:
    assert Pattern(pattern).matches(text) is does
