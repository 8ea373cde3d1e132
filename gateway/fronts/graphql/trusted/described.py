"""What a view takes and answers, as JSON Schema: of its variables, and of what it selects.

The answer is described as the document selects it, not by the types of the graph: two views of one
type have different members. A member that a directive or a type's condition may leave out need not
be there; what the graph says may be null is null also where it failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    SelectionSetNode,
    TokenKind,
    get_named_type,
    is_abstract_type,
)

from gateway.fronts.graphql.trusted.reading import TrustedOperation, defaults_of

Schema: TypeAlias = dict[str, object]

_SCALARS: Final[Mapping[str, Mapping[str, object]]] = {
    "Boolean": {"type": "boolean"},
    "Bytes": {"type": "string", "format": "byte", "contentEncoding": "base64"},
    "DateTime": {"type": "string", "format": "date-time"},
    "Duration": {"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$"},
    "FieldMask": {"type": "string"},
    "Float": {"type": "number", "format": "double"},
    "ID": {"type": "string"},
    "Int": {
        "type": "integer",
        "format": "int32",
        "minimum": -(2**31),
        "maximum": 2**31 - 1,
    },
    "Int64": {"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"},
    "JSON": {},
    "String": {"type": "string"},
    "UInt32": {"type": "integer", "format": "uint32", "minimum": 0, "maximum": 2**32 - 1},
    "UInt64": {"type": "string", "format": "uint64", "pattern": "^[0-9]{1,20}$"},
}
_DEEPEST: Final = 8
"""Levels of input types that are described: those that hold themselves have no end."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a view takes and answers.

    Attributes:
        comment: What stands before the operation.
        path: The schemas of the path's variables, in order, each with its name.
        query: The schemas of the query's parameters by name.
        required: Names of those that must be given.
        body: What a request holds; None where it has no body.
        body_required: Whether it must hold something.
        answer: What the answer is.
    """

    comment: str
    path: tuple[tuple[str, Schema], ...]
    query: Mapping[str, Schema]
    required: frozenset[str]
    body: Schema | None
    body_required: bool
    answer: Schema


def described(trusted: TrustedOperation, schema: GraphQLSchema) -> Description:
    """Describes an operation that has a `@rest`.

    Args:
        trusted: The operation.
        schema: The graph.
    """
    rule = trusted.rule
    assert rule is not None, "only those that have one are views"
    defaults = defaults_of(trusted.operation.node)
    required = frozenset(
        name
        for name, type_ in rule.types.items()
        if isinstance(type_, GraphQLNonNull) and name not in defaults
    )
    inputs = {name: _input(type_) for name, type_ in rule.types.items()}
    for name, value in defaults.items():
        inputs[name]["default"] = value
    bound = {each.name for each in rule.path}
    body: Schema | None = None
    if rule.body == "*":
        inside = {name: each for name, each in inputs.items() if name not in bound}
        body = _object(inside, [name for name in inside if name in required], closed=True)
    elif rule.body:
        body = inputs[rule.body]
    root = schema.get_root_type(trusted.operation.node.operation)
    assert root is not None, "the document has passed validation"
    fragments = trusted.document.fragments
    return Description(
        comment=_comment(trusted),
        path=tuple((each.name, _in_path(inputs[each.name])) for each in rule.path),
        query={name: inputs[name] for name in rule.query},
        required=required,
        body=body,
        body_required=bool(
            (required - bound - set(rule.query)) if rule.body == "*" else {rule.body} & required
        ),
        answer=_Answers(schema, fragments).of(root, [trusted.operation.node.selection_set]),
    )


def _in_path(schema: Schema) -> Schema:
    return {"minLength": 1, **schema} if schema.get("type") == "string" else schema


def _object(properties: Mapping[str, object], required: list[str], *, closed: bool) -> Schema:
    made: Schema = {"type": "object", "properties": {**properties}}
    if required:
        made["required"] = required
    if closed:
        made["additionalProperties"] = False
    return made


def _input(type_: GraphQLInputType, depth: int = 0) -> Schema:
    """Returns the schema of an input; that null will do as well as nothing is not said."""
    match type_:
        case GraphQLNonNull():
            return _input(type_.of_type, depth)
        case GraphQLList():
            return {"type": "array", "items": _input(type_.of_type, depth)}
        case GraphQLInputObjectType() if depth < _DEEPEST:
            needed = [
                name for name, each in type_.fields.items() if isinstance(each.type, GraphQLNonNull)
            ]
            members: Schema = {
                name: _input(each.type, depth + 1) for name, each in type_.fields.items()
            }
            made = _object(members, needed, closed=True)
            if type_.is_one_of:
                made |= {"minProperties": 1, "maxProperties": 1}
            return made
        case GraphQLInputObjectType():
            return {"type": "object"}
        case _:
            return _leaf(type_)


def _leaf(type_: GraphQLNamedType) -> Schema:
    if isinstance(type_, GraphQLEnumType):
        return {"type": "string", "enum": list(type_.values)}
    return dict(_SCALARS.get(type_.name, {}))


class _Answers:
    """Describes what selections answer."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self._schema = schema
        self._fragments = fragments

    def of(self, type_: GraphQLNamedType, selected: list[SelectionSetNode]) -> Schema:
        """Returns the schema of an object of a type, or of one of the types that it stands for."""
        members: dict[str, list[_Selected]] = {}
        for selection in selected:
            for each in self._fields(selection, type_, always=True):
                node = each.node
                members.setdefault((node.alias or node.name).value, []).append(each)
        properties, required = {}, []
        for name, found in members.items():
            forms = [self._member(each, found) for each in found]
            distinct = [form for place, form in enumerate(forms) if form not in forms[:place]]
            properties[name] = distinct[0] if len(distinct) == 1 else {"anyOf": distinct}
            if any(each.always for each in found):
                required.append(name)
        return _object(properties, required, closed=False)

    def _member(self, selected: _Selected, all_: list[_Selected]) -> Schema:
        if selected.node.name.value == "__typename":
            return {"type": "string"}
        assert isinstance(selected.on, (GraphQLObjectType, GraphQLInterfaceType))
        field = selected.on.fields[selected.node.name.value]
        below = [each.node.selection_set for each in all_ if each.node.selection_set]
        return self._output(field.type, below)

    def _output(self, type_: GraphQLOutputType, below: list[SelectionSetNode]) -> Schema:
        if isinstance(type_, GraphQLNonNull):
            return self._some(type_.of_type, below)
        return _or_null(self._some(type_, below))

    def _some(self, type_: GraphQLOutputType, below: list[SelectionSetNode]) -> Schema:
        match type_:
            case GraphQLList():
                return {"type": "array", "items": self._output(type_.of_type, below)}
            case GraphQLObjectType() | GraphQLInterfaceType() | GraphQLUnionType():
                return self.of(type_, below)
            case _:
                return _leaf(get_named_type(type_))

    def _fields(
        self, selection: SelectionSetNode, on: GraphQLNamedType, *, always: bool
    ) -> Iterator[_Selected]:
        for each in selection.selections:
            # @skip and @include are the only ones that a validated document has here.
            surely = always and not each.directives
            match each:
                case FieldNode():
                    yield _Selected(each, on, surely)
                case FragmentSpreadNode():
                    fragment = self._fragments[each.name.value]
                    name = fragment.type_condition.name.value
                    yield from self._inside(fragment.selection_set, on, name, always=surely)
                case InlineFragmentNode():
                    condition = each.type_condition
                    name = condition.name.value if condition else on.name
                    yield from self._inside(each.selection_set, on, name, always=surely)
                case _:  # there are no other selections
                    pass

    def _inside(
        self, selection: SelectionSetNode, on: GraphQLNamedType, name: str, *, always: bool
    ) -> Iterator[_Selected]:
        inner = self._schema.type_map[name]
        narrower = is_abstract_type(on) and inner is not on
        yield from self._fields(selection, inner, always=always and not narrower)


@dataclass(frozen=True, slots=True)
class _Selected:
    """A field that is selected, the type that it is selected on, and whether it is always there."""

    node: FieldNode
    on: GraphQLNamedType
    always: bool


def _or_null(schema: Schema) -> Schema:
    if not schema:
        return schema  # null is among anything
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema:
        return {**schema, "type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _comment(trusted: TrustedOperation) -> str:
    """Returns the lines with `#` that stand directly before an operation."""
    location = trusted.operation.node.loc
    if location is None:
        return ""
    lines: list[str] = []
    line, token = location.start_token.line, location.start_token.prev
    while token is not None and token.kind is TokenKind.COMMENT and token.line == line - 1:
        lines.append((token.value or "").removeprefix(" "))
        line, token = token.line, token.prev
    return "\n".join(reversed(lines))
