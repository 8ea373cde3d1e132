"""`__schema` and `__type`: what graphql-core answers of the schema itself.

The selection becomes a query of its own, with the operation's variables. Where an operation has no
variables, what was written once is kept with the plan.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from graphql import (
    REMOVE,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLDeferDirective,
    GraphQLError,
    GraphQLSchema,
    GraphQLStreamDirective,
    OperationDefinitionNode,
    OperationType,
    Visitor,
    VisitorAction,
    execute_sync,
    visit,
)
from graphql.language import SelectionSetNode

from gateway.fronts.graphql.errors import RefusalCode
from gateway.fronts.graphql.execute.trouble import Text, Trouble

_PARTS = frozenset({GraphQLDeferDirective.name, GraphQLStreamDirective.name})


def introspection(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    nodes: Sequence[FieldNode],
) -> Text:
    """Returns what writes one field that asks for the schema.

    Args:
        schema: The graph.
        document: The document; its fragments are used.
        operation: The operation that the field is in.
        nodes: Where the operation asks for the field.
    """
    query = OperationDefinitionNode(
        operation=OperationType.QUERY,
        selection_set=SelectionSetNode(selections=tuple(nodes)),
        variable_definitions=operation.variable_definitions,
        directives=(),
    )
    fragments = [each for each in document.definitions if isinstance(each, FragmentDefinitionNode)]
    alone = visit(DocumentNode(definitions=(query, *fragments)), _AtOnce())
    first = nodes[0]
    key = (first.alias or first.name).value
    known: list[str] = []

    def text(_parent: Any, run: Any) -> str:
        if known:
            return known[0]
        values = {
            name: source.value
            for name, source in run.variables.sources.items()
            if hasattr(source, "value")
        }
        result = execute_sync(schema, alone, variable_values=values)
        run.errors.extend(map(_trouble, result.errors or ()))
        written = json.dumps((result.data or {}).get(key), ensure_ascii=False)
        if not operation.variable_definitions:
            known.append(written)
        return written

    return text


class _AtOnce(Visitor):
    """Leaves out `@defer`: the schema is here already, there is nothing to put off."""

    def enter_directive(self, node: DirectiveNode, *_: Any) -> VisitorAction:
        """Removes a directive that graphql-core would answer in parts for."""
        return REMOVE if node.name.value in _PARTS else None


def _trouble(wrong: GraphQLError) -> Trouble:
    """Returns the trouble of a field; only an argument that it can't take makes one fail."""
    failure = GraphQLError(wrong.message, extensions={"code": RefusalCode.BAD_USER_INPUT})
    nodes = [each for each in wrong.nodes or () if isinstance(each, FieldNode)]
    return Trouble(failure, (wrong.path or [])[::-1], tuple(nodes))
