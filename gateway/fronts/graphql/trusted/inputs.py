"""A view's variables from path, query and body; and which of them is wrong, in the client's words.

Nothing is said twice: what the path binds is in neither query nor body, what the body binds is not
in the query. What values may be is judged by their types, when the operation is prepared; only if
that fails is it asked which parameter was at fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import translate

from graphql import GraphQLInputType, GraphQLNonNull
from graphql.utilities import validate_input_value

from gateway.call import RpcError
from gateway.errors import Violation, error
from gateway.fronts.graphql.errors import RequestError, shortened
from gateway.fronts.graphql.serve.json_text import JsonError, loads
from gateway.fronts.graphql.trusted.directive import Rule
from gateway.fronts.graphql.trusted.texts import Parameter
from gateway.routing import query
from gateway.routing.parameters import fault, shown

_MOST_VIOLATIONS = 20


class Inputs:
    """Makes the variables of one view.

    Args:
        rule: Its `@rest`.
        optional: Names of variables that have a default.
        ignore_query: Globs of names that a query may have though they name no variable.
    """

    def __init__(
        self, rule: Rule, optional: Iterable[str] = (), ignore_query: Iterable[str] = ()
    ) -> None:
        self._rule = rule
        self._optional = frozenset(optional)
        self._path = frozenset(each.name for each in rule.path)
        self._ignored = re.compile("|".join(map(translate, ignore_query)) or r"(?!)")

    @property
    def has_body(self) -> bool:
        """Whether a request has a body."""
        return bool(self._rule.body)

    def read(self, captures: tuple[str, ...], raw: str | None) -> dict[str, object]:
        """Returns the variables that path and query give.

        Args:
            captures: What the path's variables captured.
            raw: The raw query.

        Raises:
            RpcError: INVALID_PATH_PARAMETER, INVALID_QUERY, UNKNOWN_QUERY_PARAMETER,
                CONFLICTING_FIELD.
        """
        given: dict[str, object] = {}
        for parameter, text in zip(self._rule.path, captures, strict=True):
            given[parameter.name] = _value(parameter, text, "INVALID_PATH_PARAMETER")
        for name, text in query.parse(raw or ""):
            known = self._rule.query.get(name)
            if known is None:
                self._refuse(name)
                continue
            value = _value(known, text, "INVALID_QUERY")
            if known.many:
                items = given.setdefault(name, [])
                assert isinstance(items, list)  # only this parameter's items are under its name
                items.append(value)
            elif name in given:
                raise fault("INVALID_QUERY", name, "is given twice")
            else:
                given[name] = value
        return given

    def _refuse(self, name: str) -> None:
        """Refuses a name of the query that is no parameter, unless it is to be ignored."""
        for bound, by in ((self._path, "path"), (self._in_body(), "body")):
            if name in bound:
                raise fault("CONFLICTING_FIELD", name, f"is bound by the {by}")
        if self._ignored.match(name) is None:
            raise fault("UNKNOWN_QUERY_PARAMETER", name, "is unknown")

    def _in_body(self) -> frozenset[str]:
        body = self._rule.body
        if body == "*":
            return frozenset(self._rule.types) - self._path
        return frozenset([body] if body else [])

    def with_body(self, given: dict[str, object], body: bytes) -> dict[str, object]:
        """Returns the variables that path and query gave, with those of a body.

        Raises:
            RpcError: UNEXPECTED_BODY, INVALID_JSON, INVALID_BODY, CONFLICTING_FIELD.
        """
        if not body:
            return given
        if not self._rule.body:
            raise error("UNEXPECTED_BODY", "This path takes no body.")
        try:
            value = loads(body)
        except JsonError as wrong:
            raise error("INVALID_JSON", f"The body can't be read: {wrong}.") from None
        if self._rule.body != "*":
            return given | {self._rule.body: value}
        if not isinstance(value, dict):
            raise error("INVALID_BODY", "The body must be a JSON object.")
        for name in value:
            if name in self._path:
                raise fault("CONFLICTING_FIELD", name, "is bound by the path")
            if name not in self._rule.types:
                raise fault("INVALID_BODY", name, "is unknown")
        return given | value

    def explain(self, refused: RequestError, given: Mapping[str, object]) -> RpcError:
        """Returns the error for variables that the operation refused, naming the parameters."""
        reason, violations = "", []
        for name, type_ in self._rule.types.items():
            found = self._violations(name, type_, given)
            if found and not reason:
                reason = self._reason(name)
            violations += found
        if not violations:  # each is right, and what they ask for together is not
            message = refused.errors[0].message
            return error("INVALID_BODY" if self._rule.body else "INVALID_QUERY", message)
        first = violations[0]
        text = f'"{first.field}": {first.description}'
        return error(reason, text, violations=violations[:_MOST_VIOLATIONS])

    def _reason(self, name: str) -> str:
        if name in self._path:
            return "INVALID_PATH_PARAMETER"
        return "INVALID_BODY" if name in self._in_body() else "INVALID_QUERY"

    def _violations(
        self, name: str, type_: GraphQLInputType, given: Mapping[str, object]
    ) -> list[Violation]:
        if name not in given:
            required = isinstance(type_, GraphQLNonNull) and name not in self._optional
            return [Violation(name, "It is required.")] if required else []
        found: list[Violation] = []

        def wrong(failure: Exception, path: list[str | int]) -> None:
            where = ".".join(map(str, (name, *path)))
            found.append(Violation(shown(where), shortened(str(failure))))

        validate_input_value(given[name], type_, wrong, hide_suggestions=True)
        return found


def _value(parameter: Parameter, text: str, reason: str) -> object:
    try:
        return parameter.parse(text)
    except ValueError as problem:
        raise fault(reason, parameter.name, f"must be {problem}") from None
