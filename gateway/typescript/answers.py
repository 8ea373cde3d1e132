"""The type of what an operation is answered: just what it selects, fragments written out.

Of an interface or a union there is a case for each type that selects something else. A field under
`@skip` or `@include` may be missing; so may what is under them in a fragment. Fields that may be
null are, where they failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    SelectionSetNode,
    is_abstract_type,
)

from gateway.typescript.api import Document
from gateway.typescript.graph_types import listed, type_of
from gateway.typescript.words import member, quoted, tsdoc

_CONDITIONS = frozenset({"include", "skip"})


class _Selected(NamedTuple):
    """A field that is selected, and whether it is so under a condition."""

    node: FieldNode
    conditional: bool


class Answers:
    """Writes types of answers.

    Args:
        schema: The graph.
        name: Says what its enums are called.

    Attributes:
        enums: Those that answers have, in the order in which they were met.
    """

    def __init__(self, schema: GraphQLSchema, name: Callable[[GraphQLNamedType], str]) -> None:
        self._schema = schema
        self._name = name
        self._enums: dict[str, GraphQLEnumType] = {}
        self._fragments: Mapping[str, FragmentDefinitionNode] = {}

    @property
    def enums(self) -> Iterable[GraphQLEnumType]:
        """The enums of all answers so far."""
        return self._enums.values()

    def of(self, document: Document) -> str:
        """Returns the type of an operation's answer."""
        root = self._schema.get_root_type(document.node.operation)
        assert root is not None  # validation has seen it
        self._fragments = document.fragments
        return self._object(root, [document.node.selection_set], "")

    def _object(
        self, type_: GraphQLObjectType, sets: Sequence[SelectionSetNode], indent: str
    ) -> str:
        by_name: dict[str, list[_Selected]] = {}
        for selected in self._fields(sets, type_, conditional=False):
            key = (selected.node.alias or selected.node.name).value
            by_name.setdefault(key, []).append(selected)
        inner = f"{indent}  "
        lines = [self._line(type_, key, found, inner) for key, found in by_name.items()]
        return f"{{\n{''.join(lines)}{indent}}}"

    def _line(
        self, type_: GraphQLObjectType, key: str, found: Sequence[_Selected], indent: str
    ) -> str:
        name = found[0].node.name.value
        mark = "?" if all(each.conditional for each in found) else ""
        if name == "__typename":
            return f"{indent}{member(key)}{mark}: {quoted(type_.name)};\n"
        field = self._schema.get_field(type_, name)
        assert field is not None  # validation has seen it
        sets = [each.node.selection_set for each in found if each.node.selection_set is not None]
        said = tsdoc(
            field.description or "", deprecated=bool(field.deprecation_reason), indent=indent
        )
        return f"{said}{indent}{member(key)}{mark}: {self._type(field.type, sets, indent)};\n"

    def _type(self, type_: GraphQLOutputType, sets: Sequence[SelectionSetNode], indent: str) -> str:
        """Returns the type of a field's value; ` | null` at its end where it may be null."""
        match type_:
            case GraphQLNonNull():
                return self._type(type_.of_type, sets, indent).removesuffix(" | null")
            case GraphQLList():
                return f"{listed(self._type(type_.of_type, sets, indent))} | null"
            case GraphQLObjectType():
                return f"{self._object(type_, sets, indent)} | null"
            case GraphQLInterfaceType() | GraphQLUnionType():
                return f"{self._cases(type_, sets, indent)} | null"
            case GraphQLEnumType():
                self._enums[type_.name] = type_
                return f"{self._name(type_)} | null"
            case GraphQLScalarType():
                return type_of(type_, self._name)
            case _:
                raise AssertionError(f"{type_} is no type of an answer")

    def _cases(
        self,
        type_: GraphQLInterfaceType | GraphQLUnionType,
        sets: Sequence[SelectionSetNode],
        indent: str,
    ) -> str:
        possible = sorted(self._schema.get_possible_types(type_), key=lambda each: each.name)
        return " | ".join(dict.fromkeys(self._object(each, sets, indent) for each in possible))

    def _fields(
        self, sets: Iterable[SelectionSetNode], type_: GraphQLObjectType, *, conditional: bool
    ) -> Iterator[_Selected]:
        """Yields what is selected of a type, that of fragments among it."""
        for node in (each for selected in sets for each in selected.selections):
            under = conditional or any(
                each.name.value in _CONDITIONS for each in node.directives or ()
            )
            match node:
                case FieldNode():
                    yield _Selected(node, under)
                case FragmentSpreadNode():
                    fragment = self._fragments[node.name.value]
                    if self._holds(fragment.type_condition.name.value, type_):
                        yield from self._fields([fragment.selection_set], type_, conditional=under)
                case InlineFragmentNode():
                    on = node.type_condition
                    if on is None or self._holds(on.name.value, type_):
                        yield from self._fields([node.selection_set], type_, conditional=under)
                case _:  # there are no other selections
                    pass

    def _holds(self, condition: str, type_: GraphQLObjectType) -> bool:
        """Whether a fragment on a type is one on an object's."""
        on = self._schema.type_map[condition]
        return on is type_ or (is_abstract_type(on) and self._schema.is_sub_type(on, type_))
