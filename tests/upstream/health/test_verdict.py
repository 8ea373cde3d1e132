"""From answers to a verdict."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.health.verdict import Health, Verdict
from gateway.upstream.spec import HealthSpec

SIGNS = {Health.UNKNOWN: "?", Health.WELL: "+", Health.NOT_WELL: "-"}


def course(answers, **spec):
    """Returns the verdict after each answer: `+` and `-` of checks, `!` is NOT_SERVING by Watch."""
    verdict = Verdict()
    spec = HealthSpec(**spec)
    found = ""
    for each in answers:
        before = verdict.health
        changed = verdict.hear(spec, well=each == "+", sure=each == "!")
        assert changed == (verdict.health is not before)
        found += SIGNS[verdict.health]
    return found


@pytest.mark.parametrize(
    ("answers", "verdicts"),
    [
        pytest.param("+", "+", id="the first good answer is believed"),
        pytest.param("-+", "?+", id="after a bad one too"),
        pytest.param("--", "?-", id="bad ones are believed after two"),
        pytest.param("+-+-+", "+++++", id="which must follow each other"),
        pytest.param("+--", "++-", id="so must those of one that was well"),
        pytest.param("+--+", "++-+", id="one good answer brings it back"),
        pytest.param("+!", "+-", id="what a server says by itself is believed at once"),
        pytest.param("!", "-", id="also of one of which nothing was known"),
    ],
)
def test_as_the_defaults_have_it(answers, verdicts):
    assert course(answers) == verdicts


def test_as_many_as_are_asked_for():
    given_answers = "+--" + "-" + "++-" + "+++"
    assert course(given_answers, unhealthy_after=3, healthy_after=3) == "+++----" + "--+"


def test_doubt_is_what_has_begun_to_speak_against_the_verdict():
    verdict, spec = Verdict(), HealthSpec()
    doubts = []
    for well in (True, False, True, False, False, False):
        verdict.hear(spec, well=well)
        doubts.append(verdict.doubtful)
    assert doubts == [False, True, False, True, False, False]


@given(st.text("+-", max_size=40), st.integers(1, 4), st.integers(1, 4))
def test_a_verdict_changes_only_after_as_many_answers_in_a_row(answers, bad, good):
    verdicts = course(answers, unhealthy_after=bad, healthy_after=good)
    for index in range(1, len(answers)):
        before, after = verdicts[index - 1], verdicts[index]
        if before == "+" and after == "-":
            assert answers[: index + 1].endswith("-" * bad)
        if before == "-" and after == "+":
            assert answers[: index + 1].endswith("+" * good)
