"""Which content coding a reply may be sent in (RFC 9110 sections 8.4.1.3, 12.4.2 and 12.5.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.coding import NO_CHOICE, Choice, choose

OFFERED = ("br", "gzip", "zstd")


@pytest.mark.parametrize(
    ("accepted", "coding", "identity"),
    [
        pytest.param([], None, True, id="without-the-field-any-but-who-knows"),
        pytest.param([""], None, True, id="empty-wants-none"),
        pytest.param(["gzip"], "gzip", True, id="one"),
        pytest.param(["compress, gzip"], "gzip", True, id="one-that-is-not-offered"),
        pytest.param(["deflate"], None, True, id="none-that-is-offered"),
        pytest.param(["gzip, deflate, br, zstd"], "br", True, id="alike-the-first-offered"),
        pytest.param(["gzip, br;q=0.9"], "gzip", True, id="weight-before-order"),
        pytest.param(["gzip;q=0.5, br;q=0.501"], "br", True, id="three-digits-count"),
        pytest.param(["*"], "br", True, id="any"),
        pytest.param(["*;q=0.1, zstd"], "zstd", True, id="named-before-any"),
        pytest.param(["br;q=0, *"], "gzip", True, id="any-but-one"),
        pytest.param(["gzip;q=0"], None, True, id="not-this"),
        pytest.param(["gzip;q=0.000"], None, True, id="zero-in-digits"),
        pytest.param(["*;q=0"], None, False, id="nothing-at-all"),
        pytest.param(["identity;q=0"], None, False, id="not-identity"),
        pytest.param(["gzip, identity;q=0"], "gzip", False, id="packed-only"),
        pytest.param(["gzip, *;q=0"], "gzip", False, id="nothing-else"),
        pytest.param(["gzip, *;q=0, identity;q=0.1"], "gzip", True, id="identity-if-need-be"),
        pytest.param(["gzip;q=0.5, identity"], None, True, id="rather-not-packed"),
        pytest.param(["gzip;q=1.0, identity; q=0.5, *;q=0"], "gzip", True, id="example-of-the-rfc"),
        pytest.param(["identity, gzip"], "gzip", True, id="alike-packed"),
        pytest.param(["GZIP;Q=1"], "gzip", True, id="case-does-not-matter"),
        pytest.param([" gzip ; q=0.3 ,br; q = 0.2"], "gzip", True, id="white-space"),
        pytest.param(["x-gzip"], "gzip", True, id="the-old-name"),
        pytest.param(["gzip", "br"], "br", True, id="two-fields"),
        pytest.param(["x," * 63 + "gzip, br"], "gzip", True, id="the-first-64-of-many"),
        pytest.param(["gzip;q=0, gzip"], None, True, id="the-first-of-two"),
        pytest.param(["gzip;q=2, br;q=0.5"], "br", True, id="no-weight-no-item"),
        pytest.param(["br;level=5, gzip;q=0.1"], "gzip", True, id="no-parameter-but-q"),
        pytest.param(["gzip;q=0.0001"], None, True, id="four-digits-are-none"),
        pytest.param([",,gzip,,"], "gzip", True, id="empty-items"),
    ],
)
def test_choice(accepted, coding, identity):
    assert choose(accepted, OFFERED) == Choice(coding, identity)


def test_who_says_nothing_gets_what_he_can_read():
    assert choose([], OFFERED) == NO_CHOICE


CODINGS = st.sampled_from(["gzip", "br", "zstd", "identity", "*", "deflate"])
WEIGHTS = st.integers(0, 1000).map(lambda n: n / 1000)


@given(st.dictionaries(CODINGS, WEIGHTS), st.permutations(OFFERED))
def test_what_is_chosen_is_liked_best_of_all_that_there_is(weights, offered):
    text = ", ".join(f"{name};q={weight:.3f}" for name, weight in weights.items())
    coding, identity = choose([text], offered)
    others = weights.get("*")

    def liked(name):
        return weights.get(name, others) or 0.0

    if coding is not None:
        assert liked(coding) > 0
        assert all(liked(other) <= liked(coding) for other in offered)
        assert weights.get("identity", 0) <= liked(coding)
    else:
        best = max(map(liked, offered))
        assert best == 0 or weights["identity"] > best
    assert identity is (weights.get("identity", others) != 0)


@given(st.lists(st.text(max_size=40), max_size=3))
def test_no_text_breaks_it(values):
    coding, identity = choose(values, OFFERED)
    assert coding in {None, *OFFERED}
    assert identity in {True, False}
