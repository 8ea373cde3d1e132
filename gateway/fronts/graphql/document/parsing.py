"""The text of a document to its syntax tree: graphql-core's parser, within limits.

Time and memory are bounded by the limits on characters and tokens; the parser itself bounds nesting
(200 levels). Whether the document means anything is not looked at.
"""

from __future__ import annotations

import re

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    parse,
)

from gateway.fronts.graphql.document.limits import Limits, check, exceeded
from gateway.fronts.graphql.errors import RefusalCode, RequestError, request_fault, shortened

# How graphql-core words it: it has no type for it.
_TOO_MANY = re.compile(r"Document contains more than \d+ (tokens|comments)\.")


def parse_document(text: str, limits: Limits) -> DocumentNode:
    """Parses a document.

    Raises:
        RequestError: It is over the limits `size` or `tokens`, or no GraphQL.
    """
    check(limits, "size", len(text))
    try:
        return parse(text, max_lexical_tokens=limits.tokens, max_comments=limits.tokens)
    except GraphQLSyntaxError as failure:
        if _TOO_MANY.match(failure.description):
            raise exceeded(limits, "tokens", limits.tokens + 1) from None
        message = shortened(failure.message)
        locations = failure.locations or ()
        fault = request_fault(RefusalCode.PARSE_FAILED, message, locations)
        raise RequestError([fault]) from None


def definitions(
    ast: DocumentNode,
) -> tuple[list[OperationDefinitionNode], dict[str, FragmentDefinitionNode]]:
    """Returns the operations of a document in order, and its fragments by name; no others."""
    operations = []
    fragments = {}
    for definition in ast.definitions:
        if isinstance(definition, OperationDefinitionNode):
            operations.append(definition)
        elif isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = definition
    return operations, fragments
