"""Examples in comments: what counts as one, and what does not."""

from __future__ import annotations

import pytest

from gateway.mock.examples import Examples, examples_in
from tests.mock.types import ROOT, registry_of


@pytest.mark.parametrize(
    ("comment", "examples"),
    [
        ("The id, such as `p1`.", ("p1",)),
        ('Example: "Blue Lamp"', ("Blue Lamp",)),
        ("Example: Blue Lamp\nMore text.", ("Blue Lamp",)),
        ("Examples: `a`, `b` and `c`.", ("a", "b", "c")),
        ('A size, e.g. "S", "M", or "L".', ("S", "M", "L")),
        ("For example, `x`; or not `y`.", ("x",)),
        ("A name such as `a`, such as `a`.", ("a",)),
        ("Use `FindUser` with `email`.", ()),
        ("An example of nothing.", ()),
        ("Counterexample: x", ()),
        ("Example:", ()),
        ("", ()),
    ],
)
def test_what_counts(comment, examples):
    assert examples_in(comment) == examples


def test_they_are_found_at_their_fields_within_messages_too(tmp_path):
    (tmp_path / "a.proto").write_text("""
        syntax = "proto3";
        message Outer {
          // Such as `first`.
          string one = 1;
          message Inner {
            string none = 1;
            // Such as `second`.
            string two = 2;
          }
        }
    """)
    registry = registry_of(tmp_path)
    found = Examples(registry)
    fields = {
        each.full_name: found.of(each)
        for name in ("Outer", "Outer.Inner")
        for each in registry.message(name).fields
    }
    assert fields == {
        "Outer.one": ("first",),
        "Outer.Inner.none": (),
        "Outer.Inner.two": ("second",),
    }


def test_those_of_the_shop_are_found():
    registry = registry_of(ROOT / "protos")
    of = registry.message("shop.catalog.v1.Category").fields_by_name["name"]
    assert Examples(registry).of(of) == ("categories/garden/tools",)
