"""What extensions declare, as fields and types of the graph; or everything that is wrong with it.

Strawberry's own converter makes graphql-core's fields of its fields. To it, a class that stands for
a type of the graph is a scalar that is implemented by that type, so annotations may say it wherever
a type may stand. Nothing is resolved here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import strawberry
from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_nullable_type,
    specified_scalar_types,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.scalar import ScalarDefinition

from gateway.fronts.graphql.extend.declared import Generated
from gateway.fronts.graphql.extend.modules import Loaded
from gateway.fronts.graphql.extend.scalars import as_read, own_scalars, standing_for
from gateway.fronts.graphql.graph.additions import Additions
from gateway.fronts.graphql.graph.findings import near
from gateway.fronts.graphql.graph.scalars import SCALARS
from gateway.fronts.graphql.graph.sources import made_of
from gateway.fronts.graphql.graph.types import Types
from gateway.fronts.graphql.plan.python import BATCH
from gateway.schema.problem import Problem, SchemaError

_LEAVES = frozenset((*specified_scalar_types, *SCALARS))
"""Scalars that are in every graph."""


def additions(types: Types, loaded: Sequence[Loaded]) -> Additions:
    """Returns what extensions add to a graph.

    Args:
        types: The types of the graph.
        loaded: The extensions.

    Raises:
        SchemaError: With all that is wrong: names of no type, annotations that are missing or are
            no types, fields that two extensions declare.
    """
    return _Conversion(types, loaded).run()


class _Conversion:
    """One conversion of all extensions of a graph."""

    def __init__(self, types: Types, loaded: Sequence[Loaded]) -> None:
        self._types = types
        self._loaded = loaded
        self._problems: list[Problem] = []
        self._fields: dict[str, dict[str, GraphQLField]] = {}
        self._origins: dict[str, str] = {}
        self._stands: dict[str, ScalarDefinition] = {}
        scalars = own_scalars()
        for name, extensions in loaded:
            for each in extensions.generated_types:
                if found := self._standing(name, each):
                    scalars[each.cls] = found
        config = StrawberryConfig(scalar_map=scalars)
        self._converter = GraphQLCoreConverter(
            config,
            scalar_overrides={},
            scalar_map=config.scalar_map,
            get_fields=lambda definition: definition.fields,
        )

    def run(self) -> Additions:
        """Converts everything."""
        for name, extensions in self._loaded:
            for root, classes in extensions.roots.items():
                for cls in classes:
                    self._add(name, root, cls, cls)
            for each in extensions.generated_types:
                self._extend(name, each)
            for type_ in extensions.types:
                self._try(name, _title(type_), partial(self._converter.from_type, type_))
        made = self._types_made()
        if self._problems:
            raise SchemaError(self._problems)
        return Additions(self._fields, made, self._origins)

    def _standing(self, origin: str, generated: Generated) -> ScalarDefinition | None:
        """Returns what makes a class stand for its type; None where there is none."""
        known = self._stands.get(generated.name)
        if known is not None:
            return known
        found = self._types.named(generated.name)
        if found is None:
            hint = near(generated.name, self._types.names())
            message = f"the graph has no type {generated.name}"
        elif isinstance(found, GraphQLUnionType):
            message, hint = "a union can't be declared", "declare the types that are in it"
        else:
            made = self._stands[generated.name] = standing_for(found)
            return made
        where = f"{origin}, class {generated.cls.__name__}"
        self._problems.append(Problem(where, message=message, hint=hint))
        return None

    def _extend(self, origin: str, generated: Generated) -> None:
        """Adds the fields of a class to the type that it stands for."""
        fields = {n: f for n, f in vars(generated.cls).items() if isinstance(f, StrawberryField)}
        if not fields or generated.name not in self._stands:
            return
        where = f"{origin}, class {generated.cls.__name__}"
        found = self._types.named(generated.name)
        made = made_of(found) if isinstance(found, GraphQLObjectType) else None
        if made is None or made.entry:
            message = f"{generated.name} can't have more fields: it is no object of a message"
            self._problems.append(Problem(where, message=message))
            return
        for name, each in fields.items():
            if each.base_resolver is None:
                message = f"{name} has no resolver, and the message has no such field"
                hint = "an annotation without strawberry.field is for type checkers only"
                self._problems.append(Problem(where, message=message, hint=hint))
                return
        # Strawberry's fields belong to a Strawberry type: one with nothing but them in it.
        body = {**fields, "__module__": generated.cls.__module__, "__annotations__": {}}
        shadow = type(generated.cls.__name__, (), body)
        made_type = self._try(origin, generated.cls.__name__, lambda: strawberry.type(shadow))
        if made_type is not None:
            self._add(origin, generated.name, made_type, generated.cls)

    def _add(self, origin: str, name: str, cls: Any, shown: type) -> None:
        """Adds the fields of a Strawberry type to a type of the graph."""
        title = f"{origin}, class {shown.__name__}"
        fields = self._converted(origin, cls.__strawberry_definition__, shown.__name__)
        known = self._fields.setdefault(name, {})
        for field, made in fields.items():
            label = f"{name}.{field}"
            if field in known:
                message = f"{label} is declared in {self._origins[label]} too"
                self._problems.append(Problem(title, message=message))
                continue
            self._origins[label] = title
            known[field] = self._batched(made, f"{title}, {field}")

    def _batched(self, field: GraphQLField, where: str) -> GraphQLField:
        """Returns a field as it is in the graph: of one for a list of parents, with its item."""
        declared: StrawberryField = field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
        if not declared.metadata.get(BATCH):
            return field
        resolver = declared.base_resolver
        listed = get_nullable_type(field.type)
        if not isinstance(listed, GraphQLList):
            message = "a batch returns a list, with the value of each parent"
            self._problems.append(Problem(where, message=message, hint=f"-> list[{listed}]"))
        elif resolver is None or not resolver.parent_parameter:
            message = "a batch takes its parents in a parameter"
            hint = "parents: strawberry.Parent[list[Product]]"
            self._problems.append(Problem(where, message=message, hint=hint))
        else:
            field.type = listed.of_type
            field.extensions[BATCH] = True
        return field

    def _converted(
        self, origin: str, definition: StrawberryObjectDefinition, title: str
    ) -> Mapping[str, GraphQLField]:
        """Returns the fields of a Strawberry type; what is wrong, field by field."""
        before = len(self._problems)
        convert = partial(self._converter.get_graphql_fields, definition)
        fields: Mapping[str, GraphQLField] | None = self._try(origin, title, convert)
        if fields is not None:
            _read_defaults(fields)
            return fields
        told = list(self._wrong_fields(origin, definition, title))
        if told:
            self._problems[before:] = told
        return {}

    def _wrong_fields(
        self, origin: str, definition: StrawberryObjectDefinition, title: str
    ) -> Iterator[Problem]:
        """Yields what is wrong with fields, where they were not converted together."""
        for field in definition.fields:
            convert: Callable[..., object] = (
                self._converter.from_input_field
                if definition.is_input
                else self._converter.from_field
            )
            try:
                convert(field, type_definition=definition)
            except Exception as failure:  # noqa: BLE001 - Strawberry's own, and TypeErrors
                where = f"{origin}, class {title}, {field.python_name}"
                yield Problem(where, message=_said(failure))

    def _types_made(self) -> list[GraphQLNamedType]:
        """Returns the types that Strawberry made, with all that their fields lead to."""
        seen: dict[str, GraphQLNamedType] = {}
        while new := [each for each in self._converter.type_map if each not in seen]:
            for name in new:
                concrete = self._converter.type_map[name]
                made: Any = concrete.implementation
                seen[name] = made
                if name not in self._stands and hasattr(made, "_fields"):
                    self._force(made, concrete.definition)
        return [
            made for name, made in seen.items() if name not in self._stands and name not in _LEAVES
        ]

    def _force(self, made: Any, definition: Any) -> None:
        """Makes the fields of a type, which are made when they are first asked for."""
        cls = definition.origin
        before = len(self._problems)
        module = getattr(cls, "__module__", "")
        fields = self._try(module, made.name, lambda: made.fields)
        if fields is not None:
            _read_defaults(fields)
        else:
            told = list(self._wrong_fields(module, definition, made.name))
            if told:
                self._problems[before:] = told
        self._origins[made.name] = f"{module}, class {cls.__name__}"

    def _try(self, origin: str, title: str, work: Callable[[], Any]) -> Any:
        """Returns what `work` does; None, with a problem, where it fails."""
        try:
            return work()
        except Exception as failure:  # noqa: BLE001 - Strawberry's own, and TypeErrors
            self._problems.append(Problem(f"{origin}, class {title}", message=_said(failure)))
            return None


def _read_defaults(fields: Mapping[str, Any]) -> None:
    """Makes the defaults of arguments, or of an input's fields, what the graph's scalars read."""
    for field in fields.values():
        holders = field.args.values() if isinstance(field, GraphQLField) else (field,)
        for each in holders:
            each.default_value = as_read(each.default_value)


def _title(type_: Any) -> str:
    return str(getattr(type_, "__name__", type_))


def _said(failure: Exception) -> str:
    """Returns what an exception says, in one line."""
    return " ".join(str(failure).split()) or type(failure).__name__
