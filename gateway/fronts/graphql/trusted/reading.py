"""Files of trusted documents, read: validated and priced, with every mistake at once.

A file is a document with one named operation or more, and the fragments that they use. Whoever can
write it is trusted, so limits do not hold for it; but its variables come from clients, so they may
not make it dearer than it is without them, or than the limit allows to others.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Final, NamedTuple

from graphql import (
    ConstValueNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NameNode,
    OperationDefinitionNode,
    parse,
    validate,
)
from graphql.utilities import value_from_ast_untyped

from gateway.fronts.graphql.document import Document, Limits, Operation
from gateway.fronts.graphql.document.measures import measures
from gateway.fronts.graphql.document.parsing import definitions
from gateway.fronts.graphql.joins.places import Findings, Place
from gateway.fronts.graphql.trusted.directive import REST, Rule, rule_of
from gateway.schema.problem import Problem, SchemaError

_UNLIMITED = Limits(**{each.name: sys.maxsize for each in fields(Limits)})
_MEANT = " Did you mean "
NOTHING_LEFT_OUT: Final[Mapping[str, tuple[Problem, ...]]] = MappingProxyType({})
_ENOUGH = 1000
"""Errors of one file: more are not told."""


@dataclass(frozen=True, slots=True)
class TrustedOperation:
    """One operation of a trusted document.

    Attributes:
        name: Its name, which no other operation of any file has.
        place: Where it stands.
        document: Its file.
        operation: Itself.
        cost: What it costs with the defaults of its variables.
        rule: Where it is served as REST, if it is.
    """

    name: str
    place: Place
    document: Document
    operation: Operation
    cost: int
    rule: Rule | None


class Trusted:
    """All trusted documents.

    Args:
        operations: Their operations.
        warnings: What an operator should know and can live with.
        left_out: Of a partial graph: the files that do not fit it, and why.

    Attributes:
        operations: By name.
        by_text: The documents by their texts.
        by_digest: The documents by the SHA-256 of their texts, lower-case hex.
    """

    def __init__(
        self,
        operations: Iterable[TrustedOperation] = (),
        warnings: Sequence[Problem] = (),
        left_out: Mapping[str, tuple[Problem, ...]] = NOTHING_LEFT_OUT,
    ) -> None:
        self.operations = {each.name: each for each in operations}
        self.warnings = tuple(warnings)
        self.left_out = left_out
        documents = [each.document for each in self.operations.values()]
        self.by_text = {each.text: each for each in documents}
        self.by_digest = {each.digest: each for each in documents}


def read_trusted(
    files: Iterable[tuple[str, str]],
    schema: GraphQLSchema,
    limits: Limits,
    *,
    partial: bool = False,
) -> Trusted:
    """Reads the files of trusted documents.

    Args:
        files: What to call each file, and its text.
        schema: The graph.
        limits: Those of other documents; of them, `cost` counts here too.
        partial: Whether others have graphs of other services: a file that does not fit this one is
            left out of it then.

    Raises:
        SchemaError: With everything that is wrong in all files.
    """
    steps = reading_trusted(files, schema, limits, partial=partial)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            trusted: Trusted = stop.value
            return trusted


def reading_trusted(
    files: Iterable[tuple[str, str]],
    schema: GraphQLSchema,
    limits: Limits,
    *,
    partial: bool = False,
) -> Generator[None, None, Trusted]:
    """Does what `read_trusted` does, and yields where others may have their turn."""
    reader = _Reader(schema, limits, partial=partial)
    yield
    for origin, text in files:
        reader.parse(origin, text)
        yield
    operations = yield from reader.operations()
    if reader.findings.problems:
        raise SchemaError(reader.findings.problems)
    return Trusted(operations, reader.findings.warnings, reader.left_out)


class _File(NamedTuple):
    """A file that is GraphQL, taken apart."""

    origin: str
    text: str
    ast: DocumentNode
    operations: list[OperationDefinitionNode]
    fragments: dict[str, FragmentDefinitionNode]


class _Reader:
    """Reads files; first all are parsed, so that each knows what is in the others."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, *, partial: bool) -> None:
        # The graph is valid: it was built from descriptors.
        given = schema.to_kwargs()
        given |= {"directives": (*schema.directives, REST), "assume_valid": True}
        self._schema = GraphQLSchema(**given)
        self._limits = limits
        self._files: list[_File] = []
        self._fragments: dict[str, str] = {}
        self._names: dict[str, Place] = {}
        self._partial = partial
        self.findings = Findings()
        self.left_out: dict[str, tuple[Problem, ...]] = {}

    def parse(self, origin: str, text: str) -> None:
        """Takes a file."""
        try:
            ast = parse(text)
        except GraphQLSyntaxError as wrong:
            self.findings.wrong(_place(origin, wrong), wrong.message)
            return
        file = _File(origin, text, ast, *definitions(ast))
        self._files.append(file)
        for name in file.fragments:
            self._fragments.setdefault(name, origin)

    def operations(self) -> Generator[None, None, list[TrustedOperation]]:
        """Returns the operations of all files that are right."""
        found, problems = [], self.findings.problems
        for file in self._files:
            yield
            before = len(problems)
            is_right = self._is_right(file)
            yield
            made = self._document(file) if is_right else []
            if self._partial and len(problems) > before:
                self.left_out[file.origin] = tuple(problems[before:])
                del problems[before:]
            else:
                found += made
        return found

    def _is_right(self, file: _File) -> bool:
        origin = file.origin
        before = len(self.findings.problems)
        if not file.operations:
            self.findings.wrong(
                Place(origin),
                "there is no operation in it",
                "a file shares no fragments: move them",
            )
            return False
        for error in validate(self._schema, file.ast, max_errors=_ENOUGH):
            message, _, meant = error.message.partition(_MEANT)
            hint = f"did you mean {meant}" if meant else self._elsewhere(error)
            self.findings.wrong(_place(origin, error), message, hint)
        for node in file.operations:
            place = Place.of(origin, node)
            if node.name is None:
                kind = node.operation.value
                self.findings.wrong(
                    place, "the operation has no name", f"write: {kind} Name {{ … }}"
                )
            elif (first := self._names.setdefault(node.name.value, place)) != place:
                self.findings.wrong(
                    place, f"the operation {node.name.value} is defined already, at {first}"
                )
        return len(self.findings.problems) == before

    def _elsewhere(self, error: GraphQLError) -> str:
        """Returns what to do about a fragment that another file has."""
        for node in error.nodes or ():
            if error.message.startswith("Unknown fragment") and isinstance(node, NameNode):
                origin = self._fragments.get(node.value)
                return f"it is in {origin}: copy it, a file shares no fragments" if origin else ""
        return ""

    def _document(self, file: _File) -> list[TrustedOperation]:
        origin, nodes, fragments = file.origin, file.operations, file.fragments
        operations, costs = [], []
        for node, measure in zip(nodes, measures(nodes, fragments), strict=True):
            given = (node, measure, self._schema, fragments)
            cost = Operation(*given, _UNLIMITED).cost(defaults_of(node))
            limit = max(cost, self._limits.cost)
            operations.append(Operation(*given, replace(_UNLIMITED, cost=limit)))
            costs.append(cost)
            if cost > self._limits.cost:
                self.findings.warn(
                    Place.of(origin, node),
                    f"the operation costs {cost}, over the limit of {self._limits.cost} that others"
                    " have",
                )
        document = Document(file.text, file.ast, tuple(operations), fragments, trusted=True)
        return [
            TrustedOperation(
                operation.name or "",
                Place.of(origin, operation.node),
                document,
                operation,
                cost,
                rule_of(origin, operation.node, fragments, self._schema, self.findings),
            )
            for operation, cost in zip(operations, costs, strict=True)
        ]


def defaults_of(node: OperationDefinitionNode) -> Mapping[str, object]:
    """Returns the values of the variables that have one without a client's doing."""
    defaults: dict[str, ConstValueNode] = {
        each.variable.name.value: each.default_value
        for each in node.variable_definitions or ()
        if each.default_value is not None
    }
    return {name: value_from_ast_untyped(value) for name, value in defaults.items()}


def _place(origin: str, error: GraphQLError) -> Place:
    for location in error.locations or ():
        return Place(origin, location.line, location.column)
    return Place(origin)
