"""From an operation to its plan.

Fields are collected by graphql-core (`@skip`, `@include`, fragments, merging), so a plan is for one
set of the variables that directives read: the engine keeps one plan for each. Everything else that
varies stays in the plan as functions of the variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.message_factory import GetMessageClass
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
)
from graphql.execution.collect_fields import (
    FieldDetailsList,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
)
from graphql.execution.values import VariableValues

from gateway.chain import Method
from gateway.fronts.graphql.errors import RefusalCode, RequestError, request_fault, shortened
from gateway.fronts.graphql.execute.trouble import Place, Text, Trouble, nodes_of, nullable
from gateway.fronts.graphql.graph.sources import (
    Group,
    Nothing,
    Rpc,
    source_of,
)
from gateway.fronts.graphql.plan.denials import Sight
from gateway.fronts.graphql.plan.generated import Code, Piece
from gateway.fronts.graphql.plan.introspection import Answers, introspection
from gateway.fronts.graphql.plan.packed import Packed
from gateway.fronts.graphql.plan.plan import Fetch, Plan, Resolver
from gateway.fronts.graphql.plan.request import request_of
from gateway.fronts.graphql.plan.scopes import NOTHING_LACKING, Lacking, Scopes, unscoped
from gateway.fronts.graphql.plan.selections import Selections
from gateway.fronts.graphql.plan.writing import Writers


class Planner:
    """Plans operations of one graph.

    Args:
        schema: The graph.
        methods: What its fields call, by full name.
        scopes: What callers must have to see fields of messages.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        methods: Mapping[str, Method],
        scopes: Scopes = unscoped,
    ) -> None:
        self.schema = schema
        self.methods = methods
        self.scopes = scopes
        self.writers = Writers()
        self.packed = Packed(scopes)
        self.introspected = Answers()

    def plan(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: VariableValues,
        *,
        defers: bool = False,
        lacking: Lacking = NOTHING_LACKING,
    ) -> Plan:
        """Returns the plan of an operation.

        Args:
            document: The document, which has passed validation.
            operation: One of its operations.
            variables: Coerced values; of them, only those that directives read are looked at.
            defers: Whether `@defer` puts fragments off; else they are part of the answer.
            lacking: What its caller lacks of the `scopes` of the plan for who lacks nothing.

        Raises:
            RequestError: A directive's condition is null.
        """
        try:
            given = (self, document, operation, variables)
            return _Planning(*given, defers=defers, lacking=lacking).plan()
        except GraphQLError as wrong:
            places = wrong.locations or ()
            fault = request_fault(RefusalCode.BAD_USER_INPUT, shortened(wrong.message), places)
            raise RequestError([fault]) from wrong


class _Planning:
    """The planning of one operation."""

    def __init__(
        self,
        planner: Planner,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: VariableValues,
        *,
        defers: bool,
        lacking: Lacking,
    ) -> None:
        self._planner = planner
        self._schema = planner.schema
        self._document = document
        self._operation = operation
        self._variables = variables
        self._fragments = {
            each.name.value: FragmentDetails(each)
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        self._fetches: list[Fetch | Resolver] = []
        self._introspects = False
        self._writers = Writers(planner.scopes, lacking) if lacking.scopes else planner.writers
        self._selections = Selections(
            planner.schema,
            operation,
            self._fragments,
            variables,
            methods=planner.methods,
            writers=self._writers,
            defers=defers,
            sight=Sight(planner.scopes, lacking),
            packed=planner.packed,
        )

    def plan(self) -> Plan:
        root = self._schema.get_root_type(self._operation.operation)
        if root is None:
            raise TypeError("validation lets no operation pass without its root type")
        collected = collect_fields(
            self._schema, self._fragments, self._variables, root, self._operation
        )
        text = self._root(root, collected.grouped_field_set)
        return Plan(
            self._operation.operation,
            tuple(self._fetches),
            text,
            tuple(self._selections.edges),
            self._selections.puts_off,
            frozenset(self._selections.denials.needs),
            self._introspects,
        )

    def _root(self, root: GraphQLObjectType, grouped: GroupedFieldSet) -> Text:
        code = Code()
        pieces: list[tuple[str, Piece]] = []
        for key, details in grouped.items():
            self._selections.within.update(id(each.defer_usage) for each in details)
            nodes = nodes_of(details)
            name = nodes[0].name.value
            if name == "__typename":
                pieces.append((key, Piece(f'"{root.name}"', "")))
                continue
            if name in ("__schema", "__type"):
                self._introspects = True
                text = introspection(
                    self._schema,
                    self._document,
                    self._operation,
                    nodes,
                    self._planner.introspected,
                )
            else:
                definition = root.fields[name]
                place = Place(key, nodes)
                with self._selections.at(key, root):
                    text = self._root_field(root, definition, details, place)
            pieces.append((key, Piece("%s", f"{code.name(text, 'root')}(m, run)")))
        return code.object(pieces)

    def _root_field(
        self,
        root: GraphQLObjectType,
        definition: GraphQLField,
        details: FieldDetailsList,
        place: Place,
    ) -> Text:
        source = source_of(definition)
        denied = self._selections.denials.of_field(root, definition, place)
        if denied is not None:
            return denied.text
        if isinstance(source, Group):
            inner = get_named_type(definition.type)
            if not isinstance(inner, GraphQLObjectType):
                raise TypeError(f"{inner} groups no fields")
            return nullable(self._root(inner, self._selections.grouped(inner, details)), place.key)
        if isinstance(source, Nothing):
            return lambda _parent, _run: "null"
        if isinstance(source, Rpc):
            return self._fetch(definition, source, details, place)
        if source is not None:
            raise TypeError(f"{place.key} has no source that a root can have")
        edge = self._selections.python(root, definition, details, place)
        self._fetches.append(Resolver(edge))
        return edge.text

    def _fetch(
        self, definition: GraphQLField, source: Rpc, details: FieldDetailsList, place: Place
    ) -> Text:
        selected = self._selections.answer(
            definition.type, details, source.output, source.pick, place
        )
        index = len(self._fetches)
        request = request_of(source.input, definition, place.nodes[0], self._writers, source.given)
        method = self._planner.methods[source.method.name]
        shared = self._operation.operation is OperationType.QUERY
        reply = GetMessageClass(source.output)
        self._fetches.append(Fetch(index, method, reply, request, selected, place.nodes, shared))
        write, key, nodes = selected.text, place.key, place.nodes

        def text(_parent: Any, run: Any) -> str:
            value = run.values[index]
            if isinstance(value, Exception):
                run.errors.append(Trouble(value, [key], nodes))
                return "null"
            return write(value, run)

        return text
