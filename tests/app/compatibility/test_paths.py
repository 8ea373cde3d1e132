"""Which templates answer every path that others answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app.compatibility.paths import Covering, covers
from gateway.routing.router import Match, RouterBuilder
from gateway.routing.template import parse


@pytest.mark.parametrize(
    ("wide", "narrow", "does"),
    [
        ("/v1/users", "/v1/users", True),
        ("/v1/{id}", "/v1/users", True),
        ("/v1/users", "/v1/{id}", False),
        ("/v1/{id}", "/v1/{name}", True),
        ("/v1/{id}", "/v1/{a}/{b}", False),
        ("/v1/{name=**}", "/v1/{a}/{b}", True),
        ("/v1/{name=**}", "/v1", True),
        ("/v1/{name=**}", "/v2/a", False),
        ("/v1/{name=**}", "/v1/a/{rest=**}", True),
        ("/v1/a/{name=**}", "/v1/{rest=**}", False),
        ("/v1/**/end", "/v1/a/b/end", True),
        ("/v1/**/end", "/v1/a/b", False),
        ("/v1/**/end", "/v1/end", True),
        ("/v1/**/end", "/end", False),
        ("/v1/**/end", "/v1/**", False),
        ("/v1/*", "/v1/**", False),
        ("/v1/{id}:go", "/v1/{id}:go", True),
        ("/v1/{id}", "/v1/{id}:go", False),
        ("/v1/{id}:go", "/v1/{id}", False),
    ],
)
def test_one_covers_the_other(wide: str, narrow: str, *, does: bool) -> None:
    assert covers(parse(wide), parse(narrow)) is does


SEGMENT = st.sampled_from(["a", "b", "*"])
TEMPLATES = st.builds(
    lambda start, many, tail: parse("/" + "/".join([*start, *many, *tail])),
    st.lists(SEGMENT, min_size=1, max_size=3),
    st.sampled_from([[], ["**"]]),
    st.lists(st.sampled_from(["a", "b"]), max_size=2),
)


@given(TEMPLATES, TEMPLATES, st.lists(st.sampled_from(["a", "b", "c"]), max_size=6))
def test_what_covers_matches_every_path_of_the_other(
    wide: object, narrow: object, path: list[str]
) -> None:
    def matches(template: object) -> bool:
        builder = RouterBuilder[str]()
        builder.add("GET", template, "it", label="it", source="")  # type: ignore[arg-type]
        return isinstance(builder.freeze().match("GET", "/" + "/".join(path)), Match)

    if covers(wide, narrow) and matches(narrow):  # type: ignore[arg-type]
        assert matches(wide)


@given(st.lists(TEMPLATES, max_size=12), TEMPLATES)
def test_all_that_cover_are_found_and_no_others(wide: list[object], narrow: object) -> None:
    index = Covering((each, number) for number, each in enumerate(wide))  # type: ignore[misc]
    expected = [number for number, each in enumerate(wide) if covers(each, narrow)]  # type: ignore[arg-type]
    assert index.find(narrow) == expected  # type: ignore[arg-type]
