"""`__schema` and `__type`: what graphql-core answers of the schema itself.

The selection becomes a query of its own, with the operation's variables. Where an operation has no
variables, what was written once is kept, for all operations that ask the same. A query of one line
can have an answer of megabytes, so what is kept is bounded.
"""

from __future__ import annotations

import json
from collections import OrderedDict
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
    print_ast,
    visit,
)
from graphql.language import SelectionSetNode

from gateway.fronts.graphql.errors import RefusalCode
from gateway.fronts.graphql.execute.trouble import Text, Trouble

_PARTS = frozenset({GraphQLDeferDirective.name, GraphQLStreamDirective.name})


class Answers:
    """What was written of one schema, by what was asked; what was not asked for longest goes first.

    Args:
        most: Characters that are kept, of questions and answers.
    """

    def __init__(self, most: int = 8 * 1024 * 1024) -> None:
        self._most = most
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._size = 0

    def get(self, asked: str) -> str | None:
        """Returns the answer; None where it is not kept."""
        text = self._texts.get(asked)
        if text is not None:
            self._texts.move_to_end(asked)
        return text

    def keep(self, asked: str, text: str) -> None:
        """Keeps an answer that is not kept yet."""
        self._texts[asked] = text
        self._size += len(asked) + len(text)
        while self._size > self._most:
            self._size -= sum(map(len, self._texts.popitem(last=False)))


def introspection(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    nodes: Sequence[FieldNode],
    answers: Answers,
) -> Text:
    """Returns what writes one field that asks for the schema.

    Args:
        schema: The graph.
        document: The document; its fragments are used.
        operation: The operation that the field is in.
        nodes: Where the operation asks for the field.
        answers: What was written before.
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
    asked = None if operation.variable_definitions else print_ast(alone)

    def text(_parent: Any, run: Any) -> str:
        known = None if asked is None else answers.get(asked)
        if known is not None:
            return known
        values = {
            name: source.value
            for name, source in run.variables.sources.items()
            if hasattr(source, "value")
        }
        result = execute_sync(schema, alone, variable_values=values)
        run.errors.extend(map(_trouble, result.errors or ()))
        written = json.dumps((result.data or {}).get(key), ensure_ascii=False)
        if asked is not None and not result.errors:
            answers.keep(asked, written)
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
