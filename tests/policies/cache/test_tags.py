"""Tags of replies, of templates over requests and of the backend's metadata."""

from __future__ import annotations

import pytest
from google.protobuf.message_factory import GetMessageClass

from gateway.call import Metadata
from gateway.policies.cache.tags import LONGEST, MOST, TagError, Tags
from tests.policies.cache.caching import ASK

Ask = GetMessageClass(ASK)


def tags(*templates, metadata=(), **request):
    return Tags(templates, ASK).of(Ask(**request).SerializeToString(), Metadata(metadata))


@pytest.mark.parametrize(
    ("template", "request_", "expected"),
    [
        ("catalog", {}, ("catalog",)),
        ("product:{id}", {"id": "p1"}, ("product:p1",)),
        ("product:{id}", {}, ("product:",)),
        ("{id}/{number}", {"id": "p1", "number": 7}, ("p1/7",)),
        ("x:{inner.inner.id}", {"inner": {"inner": {"id": "p1"}}}, ("x:p1",)),
        ("x:{inner.inner.id}", {}, ("x:",)),
        ("{ids}", {"ids": ["a", "b", "a"]}, ("a", "b")),
        ("{ids}", {}, ()),
        ("{ids}-{ids}", {"ids": ["a", "b"]}, ("a-a", "a-b", "b-a", "b-b")),
        ("{sure}", {"sure": True}, ("true",)),
        ("{color}", {"color": 1}, ("RED",)),
        ("{color}", {"color": 9}, ("9",)),
        ("{number}", {"number": 1}, ("1",)),
    ],
)
def test_templates(template, request_, expected):
    assert tags(template, **request_) == expected


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("", '"" is no template'),
        ("a{", '"a{" is no template'),
        ("a}", '"a}" is no template'),
        ("{{id}}", "is no template"),
        ("{}", "{} names no field; expected one such as {id} or {order.id}"),
        ("{inner.}", "{inner.} names no field"),
        ("{name}", "{name}: t.Ask has no field name"),
        ("{inner.name}", "{inner.name}: t.Ask has no field name"),
        ("{id.x}", "{id.x}: id is no message"),
        ("{inners.id}", "{inners.id}: inners is no message"),
        ("{inner}", "{inner}: inner is no text, whole number, boolean or enum"),
        ("{raw}", "raw is no text"),
        ("{share}", "share is no text"),
    ],
)
def test_templates_that_can_not_be_used(template, message):
    with pytest.raises(TagError) as caught:
        Tags([template], ASK)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a b"], ("a", "b")),
        (["a, b,c"], ("a", "b", "c")),
        ([" a  ,, b "], ("a", "b")),
        (["a", "b a"], ("a", "b")),
        ([""], ()),
    ],
)
def test_the_backend_s(values, expected):
    assert tags(metadata=[("x-cache-tags", value) for value in values]) == expected


def test_both():
    found = tags("product:{id}", id="p1", metadata=[("x-cache-tags", "sale product:p1")])
    assert found == ("product:p1", "sale")


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param([("x-cache-tags", " ".join(map(str, range(MOST + 1))))], id="too-many"),
        pytest.param([("x-cache-tags", "a b " * 100_000 + "c" * 999)], id="a-long-list"),
        pytest.param([("x-cache-tags", "x" * (LONGEST + 1))], id="too-long"),
    ],
)
def test_a_reply_that_could_not_be_purged_by_all_of_its_tags_has_none(metadata):
    assert tags(metadata=metadata) is None


def test_as_many_and_as_long_as_there_may_be():
    assert len(tags(metadata=[("x-cache-tags", " ".join(map(str, range(MOST))))])) == MOST
    assert len(tags("{ids}", ids=map(str, range(MOST)))) == MOST
    assert tags("{id}", id="x" * LONGEST)
    assert tags("{id}", id="x" * (LONGEST + 1)) is None
    assert tags("{ids}", ids=map(str, range(MOST + 1))) is None


def test_products_of_long_lists_end_early():
    assert tags("{ids}{ids}{ids}{ids}", ids=map(str, range(1000))) is None


def test_a_request_that_is_none_has_no_tags():
    assert Tags(["{id}"], ASK).of(b"\xff", Metadata()) is None
