"""Files of edges, read: `extend type` definitions whose fields have `@join` or `@call`.

Only the form is judged here. What names mean is judged by `join` and `call`. A file can hold
nothing but edges, so that nobody looks for types in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    FieldDefinitionNode,
    GraphQLArgument,
    GraphQLDeprecatedDirective,
    GraphQLError,
    GraphQLField,
    GraphQLOutputType,
    GraphQLSyntaxError,
    InputValueDefinitionNode,
    Lexer,
    Node,
    ObjectTypeExtensionNode,
    Source,
    TokenKind,
    get_directive_values,
    parse,
    print_ast,
)

from gateway.fronts.graphql.graph.sources import SOURCE, FieldSource
from gateway.fronts.graphql.joins.candidates import hint, listed, nearest
from gateway.fronts.graphql.joins.places import Findings, Place

JOIN, CALL = "join", "call"
_EDGES = (JOIN, CALL)
_DIRECTIVES = (*_EDGES, "deprecated")


@dataclass(frozen=True, slots=True)
class Edge:
    """One field that an edge adds to a type.

    Attributes:
        origin: The file, as the user named it.
        parent: The name of the type that gets the field.
        parent_node: Where that name stands.
        node: The field.
        directive: Its `@join` or `@call`.
        deprecated: Why it is deprecated; None where it is not.
    """

    origin: str
    parent: str
    parent_node: Node
    node: FieldDefinitionNode
    directive: ConstDirectiveNode
    deprecated: str | None = None

    @property
    def name(self) -> str:
        """The field's name."""
        return self.node.name.value

    @property
    def arguments(self) -> tuple[InputValueDefinitionNode, ...]:
        """The field's arguments."""
        return self.node.arguments or ()

    @property
    def says(self) -> dict[str, str]:
        """The arguments of the directive by name, as SDL."""
        said = self.directive.arguments or ()
        return {each.name.value: print_ast(each.value) for each in said}

    @property
    def label(self) -> str:
        """What to call the edge: `OrderItem.product`."""
        return f"{self.parent}.{self.name}"

    def place(self, node: Node | None = None) -> Place:
        """Returns where a part of the edge stands; the field's name without one."""
        return Place.of(self.origin, self.node.name if node is None else node)

    def field(
        self,
        type_: GraphQLOutputType,
        arguments: dict[str, GraphQLArgument],
        source: FieldSource,
    ) -> GraphQLField:
        """Returns the field of the graph, of what the edge was found to mean."""
        return GraphQLField(
            type_,
            args=arguments,
            description=self.node.description.value if self.node.description else None,
            deprecation_reason=self.deprecated,
            extensions={SOURCE: source},
        )

    def line(
        self,
        *,
        type_: str = "",
        changed: Mapping[str, str] | None = None,
        arguments: Mapping[str, str] | None = None,
    ) -> str:
        """Returns the field as it is written, with corrections.

        Args:
            type_: The right type.
            changed: Right arguments of the directive, as SDL; an empty one is left out.
            arguments: Right arguments of the field by name, as SDL; an empty one is left out.
        """
        defined = {each.name.value: _written(each) for each in self.arguments}
        takes = [each for each in (defined | dict(arguments or {})).values() if each]
        says = [f"{k}: {v}" for k, v in (self.says | dict(changed or {})).items() if v]
        return (
            f"{self.name}{_in_brackets(takes)}: {type_ or print_ast(self.node.type)} "
            f"@{self.directive.name.value}{_in_brackets(says)}"
        )


def read(files: Iterable[tuple[str, str]], findings: Findings) -> list[Edge]:
    """Reads the edges of all files.

    Args:
        files: What to call each file, and its text.
        findings: Gets what is wrong; fields without a right directive are left out.
    """
    found: dict[tuple[str, str], Edge] = {}
    for origin, text in files:
        try:
            definitions = _definitions(text)
        except GraphQLSyntaxError as error:
            place = error.locations[0] if error.locations else None
            at = Place(origin, place.line, place.column) if place else Place(origin)
            findings.wrong(at, error.message)
            continue
        for definition in definitions:
            for edge in _edges(origin, definition, findings):
                first = found.setdefault((edge.parent, edge.name), edge)
                if first is not edge:
                    findings.wrong(
                        edge.place(), f"{edge.label} is defined already, at {first.place()}"
                    )
    return list(found.values())


def _definitions(text: str) -> Sequence[DefinitionNode]:
    """Parses a file; one that holds comments only, or nothing, has no edges.

    Raises:
        GraphQLSyntaxError: It is no SDL.
    """
    empty = Lexer(Source(text)).advance().kind is TokenKind.EOF
    return () if empty else parse(text).definitions


def _edges(origin: str, definition: DefinitionNode, findings: Findings) -> Iterator[Edge]:
    if not isinstance(definition, ObjectTypeExtensionNode):
        findings.wrong(
            Place.of(origin, definition),
            "only `extend type` stands in a file of joins; types come from the protos",
        )
        return
    name = definition.name
    for extra in (*(definition.directives or ()), *(definition.interfaces or ())):
        findings.wrong(
            Place.of(origin, extra), f"extending {name.value}: only fields can be added to it"
        )
    for node in definition.fields or ():
        directive = _directive(origin, name.value, node, findings)
        if directive is not None:
            deprecated = _deprecated(origin, node, findings)
            yield Edge(origin, name.value, name, node, directive, deprecated)


def _directive(
    origin: str, parent: str, node: FieldDefinitionNode, findings: Findings
) -> ConstDirectiveNode | None:
    """Returns the one directive that says what a field is."""
    label = f"{parent}.{node.name.value}"
    if node.name.value.startswith("__"):
        findings.wrong(Place.of(origin, node.name), f"{label}: names with __ are GraphQL's own")
    known = []
    wrong = False
    for directive in node.directives or ():
        name = directive.name.value
        if name in _EDGES:
            known.append(directive)
        elif name not in _DIRECTIVES:
            wrong = True
            near = [f"@{each}" for each in nearest(name, _DIRECTIVES)]
            findings.wrong(
                Place.of(origin, directive),
                f"{label}: there is no directive @{name}; "
                f"there are {listed([f'@{each}' for each in _DIRECTIVES])}",
                hint(near),
            )
    if len(known) == 1:
        return known[0]
    if known or not wrong:
        what = f"has {len(known)} of them" if known else "has neither"
        findings.wrong(
            Place.of(origin, known[1] if known else node.name),
            f"{label}: a field has one @join or @call, and this one {what}",
            "" if known else f'write: {node.name.value}: {print_ast(node.type)} @join(by: "…")',
        )
    return None


def _deprecated(origin: str, node: FieldDefinitionNode, findings: Findings) -> str | None:
    try:
        values = get_directive_values(GraphQLDeprecatedDirective, node)
    except GraphQLError as error:
        findings.wrong(Place.of(origin, node.name), f"@deprecated: {error.message}")
        return None
    return str(values["reason"]) if values else None


def _written(node: InputValueDefinitionNode) -> str:
    default = f" = {print_ast(node.default_value)}" if node.default_value is not None else ""
    return f"{node.name.value}: {print_ast(node.type)}{default}"


def _in_brackets(parts: list[str]) -> str:
    return f"({', '.join(parts)})" if parts else ""
