"""`gateway explain --document FILE`: what a GraphQL document would call, before it is run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from gateway.app import Generation
from gateway.app.graphql import GraphqlParts
from gateway.cli.failure import Exit, Failure
from gateway.fronts.graphql.document import Document, Limits
from gateway.fronts.graphql.document.explanation import explained
from gateway.fronts.graphql.errors import RequestError
from gateway.fronts.graphql.trusted.directive import REST
from gateway.fronts.graphql.trusted.reading import defaults_of, read_trusted
from gateway.schema.problem import SchemaError


def _document(graphql: GraphqlParts, path: Path, text: str) -> Document:
    """Returns the document; one that is a view, or would be, is read as trusted ones are.

    Raises:
        RequestError: It is wrong.
        Failure: Likewise.
    """
    if f"@{REST.name}" not in text:
        return graphql.engine.documents.get(text)
    try:
        found = read_trusted([(str(path), text)], graphql.graph.schema, Limits())
    except SchemaError as wrong:
        raise Failure(*map(str, wrong.problems)) from wrong
    return found.by_text[text]


def explain_document(
    generation: Generation, path: Path, operation: str | None, variables: str | None
) -> Iterator[str]:
    """Yields the explanation of each operation of a document, or of one.

    Args:
        generation: Its graph is the document's.
        path: The document's file.
        operation: The name of the one operation, where it is about one.
        variables: A JSON object, or None for none.

    Raises:
        Failure: There is no graph, or the document or the variables are wrong.
    """
    graphql = generation.graphql
    if graphql is None:
        raise Failure("graphql is off in the config: there is no graph to explain it by")
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise Failure(f"{path} is no text in UTF-8") from error
    except OSError as error:
        raise Failure(f"{path} can't be read: {error.strerror}") from error
    try:
        given = json.loads(variables or "{}")
    except ValueError as error:
        raise Failure(f"--variables is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise Failure('--variables must be a JSON object such as {"id": "p1"}')
    try:
        document = _document(graphql, path, text)
        chosen = [document.operation(operation)] if operation else document.operations
        for number, one in enumerate(chosen):
            coerced = (
                graphql.engine.variables(document, one, given)
                if variables
                else defaults_of(one.node)
            )
            if number:
                yield ""
            yield from explained(one, graphql.engine.documents.limits, coerced)
    except RequestError as refused:
        lines = []
        for each in refused.errors:
            place = each.locations[0] if each.locations else None
            where = f"{path}:{place.line}:{place.column}" if place else str(path)
            lines.append(f"{where}: {each.message}")
        raise Failure(*lines, code=Exit.MISTAKE) from refused
