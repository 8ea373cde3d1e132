"""What is shown of an Any: all but fields that need scopes, however deep they are."""

import pytest

from gateway.fronts.graphql.plan.packed import Packed
from tests.fronts.graphql.execute.catalog import graph, new, packed, product


@pytest.fixture(scope="module")
def shown():
    return Packed(graph().types.scopes).shown


def unpacked(any_, name):
    found = new(name)
    found.ParseFromString(any_.value)
    return found


def test_what_has_no_such_field_is_shown_as_it_is(shown):
    any_ = packed(new("Supplier", id="s", name="n"))
    assert shown(any_) is any_


@pytest.mark.parametrize(
    ("url", "value"),
    [("type.googleapis.com/no.such.Type", b"x"), ("", b""), ("no slash", b"")],
    ids=["unknown", "empty", "no-type"],
)
def test_what_is_of_no_known_type_is_left_alone(shown, url, value):
    any_ = type(packed(new("Id")))(type_url=url, value=value)
    assert shown(any_) is any_


def test_what_is_broken_is_left_alone(shown):
    any_ = type(packed(new("Id")))(type_url="x/test.v1.Product", value=b"\xff\xff")
    assert shown(any_) is any_


def test_fields_that_need_scopes_are_taken_out(shown):
    found = unpacked(shown(packed(product("a", code="c-secret"))), "Product")
    assert [field.name for field, _ in found.ListFields()] == ["id", "title", "maker_id"]


def test_what_is_given_is_not_changed(shown):
    any_ = packed(product("a"))
    before = any_.SerializeToString()
    shown(any_)
    assert any_.SerializeToString() == before


def test_an_any_in_an_any_in_an_any(shown):
    inner = new("Box", label="inner", product=product("a"))
    middle = new("Box", label="middle", inner=packed(inner))
    outer = packed(new("Box", label="outer", inner=packed(middle)))
    found = unpacked(shown(outer), "Box")
    assert found.label == "outer"
    found = unpacked(found.inner, "Box")
    assert found.label == "middle"
    found = unpacked(found.inner, "Box")
    assert (found.label, found.product.id) == ("inner", "a")
    assert b"secret" not in shown(outer).SerializeToString()


def test_an_any_that_is_packed_itself(shown):
    any_ = packed(packed(product("a")))
    assert b"secret" not in shown(any_).SerializeToString()
