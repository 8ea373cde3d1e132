"""What `@rest` says of an operation, judged against its variables and what it selects.

    directive @rest(get | post | put | patch | delete: Text, body: Text, required: [Text!])

One of the verbs gives the path template, whose variables are variables of the operation. `body` is
that of `google.api.http`: `*` for all variables that the path does not bind, the name of one, or
nothing; the rest comes from the query. `required` names parts of the answer, `user.orders`, without
which the view fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphql import (
    ConstDirectiveNode,
    DirectiveLocation,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLDirective,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    InlineFragmentNode,
    ListValueNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    is_input_type,
    print_ast,
    type_from_ast,
)

from gateway.fronts.graphql.joins.candidates import hint, listed, nearest
from gateway.fronts.graphql.joins.places import Findings, Place
from gateway.fronts.graphql.trusted.texts import Parameter, parameter
from gateway.routing.template import Template, TemplateError, Variable, parse

VERBS = ("get", "post", "put", "patch", "delete")

REST = GraphQLDirective(
    "rest",
    [DirectiveLocation.QUERY, DirectiveLocation.MUTATION],
    args={
        **{verb: GraphQLArgument(GraphQLString) for verb in VERBS},
        "body": GraphQLArgument(GraphQLString),
        "required": GraphQLArgument(GraphQLList(GraphQLNonNull(GraphQLString))),
    },
    description="Serves the operation as a REST endpoint too.",
)

Part = tuple[str, ...]
"""A part of an answer: response names from the root, without the indexes of lists."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A right `@rest`.

    Attributes:
        verb: The HTTP method.
        template: The path.
        path: What the path's variables are, in the template's order.
        query: What the query's parameters are, by name.
        types: The type of each variable of the operation.
        body: Empty, `*`, or the name of the variable that the body is.
        required: The parts without which there is no answer.
        place: Where it stands.
    """

    verb: str
    template: Template
    path: tuple[Parameter, ...]
    query: Mapping[str, Parameter]
    types: Mapping[str, GraphQLInputType]
    body: str
    required: tuple[Part, ...]
    place: Place


def rule_of(
    origin: str,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    schema: GraphQLSchema,
    findings: Findings,
) -> Rule | None:
    """Returns what an operation's `@rest` says; None where it has none, or a wrong one.

    Args:
        origin: The operation's file.
        operation: The operation, which has passed validation.
        fragments: Of its document.
        schema: The graph.
        findings: Gets what is wrong.
    """
    for directive in operation.directives or ():
        if directive.name.value == REST.name:
            reader = _Reader(origin, operation, fragments, schema, findings)
            return reader.rule(directive)
    return None


class _Reader:
    """Judges one `@rest`."""

    def __init__(
        self,
        origin: str,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        schema: GraphQLSchema,
        findings: Findings,
    ) -> None:
        self._origin = origin
        self._operation = operation
        self._fragments = fragments
        self._findings = findings
        self._types: dict[str, GraphQLInputType] = {}
        for node in operation.variable_definitions or ():
            type_ = type_from_ast(schema, node.type)
            assert is_input_type(type_)  # validation has seen it
            self._types[node.variable.name.value] = type_

    def rule(self, directive: DirectiveNode | ConstDirectiveNode) -> Rule | None:
        """Returns the rule; None where something is wrong, all of which is noted."""
        before = len(self._findings.problems)
        values = {each.name.value: each.value for each in directive.arguments or ()}
        said = [verb for verb in VERBS if verb in values]
        if len(said) != 1:
            self._wrong(
                directive,
                f"it names {len(said)} HTTP methods, not one of {listed(VERBS, 'or')}",
                'write: @rest(get: "/v1/path/{variable}")' if not said else "",
            )
            return None
        verb = said[0]
        if verb == "get" and self._operation.operation is OperationType.MUTATION:
            self._wrong(values[verb], "a GET changes nothing, and this is a mutation", "use post")
        template = self._template(values[verb])
        path = self._path(template, values[verb]) if template else []
        body = self._body(values.get("body"), verb, [each.name for each in path])
        query = self._query(body, path)
        required = tuple(self._required(values.get("required")))
        if template is None or len(self._findings.problems) > before:
            return None
        place = Place.of(self._origin, directive)
        return Rule(verb.upper(), template, tuple(path), query, self._types, body, required, place)

    def _wrong(self, node: Node, message: str, fix: str = "") -> None:
        name = self._operation.name.value if self._operation.name else "an operation"
        self._findings.wrong(Place.of(self._origin, node), f"@rest of {name}: {message}", fix)

    def _text(self, node: ValueNode) -> str | None:
        if isinstance(node, StringValueNode):
            return node.value
        self._wrong(node, f"expected a text, found {print_ast(node)}")
        return None

    def _template(self, node: ValueNode) -> Template | None:
        text = self._text(node)
        if text is None:
            return None
        try:
            return parse(text)
        except TemplateError as wrong:
            self._wrong(node, str(wrong))
            return None

    def _path(self, template: Template, node: ValueNode) -> list[Parameter]:
        found = []
        for variable in template.variables:
            bound = self._bound(variable, node)
            if bound is not None:
                found.append(bound)
        return found

    def _bound(self, variable: Variable, node: ValueNode) -> Parameter | None:
        name = variable.name
        if name not in self._types:
            near = nearest(name, self._types)
            self._wrong(node, f"the operation has no variable ${name}", hint(near))
            return None
        made = parameter(name, self._types[name])
        if made is None or made.many:
            self._wrong(node, f"${name} is of type {self._types[name]}, which no path can hold")
            return None
        return made

    def _body(self, node: ValueNode | None, verb: str, path: Sequence[str]) -> str:
        if node is None:
            return ""
        text = self._text(node) or ""
        if text and verb == "get":
            self._wrong(node, "a GET has no body", "leave body out, or use post")
        elif text in path:
            self._wrong(node, f"${text} is bound by the path already")
        elif text not in ("", "*", *self._types):
            near = hint(nearest(text, self._types))
            self._wrong(node, f'body is "*" or a variable of the operation, not "{text}"', near)
        return text

    def _query(self, body: str, path: Sequence[Parameter]) -> dict[str, Parameter]:
        if body == "*":
            return {}
        bound = {body, *(each.name for each in path)}
        found = {}
        for node in self._operation.variable_definitions or ():
            name = node.variable.name.value
            if name in bound:
                continue
            made = parameter(name, self._types[name])
            if made is None:
                self._wrong(
                    node,
                    f"${name} is of type {self._types[name]}, which no query can hold",
                    f'take it from the body: body: "{name}"',
                )
            else:
                found[name] = made
        return found

    def _required(self, node: ValueNode | None) -> Iterator[Part]:
        if node is None:
            return
        for each in node.values if isinstance(node, ListValueNode) else (node,):
            text = self._text(each)
            if text is not None and self._selects(text, each):
                yield tuple(text.split("."))

    def _selects(self, text: str, node: ValueNode) -> bool:
        sets = [self._operation.selection_set]
        for name in text.split("."):
            below: dict[str, list[SelectionSetNode]] = {}
            for selected in sets:
                for field in self._fields(selected):
                    inner = below.setdefault((field.alias or field.name).value, [])
                    inner.extend([field.selection_set] if field.selection_set else [])
            if name not in below:
                near = hint(nearest(name, below))
                self._wrong(node, f'nothing in the answer is named "{name}" at "{text}"', near)
                return False
            sets = below[name]
        return True

    def _fields(self, selected: SelectionSetNode) -> Iterator[FieldNode]:
        """Yields the fields of a selection set, those of fragments among them."""
        for each in selected.selections:
            match each:
                case FieldNode():
                    yield each
                case FragmentSpreadNode():
                    yield from self._fields(self._fragments[each.name.value].selection_set)
                case InlineFragmentNode():
                    yield from self._fields(each.selection_set)
                case _:  # there are no other selections
                    pass
