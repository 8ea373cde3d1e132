"""The rules of the specification over a document, in bounded time.

The rules are graphql-core's. What is added are bounds:

- Comparing fields that share a response name is quadratic: it has a budget.
- A message quotes the document: what is quoted is cut.
- "Did you mean" compares a name with all names of the graph, letter by letter: it is made for the
  first error only, and not at all in a graph where that would take long.
- Errors keep no syntax tree alive, so that a cached one is small; nor do they quote Python.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    SelectionSetNode,
    specified_rules,
    validate,
)
from graphql.validation import (
    ASTValidationRule,
    NoSchemaIntrospectionCustomRule,
    OverlappingFieldsCanBeMergedRule,
    ValidationContext,
)
from graphql.validation.validate import ValidationAbortedError

from gateway.fronts.graphql.document.limits import Limits, exceeded
from gateway.fronts.graphql.errors import RefusalCode, RequestError, request_fault, worded

_MOST_ERRORS = 20
"""More than a developer reads at once."""

_MOST_LOCATIONS = 20

_MOST_COMPARED = 250_000
"""The largest sum of squared lengths of names that one suggestion compares: 0.1 s or so."""


class Validator:
    """Validates documents against one schema.

    Args:
        schema: The graph.
        limits: Of these, `overlaps`.
        introspection: Whether documents may ask for the schema.
        suggestions: Whether errors name what may have been meant.

    Attributes:
        suggests: Whether suggestions are made: asked for, and the graph is small enough.
    """

    def __init__(
        self, schema: GraphQLSchema, limits: Limits, *, introspection: bool, suggestions: bool
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._rules = tuple(_rules(limits, introspection=introspection))
        self.suggests = suggestions and _letters(schema) <= _MOST_COMPARED

    def check(self, document: DocumentNode) -> None:
        """Returns if the document is valid.

        Raises:
            RequestError: All that is wrong with it (20 errors at most), or the limit that checking
                it would take too long for.
        """
        try:
            errors = validate(
                self._schema, document, self._rules, _MOST_ERRORS, hide_suggestions=True
            )
            if errors and self.suggests:
                errors[0] = validate(self._schema, document, self._rules, 1)[0]
        except _TooManyOverlaps:
            limits = self._limits
            raise exceeded(limits, "overlaps", limits.overlaps + 1) from None
        if errors:
            raise RequestError(_light(error) for error in errors)


class _TooManyOverlaps(Exception):  # noqa: N818 - a signal that leaves `validate`, not an error
    """The budget of comparisons is spent."""


def _rules(limits: Limits, *, introspection: bool) -> Iterable[type[ASTValidationRule]]:
    class BoundedOverlaps(OverlappingFieldsCanBeMergedRule):
        """The rule with our own budget, and with an end that can be told from others."""

        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            self.rule_context.remaining_complexity_budget = limits.overlaps

        def enter_selection_set(
            self, selection_set: SelectionSetNode, key: Any, parent: Any, *rest: Any
        ) -> None:
            try:
                super().enter_selection_set(selection_set, key, parent, *rest)
            except ValidationAbortedError:
                if self.rule_context.remaining_complexity_budget < 0:
                    raise _TooManyOverlaps from None
                raise

    for rule in specified_rules:
        yield BoundedOverlaps if rule is OverlappingFieldsCanBeMergedRule else rule
    if not introspection:
        yield NoSchemaIntrospectionCustomRule


def _letters(schema: GraphQLSchema) -> int:
    """Returns the most letters that one suggestion compares, by pairs."""
    most = _squares(schema.type_map)
    for type_ in schema.type_map.values():
        match type_:
            case GraphQLObjectType() | GraphQLInterfaceType() | GraphQLInputObjectType():
                most = max(most, _squares(type_.fields))
            case GraphQLEnumType():
                most = max(most, _squares(type_.values))
            case _:  # scalars and unions have no names of their own
                pass
    return most


def _squares(names: Iterable[str]) -> int:
    return sum(len(name) ** 2 for name in names)


_GIVEN_UP = "Validation was given up: fragments are spread too often, or nested too deeply."


def _light(error: GraphQLError) -> GraphQLError:
    locations = islice(error.locations or (), _MOST_LOCATIONS)
    message = _GIVEN_UP if error.message == "Validation aborted." else worded(error)
    return request_fault(RefusalCode.VALIDATION_FAILED, message, locations)
