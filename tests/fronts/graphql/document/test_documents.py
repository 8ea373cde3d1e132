"""The cache of documents, and the choice of an operation."""

from __future__ import annotations

import hashlib
import json

import pytest
from graphql import OperationType, build_schema

from gateway.fronts.graphql.document import Documents, Limits
from gateway.fronts.graphql.errors import RequestError, response

SCHEMA = build_schema("type Query { a: Query c: String } type Mutation { m: String }")


def documents(**options):
    return Documents(SCHEMA, Limits(), **options)


def refused(call, *given):
    with pytest.raises(RequestError) as caught:
        call(*given)
    return json.loads(response(caught.value.errors))["errors"]


def test_the_same_text_is_the_same_document():
    cache = documents()
    assert cache.get("{c}") is cache.get("{c}")
    assert cache.get("{ c }") is not cache.get("{c}")


def test_it_is_counted_how_often_a_document_was_there_and_how_many_made_room():
    cache = documents(max_documents=1)
    for text in ("{c}", "{c}", "{ c }"):
        cache.get(text)
    refused(cache.get, "{nope}")
    lookups = cache.lookups
    assert (lookups.hits, lookups.misses, lookups.evictions) == (1, 3, 2)
    assert cache.size > 0


def test_a_refusal_is_kept_too():
    cache = documents()
    first = refused(cache.get, "{nope}")
    assert len(cache) == 1
    assert refused(cache.get, "{nope}") == first
    assert len(cache) == 1


def test_a_text_that_is_too_long_is_not_kept():
    cache = documents()
    refused(cache.get, "#" * 200_000)
    assert len(cache) == 0


def test_what_was_not_asked_for_longest_goes_first():
    cache = documents(max_documents=2)
    first, second = cache.get("{c}"), cache.get("{a{c}}")
    cache.get("{c}")
    cache.get("{a{a{c}}}")
    assert len(cache) == 2
    assert cache.get("{c}") is first
    assert cache.get("{a{c}}") is not second


def test_the_memory_is_bounded():
    cache = documents(max_bytes=100_000)
    for i in range(100):
        cache.get(f"{{x{i}:c}}" + " " * 100)
        refused(cache.get, f"{{nope{i}}}")
    assert 1 < len(cache) < 15


def test_a_document_larger_than_the_cache_is_answered_and_not_kept():
    cache = documents(max_bytes=10)
    assert cache.get("{c}").operations
    assert len(cache) == 0


TWO = "query A{c} mutation B{m}"


def test_an_operation_is_chosen_by_its_name():
    document = documents().get(TWO)
    assert document.operation("A").kind is OperationType.QUERY
    assert document.operation("B").kind is OperationType.MUTATION
    assert document.operation("B").name == "B"


@pytest.mark.parametrize("text", ["{c}", "query A{c}"], ids=["anonymous", "named"])
def test_the_only_operation_needs_no_name(text):
    document = documents().get(text)
    assert document.operation(None) is document.operations[0]


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        pytest.param(
            TWO,
            None,
            "Must provide operation name if query contains multiple operations.",
            id="no-name-for-two",
        ),
        pytest.param(TWO, "C", "Unknown operation named 'C'.", id="unknown"),
        pytest.param("{c}", "C", "Unknown operation named 'C'.", id="a-name-for-the-anonymous"),
        pytest.param("{c}", "", "Unknown operation named ''.", id="empty"),
    ],
)
def test_an_operation_that_is_not_there(text, name, message):
    assert refused(documents().get(text).operation, name) == [
        {"message": message, "extensions": {"code": "OPERATION_RESOLUTION_FAILURE"}}
    ]


def test_the_digest_is_the_sha_256_of_the_text():
    text = "{c} # é"
    assert documents().get(text).digest == hashlib.sha256(text.encode()).hexdigest()
