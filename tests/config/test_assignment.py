"""Which upstream serves which service."""

import pytest

from gateway.config import ConfigError, assign, matches


@pytest.fixture
def assigned(read):
    def assigned(services, **upstreams):
        text = "upstreams:\n" + "".join(
            f"  {name}: {{endpoints: [h:1], services: {globs}}}\n"
            for name, globs in upstreams.items()
        )
        loaded = read(text)
        return assign(services, loaded.config.upstreams, loaded.source)

    return assigned


@pytest.mark.parametrize(
    ("glob", "name", "does"),
    [
        ("*", "a.B", True),
        ("shop.*", "shop.catalog.v1.Catalog", True),
        ("shop.*", "shopping.v1.Cart", False),
        ("*.v1.*", "shop.v1.Catalog", True),
        ("shop.*.Cat", "shop.v1.Catalog", False),
        ("shop.v1", "shop.v1.Catalog", False),
        ("shop.v1.Catalog", "shop.v1.Catalog", True),
        ("shop.v1.Catalog", "shopXv1.Catalog", False),
    ],
)
def test_globs(glob, name, does):
    assert matches(glob, name) is does


def test_many_stars_stay_fast():
    assert not matches("*" * 400 + "b", "a" * 500)


def test_by_name_and_by_glob(assigned):
    found = assigned(["a.A", "b.B", "c.C"], one=["a.A"], two=["b.*"])
    assert found == {"a.A": "one", "b.B": "two"}


def test_a_name_beats_a_glob(assigned):
    assert assigned(["a.A", "a.B"], one=["a.*"], two=["a.B"]) == {"a.A": "one", "a.B": "two"}


def test_two_globs_of_one_upstream(assigned):
    assert assigned(["a.A"], one=["a.*", "*.A"]) == {"a.A": "one"}


def test_globs_that_overlap_only_where_a_name_decides(assigned):
    assert assigned(["a.A"], one=["a.*"], two=["*.A"], three=["a.A"]) == {"a.A": "three"}


def test_two_upstreams_globs(assigned):
    with pytest.raises(ConfigError) as caught:
        assigned(["a.A", "a.B", "b.A"], one=["a.*"], two=["x.X", "*.A", "a.B*"])
    assert [str(problem) for problem in caught.value.problems] == [
        (
            "gateway.yaml:3:45: upstreams.two.services.1: this glob and that at "
            "upstreams.one.services.0 (gateway.yaml:2:38) both match a.A; "
            "expected one upstream a service: name it in one of them"
        ),
        (
            "gateway.yaml:3:52: upstreams.two.services.2: this glob and that at "
            "upstreams.one.services.0 (gateway.yaml:2:38) both match a.B; "
            "expected one upstream a service: name it in one of them"
        ),
    ]
