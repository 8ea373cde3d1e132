"""The variables of a request, coerced: by a table for what is simple, by graphql-core for the rest.

A variable that is a string, an id, a boolean or a whole number, given as just that, needs no more
than a look at its Python type. Whatever else is given, and whatever is wrong, goes to graphql-core,
whose errors clients see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from graphql import (
    GraphQLError,
    GraphQLNonNull,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    VariableNode,
    type_from_ast,
)
from graphql.execution.values import VariableValues, get_variable_values
from graphql.language import FragmentDefinitionNode, ListValueNode, ObjectValueNode

from gateway.fronts.graphql.errors import RefusalCode, RequestError, worded

_MAX_ERRORS: Final = 20

_MISSING: Final = object()


def _whole(value: Any) -> bool:
    return type(value) is int and -(2**31) <= value < 2**31


_SIMPLE: Final[Mapping[str, Callable[[Any], bool]]] = {
    "String": lambda value: type(value) is str,
    "ID": lambda value: type(value) is str,
    "Boolean": lambda value: type(value) is bool,
    "Int": _whole,
}


class Variables:
    """Coerces the variables of one operation.

    Args:
        schema: The graph.
        operation: The operation, which has passed validation.
        fragments: Of its document.
        suggestions: Whether errors name what may have been meant.

    Attributes:
        conditions: Names of the variables that directives read: a plan is for one set of them.
        defers: Whether the document has a `@defer`.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        *,
        suggestions: bool,
    ) -> None:
        self._schema = schema
        self._nodes = operation.variable_definitions or ()
        self._suggestions = suggestions
        roots = [operation.selection_set, *fragments.values()]
        self.conditions = tuple(sorted({name for root in roots for name in _conditions(root)}))
        self.defers = any(map(_defers, roots))
        self._simple = None if any(map(_nests, roots)) else self._checks()

    def coerce(self, given: Mapping[str, Any]) -> VariableValues:
        """Returns the values of a request.

        Raises:
            RequestError: They are not of their types; with all that is wrong.
        """
        simple = self._simple
        if simple is None:
            return self._by_reference(given)
        coerced: dict[str, Any] = {}
        for name, is_right in simple:
            value = given.get(name, _MISSING)
            if not is_right(value):
                return self._by_reference(given)
            coerced[name] = value
        return VariableValues({}, coerced)

    def _checks(self) -> tuple[tuple[str, Callable[[Any], bool]], ...] | None:
        """Returns the check of each variable; None where one is of no simple type."""
        checks = []
        for node in self._nodes:
            type_ = type_from_ast(self._schema, node.type)
            named = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
            check = _SIMPLE.get(str(named))
            if check is None:
                return None
            checks.append((node.variable.name.value, check))
        return tuple(checks)

    def _by_reference(self, given: Mapping[str, Any]) -> VariableValues:
        values = get_variable_values(
            self._schema,
            self._nodes,
            dict(given),
            max_errors=_MAX_ERRORS,
            hide_suggestions=not self._suggestions,
        )
        if isinstance(values, VariableValues):
            return values
        raise RequestError(map(_told, values))


def _told(wrong: GraphQLError) -> GraphQLError:
    extensions = {"code": RefusalCode.BAD_USER_INPUT}
    return GraphQLError(worded(wrong), wrong.nodes, extensions=extensions)


def _conditions(node: Node) -> Iterator[str]:
    """Yields the variables in arguments of directives."""
    for directive in getattr(node, "directives", None) or ():
        for argument in directive.arguments or ():
            if isinstance(argument.value, VariableNode):
                yield argument.value.name.value
    for child in _below(node):
        yield from _conditions(child)


def _defers(node: Node) -> bool:
    """Whether there is a `@defer` in a node."""
    directives = getattr(node, "directives", None) or ()
    return any(each.name.value == "defer" for each in directives) or any(map(_defers, _below(node)))


def _nests(node: Node) -> bool:
    """Whether a list or an object in a document has a variable in it, or asks for the schema.

    graphql-core then needs more of the variables than their values.
    """
    for argument in getattr(node, "arguments", None) or ():
        if isinstance(argument.value, ListValueNode | ObjectValueNode):
            return True
    name = getattr(node, "name", None)
    if name is not None and name.value in ("__schema", "__type"):
        return True
    return any(map(_nests, _below(node)))


def _below(node: Node) -> Iterator[Node]:
    """Yields the selections of a node."""
    inner = getattr(node, "selection_set", None)
    if inner is not None:
        yield from inner.selections
    yield from getattr(node, "selections", None) or ()
