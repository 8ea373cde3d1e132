"""Which document a request means, and whether it may be run."""

from hashlib import sha256

import pytest

from gateway.fronts.graphql.errors import RequestError
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from gateway.fronts.graphql.serve.parameters import of_query, request_of
from gateway.fronts.graphql.trusted.automatic import Automatic
from tests.fronts.graphql.trusted.shop import CALLER, Services, engine_of, trusted_of

TRUSTED = "query A { whoAmI { peer } }\nquery B { whoAmI { replica } }"
OTHER = "{ whoAmI { replica } }"


def digest(text):
    return sha256(text.encode()).hexdigest()


def persisted(text, query=None, version=1):
    extensions = {"persistedQuery": {"version": version, "sha256Hash": digest(text)}}
    return GraphqlRequest(query, extensions=extensions)


def engine(**options):
    return engine_of(Services(), trusted_of(TRUSTED), soon=at_once, **options)


def at_once(work):
    """Nothing here waits for the end of a turn of the loop; if it did, it would be done at once."""
    work()


def code(of, request):
    with pytest.raises(RequestError) as refused:
        of.prepare(request, CALLER)
    (error,) = refused.value.errors
    return error.extensions["code"]


def runs(of, request):
    """Returns the response of a request."""
    answers = []
    of.run(of.prepare(request, CALLER), answers.append)
    (answer,) = answers
    return answer


PEER, REPLICA = b'{"data":{"whoAmI":{"peer":""}}}', b'{"data":{"whoAmI":{"replica":""}}}'


@pytest.mark.parametrize("only", [False, True], ids=["others-too", "trusted-only"])
@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        pytest.param(GraphqlRequest(document_id="A"), PEER, id="name"),
        pytest.param(GraphqlRequest(document_id="B"), REPLICA, id="another-name"),
        pytest.param(
            GraphqlRequest(document_id="A", operation_name="B"),
            REPLICA,
            id="operation-name-chooses-in-the-file",
        ),
        pytest.param(
            GraphqlRequest(document_id=f"sha256:{digest(TRUSTED)}", operation_name="B"),
            REPLICA,
            id="prefixed-hash",
        ),
        pytest.param(
            GraphqlRequest(document_id=digest(TRUSTED), operation_name="A"), PEER, id="hash"
        ),
        pytest.param(
            GraphqlRequest(
                operation_name="A",
                extensions={"persistedQuery": {"version": 1, "sha256Hash": digest(TRUSTED)}},
            ),
            PEER,
            id="persisted-query",
        ),
        pytest.param(GraphqlRequest(TRUSTED, "B"), REPLICA, id="its-whole-text"),
    ],
)
def test_a_trusted_document_is_found_by(request_, answer, only):
    assert runs(engine(only=only), request_) == answer


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        pytest.param(GraphqlRequest(OTHER, document_id="A"), "BAD_REQUEST", id="query-and-id"),
        pytest.param(GraphqlRequest(), "BAD_REQUEST", id="nothing"),
        pytest.param(
            GraphqlRequest(document_id="C"), "PERSISTED_QUERY_NOT_FOUND", id="unknown-name"
        ),
        pytest.param(
            GraphqlRequest(document_id="x-own:1"), "PERSISTED_QUERY_NOT_FOUND", id="other-prefix"
        ),
        pytest.param(
            GraphqlRequest(document_id=f"sha256:{digest(TRUSTED)}"),
            "OPERATION_RESOLUTION_FAILURE",
            id="a-file-of-two-needs-a-name",
        ),
        pytest.param(persisted(OTHER), "PERSISTED_QUERY_NOT_SUPPORTED", id="apq-is-off"),
        pytest.param(persisted(TRUSTED, OTHER), "BAD_REQUEST", id="hash-of-another-text"),
        pytest.param(persisted(OTHER, version=2), "BAD_REQUEST", id="unknown-version"),
        pytest.param(
            GraphqlRequest(extensions={"persistedQuery": None}), "BAD_REQUEST", id="no-object"
        ),
        pytest.param(
            GraphqlRequest(extensions={"persistedQuery": {"version": 1}}),
            "BAD_REQUEST",
            id="no-hash",
        ),
    ],
)
def test_a_request_is_refused_for(request_, told):
    assert code(engine(), request_) == told


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(GraphqlRequest(OTHER), id="text"),
        pytest.param(GraphqlRequest("{ not even GraphQL"), id="not-parsed"),
        pytest.param(GraphqlRequest(f"{TRUSTED} "), id="nearly-trusted"),
        pytest.param(GraphqlRequest(document_id="C"), id="name"),
        pytest.param(persisted(OTHER), id="hash"),
        pytest.param(persisted(OTHER, OTHER), id="hash-and-text"),
    ],
)
def test_only_trusted_documents_are_served_where_that_is_asked_for(request_):
    kept = Automatic()
    assert code(engine(only=True, automatic=kept), request_) == "UNTRUSTED_DOCUMENT"
    assert not len(kept)


def test_a_text_is_stored_by_its_hash():
    of = engine(automatic=Automatic())
    assert code(of, persisted(OTHER)) == "PERSISTED_QUERY_NOT_FOUND"
    assert runs(of, persisted(OTHER, OTHER)) == REPLICA
    assert runs(of, persisted(OTHER)) == REPLICA
    assert runs(of, GraphqlRequest(document_id=f"sha256:{digest(OTHER)}")) == REPLICA


def test_a_text_is_stored_under_no_hash_but_its_own():
    kept = Automatic()
    of = engine(automatic=kept)
    assert code(of, persisted(TRUSTED, OTHER)) == "BAD_REQUEST"
    assert not len(kept)


def test_a_text_that_is_refused_is_not_stored():
    kept = Automatic()
    assert code(engine(automatic=kept), persisted("{ no }", "{ no }")) == (
        "GRAPHQL_VALIDATION_FAILED"
    )
    assert not len(kept)


def test_hash_and_text_run_where_nothing_is_stored():
    assert runs(engine(), persisted(OTHER, OTHER)) == REPLICA


def test_what_was_not_asked_for_longest_goes_first():
    kept = Automatic(max_documents=2)
    kept.keep("1", "one")
    kept.keep("2", "two")
    assert kept.get("1") == "one"
    kept.keep("3", "three")
    assert [kept.get(each) for each in "123"] == ["one", None, "three"]


def test_texts_are_bounded_by_memory():
    kept = Automatic(max_bytes=10_000)
    for number in range(100):
        kept.keep(str(number), "x" * 1000)
    assert 1 < len(kept) < 10
    kept.keep("large", "x" * 20_000)
    assert not len(kept)


def test_the_same_text_counts_once():
    kept = Automatic(max_bytes=2500)
    for _ in range(9):
        kept.keep("1", "x" * 1000)
    assert kept.get("1")


def test_an_id_is_a_parameter_of_query_and_body():
    assert of_query("documentId=A&variables=%7B%7D").document_id == "A"
    assert request_of({"documentId": "A"}) == GraphqlRequest(document_id="A")
