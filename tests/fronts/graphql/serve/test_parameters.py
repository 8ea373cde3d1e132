"""From a query or a body to a request (GraphQL over HTTP, "Request")."""

import json
from urllib.parse import urlencode

import pytest

from gateway.call import RpcError
from gateway.fronts.graphql.errors import RequestError
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from gateway.fronts.graphql.serve.parameters import of_body, of_query, request_of

FULL = GraphqlRequest("{a}", "Name", {"v": [1]}, {"e": None})


def refused(make, *args):
    with pytest.raises(RequestError) as caught:
        make(*args)
    (found,) = caught.value.errors
    assert found.extensions == {"code": "BAD_REQUEST"}
    return found.message


def test_a_body_has_four_parameters():
    given = {
        "query": "{a}",
        "operationName": "Name",
        "variables": {"v": [1]},
        "extensions": {"e": None},
    }
    assert request_of(of_body(json.dumps(given).encode())) == FULL


def test_a_query_has_them_too():
    given = {
        "query": "{a}",
        "operationName": "Name",
        "variables": '{"v":[1]}',
        "extensions": '{"e":null}',
    }
    assert of_query(urlencode(given)) == FULL


@pytest.mark.parametrize("name", ["operationName", "variables", "extensions"])
def test_null_is_as_good_as_absent(name):
    assert request_of({"query": "{a}", name: None}) == GraphqlRequest("{a}")


@pytest.mark.parametrize("name", ["operationName", "variables", "extensions"])
def test_an_empty_value_of_a_query_is_as_good_as_absent(name):
    assert of_query(f"query={{a}}&{name}=") == GraphqlRequest("{a}")


def test_null_in_a_query_is_a_name():
    assert of_query("query={a}&operationName=null").operation_name == "null"


def test_null_in_a_query_is_no_variables():
    assert of_query("query={a}&variables=null").variables is None


def test_an_empty_document_is_the_engines_to_refuse():
    assert request_of({"query": ""}) == GraphqlRequest("")


def test_unknown_parameters_are_left_alone():
    assert request_of({"query": "{a}", "id": 7, "queries": []}) == GraphqlRequest("{a}")
    assert of_query("utm=1&utm=2&query={a}") == GraphqlRequest("{a}")


def test_a_document_may_be_named_by_extensions_instead():
    given = {"persistedQuery": {"version": 1, "sha256Hash": "ab"}}
    assert request_of({"extensions": given}) == GraphqlRequest(extensions=given)
    assert of_query(urlencode({"extensions": json.dumps(given)})) == GraphqlRequest(
        extensions=given
    )


@pytest.mark.parametrize("given", [{}, {"qeury": "{a}"}, {"query": None}, {"extensions": {"a": 1}}])
def test_without_a_document(given):
    assert refused(request_of, given) == "The parameter query is missing."


@pytest.mark.parametrize("raw", [None, "", "operationName=A", "query="])
def test_without_a_document_in_a_query(raw):
    assert refused(of_query, raw) == "The parameter query is missing."


@pytest.mark.parametrize("name", ["query", "operationName"])
@pytest.mark.parametrize("value", [{"obj": "ect"}, 0, False, ["array"]], ids=str)
def test_what_must_be_a_string(name, value):
    assert refused(request_of, {"query": "{a}", name: value}) == (
        f"The parameter {name} must be a string."
    )


@pytest.mark.parametrize("name", ["variables", "extensions"])
@pytest.mark.parametrize("value", ["string", 0, False, ["array"]], ids=str)
def test_what_must_be_an_object(name, value):
    message = f"The parameter {name} must be an object."
    assert refused(request_of, {"query": "{a}", name: value}) == message
    raw = urlencode({"query": "{a}", name: json.dumps(value)})
    assert refused(of_query, raw) == message


@pytest.mark.parametrize("given", [None, "{a}", 7, True, []], ids=str)
def test_a_request_is_an_object(given):
    assert refused(request_of, given) == "A request is a JSON object."


@pytest.mark.parametrize("name", ["variables", "extensions"])
def test_json_in_a_query_that_can_not_be_read(name):
    message = refused(of_query, f"query={{a}}&{name}={{")
    assert message == f"The parameter {name} can't be read: it is not JSON in UTF-8."


def test_a_parameter_twice_in_a_query():
    assert refused(of_query, "query={a}&query={b}") == "The parameter query comes twice."


def test_a_query_that_does_not_decode():
    with pytest.raises(RpcError) as caught:
        of_query("query=%zz")
    assert caught.value.reason == "INVALID_QUERY"


def test_a_body_that_is_no_json():
    with pytest.raises(RpcError) as caught:
        of_body(b'{ "not a JSON')
    assert caught.value.reason == "INVALID_JSON"
    assert caught.value.status.message == "The body can't be read: it is not JSON in UTF-8."
