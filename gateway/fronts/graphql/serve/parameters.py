"""From a request's query or body to the parameters of GraphQL (GraphQL over HTTP, "Request").

What is not well-formed is refused here, with 400 whatever the client accepts; whether the document
is one is for the engine. Names that the protocol does not know are left alone, as it asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from gateway.errors import error
from gateway.fronts.graphql.errors import RefusalCode, RequestError, refusal
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from gateway.fronts.graphql.serve.json_text import JsonError, loads
from gateway.routing import query

_NAMES = frozenset({"query", "documentId", "operationName", "variables", "extensions"})
_MAPS = ("variables", "extensions")


def of_query(raw: str | None) -> GraphqlRequest:
    """Returns the request that the query of a GET makes.

    Empty values count as absent; `variables` and `extensions` are JSON.

    Raises:
        RpcError: INVALID_QUERY: it does not decode.
        RequestError: BAD_REQUEST: it makes no request.
    """
    given: dict[str, object] = {}
    for name, value in query.parse(raw or ""):
        if name not in _NAMES or not value:
            continue
        if name in given:
            raise _bad(f"The parameter {name} comes twice.")
        given[name] = value
    for name in _MAPS:
        if name in given:
            try:
                given[name] = loads(cast("str", given[name]))
            except JsonError as wrong:
                raise _bad(f"The parameter {name} can't be read: {wrong}.") from None
    return request_of(given)


def of_body(body: bytes) -> object:
    """Returns the JSON of a body: what `request_of` takes, or a list of that.

    Raises:
        RpcError: INVALID_JSON: it is not readable.
    """
    try:
        return loads(body)
    except JsonError as wrong:
        raise error("INVALID_JSON", f"The body can't be read: {wrong}.") from None


def request_of(given: object) -> GraphqlRequest:
    """Returns the request that a JSON object makes; null counts as absent.

    Raises:
        RequestError: BAD_REQUEST: it makes none.
    """
    if not isinstance(given, Mapping):
        raise _bad("A request is a JSON object.")
    extensions = _map(given, "extensions")
    text, named = _text(given, "query"), _text(given, "documentId")
    if text is None and named is None and "persistedQuery" not in (extensions or ()):
        raise _bad("The parameter query is missing.")
    operation, variables = _text(given, "operationName"), _map(given, "variables")
    return GraphqlRequest(text, operation, variables, extensions, named)


def _text(given: Mapping[str, object], name: str) -> str | None:
    value = given.get(name)
    if value is None or isinstance(value, str):
        return value
    raise _bad(f"The parameter {name} must be a string.")


def _map(given: Mapping[str, object], name: str) -> Mapping[str, object] | None:
    value = given.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise _bad(f"The parameter {name} must be an object.")


def _bad(message: str) -> RequestError:
    return refusal(RefusalCode.BAD_REQUEST, message)
