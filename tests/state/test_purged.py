"""What was purged lately."""

from __future__ import annotations

import pytest

from gateway.state import purged
from gateway.state.purged import Purged


def test_nothing_was_purged_since_now():
    of = Purged()
    of.note()
    of.note("a")
    assert of.count == 2
    assert not of.since(2, ("a",))


@pytest.mark.parametrize(
    ("tags", "expected"), [(("a",), True), (("b", "a"), True), (("b",), False), ((), False)]
)
def test_a_purge_of_a_tag_is_of_what_has_it(tags, expected):
    of = Purged()
    of.note("a")
    assert of.since(0, tags) is expected


def test_a_purge_of_anything_is_of_all():
    of = Purged()
    of.note()
    assert of.since(0, ())
    of.note("a")
    assert not of.since(1, ("b",))


def test_a_purge_that_is_not_remembered_may_have_been_of_anything(monkeypatch):
    monkeypatch.setattr(purged, "_MOST", 2)
    of = Purged()
    for tag in ("a", "b", "a", "c"):
        of.note(tag)
    assert of.since(1, ("x",))  # b's, the second, is forgotten
    assert not of.since(2, ("x",))
    assert of.since(2, ("a",))
