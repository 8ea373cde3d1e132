"""The planning of fields that Python resolves: their edge, and how their values are written.

What is asked of objects in those values is planned by the planner, as anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from graphql import (
    FragmentDefinitionNode,
    GraphQLAbstractType,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationDefinitionNode,
    default_field_resolver,
    default_type_resolver,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
)
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils.path import Path

from gateway.fronts.graphql.execute.trouble import Place
from gateway.fronts.graphql.graph.sources import made_of
from gateway.fronts.graphql.plan.arguments import arguments_of
from gateway.fronts.graphql.plan.foreign import to_message
from gateway.fronts.graphql.plan.objects import ObjectPlan
from gateway.fronts.graphql.plan.python import BATCH, PythonEdge, Told
from gateway.fronts.graphql.plan.python_leaves import leaf_writer
from gateway.fronts.graphql.plan.values import Choice, Items, Leaf, Objects, Shape, Typed
from gateway.fronts.graphql.plan.writing import Writers


@dataclass(frozen=True, slots=True, eq=False)
class Resolving:
    """Plans the fields of one operation that Python resolves.

    Attributes:
        schema: The graph.
        operation: What is planned.
        fragments: Of its document.
        writers: What puts values into messages.
        objects: Plans what is asked of objects of a type.
    """

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    writers: Writers
    objects: Callable[[GraphQLObjectType, FieldDetailsList], ObjectPlan]

    def edge(
        self,
        parent: GraphQLObjectType,
        definition: GraphQLField,
        details: FieldDetailsList,
        place: Place,
        path: Path,
    ) -> Callable[[int], PythonEdge]:
        """Returns what makes the edge of a field, given its number in the plan.

        The edges below it have their numbers by then.

        Args:
            parent: The type that has it.
            definition: The field.
            details: Where the document asks for it.
            place: Where it is in the answer.
            path: The same, for resolvers.
        """
        told = Told(
            place.nodes, definition.type, parent, path, self.schema, self.fragments, self.operation
        )
        typed = self._typed(definition.type, details, told.label)
        arguments = arguments_of(definition, place.nodes[0], self.writers)
        return lambda index: PythonEdge(
            index,
            place,
            told,
            definition.resolve or default_field_resolver,
            arguments,
            typed,
            batch=bool(definition.extensions.get(BATCH)),
            subscribe=definition.subscribe,
        )

    def _typed(self, type_: GraphQLOutputType, details: FieldDetailsList, label: str) -> Typed:
        required = isinstance(type_, GraphQLNonNull)
        inner: Any = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        return Typed(self._shape(inner, details, label), required)

    def _shape(self, type_: Any, details: FieldDetailsList, label: str) -> Shape:
        if is_list_type(type_):
            return Items(self._typed(type_.of_type, details, label), label)
        named = get_named_type(type_)
        if is_leaf_type(named):
            return Leaf(leaf_writer(named))
        if is_abstract_type(named):
            possible = self.schema.get_possible_types(named)
            types = {each.name: self._of(each, details) for each in possible}
            return Choice(_chooser(named, possible), types)
        if not isinstance(named, GraphQLObjectType):
            raise TypeError(f"{named} is no type of answers")
        objects = self._of(named, details)
        if objects.read is None and named.is_type_of is not None:
            return Choice(_checker(named), {named.name: objects})
        return objects

    def _of(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Objects:
        made = made_of(type_)
        read = None if made is None else to_message(made.message)
        return Objects(self.objects(type_, details), read)


def _chooser(
    type_: GraphQLAbstractType, possible: list[GraphQLObjectType]
) -> Callable[[Any, Any], Any]:
    """Returns what tells the name of the type of a value of an interface or a union."""
    resolve = type_.resolve_type or default_type_resolver
    by_message = {made.message.full_name: each.name for each in possible if (made := made_of(each))}

    def name_of(value: Any, info: Any) -> Any:
        if isinstance(value, Message):
            return by_message.get(value.DESCRIPTOR.full_name)
        return resolve(value, info, type_)

    return name_of


def _checker(type_: GraphQLObjectType) -> Callable[[Any, Any], Any]:
    """Returns what tells the name of an object type where the value is of it (section 6.4.3)."""
    check: Any = type_.is_type_of

    def name_of(value: Any, info: Any) -> Any:
        found = check(value, info)
        if info.is_awaitable(found):
            return _awaited(found)
        return type_.name if found else None

    async def _awaited(found: Any) -> str | None:
        return type_.name if await found else None

    return name_of
