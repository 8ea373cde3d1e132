"""`graphql.ts`: a method for each trusted document, with types of its variables and its answer.

graphql-core knows the graph's types; this module is imported only where there is a graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLSchema,
    OperationType,
    VariableDefinitionNode,
    get_named_type,
    is_input_type,
    type_from_ast,
)

from gateway.typescript.answers import Answers
from gateway.typescript.api import Document, Graph
from gateway.typescript.graph_types import enum, input_object, type_of
from gateway.typescript.modules import json_imports
from gateway.typescript.words import RESERVED, camel, free, member, optional, quoted, tsdoc

_TAKEN = frozenset({
    "AsyncGenerator", "ClientOptions", "DocumentOptions", "FromObject", "Graphql", "GraphqlClient",
    "JsonValue", "Promise",
})  # fmt: skip
_IMPORTS = """\
import { type DocumentOptions, Graphql } from "./runtime/graphql.js";
import type { ClientOptions } from "./runtime/http.js";
"""
_FUNCTION = """
/** Makes a client of all documents at a URL, `https://api.example.com`; "" is the page's own. */
export function graphqlClient(url: string, options?: ClientOptions): GraphqlClient {
  return new GraphqlClient(new Graphql(url, options, %PATH%));
}
"""


def documents(graph: Graph) -> str:
    """Returns the text of the module."""
    found = sorted(graph.documents, key=lambda each: each.name)
    names = _Names(graph.schema, found)
    answers = Answers(graph.schema, names.of)
    texts, methods = [], []
    used = {"constructor", "then"}
    for each in found:
        texts += [text for text in (_variables(each, graph.schema, names),) if text]
        texts.append(f"export type {names.answer(each)} = {answers.of(each)};\n")
        name = free(camel(each.name), used)
        used.add(name)
        methods.append(_method(name, each, names))
    types = [_declaration(each, names) for each in _in_use(found, graph.schema, answers.enums)]
    body = "\n".join([*types, *texts, _class(methods)]) + _FUNCTION.replace(
        "%PATH%", quoted(graph.path)
    )
    imports = "".join(f"{line}\n" for line in json_imports(body, "graphql"))
    return f"{_IMPORTS}{imports}\n{body}"


class _Names:
    """The graph's names as TypeScript's; those of operations stand beside them."""

    def __init__(self, schema: GraphQLSchema, found: Sequence[Document]) -> None:
        taken = {*RESERVED, *_TAKEN}
        self._types: dict[str, str] = {}
        for name in sorted(schema.type_map):
            self._types[name] = free(name, taken)
            taken.add(self._types[name])
        self._operations: dict[tuple[str, str], str] = {}
        for each in found:
            for end in ("Variables", "Answer"):
                name = free(each.name[:1].upper() + each.name[1:] + end, taken)
                taken.add(name)
                self._operations[each.name, end] = name

    def of(self, type_: GraphQLNamedType) -> str:
        return self._types[type_.name]

    def variables(self, document: Document) -> str:
        return self._operations[document.name, "Variables"]

    def answer(self, document: Document) -> str:
        return self._operations[document.name, "Answer"]


def _typed(node: VariableDefinitionNode, schema: GraphQLSchema) -> GraphQLInputType:
    type_ = type_from_ast(schema, node.type)
    assert is_input_type(type_)  # validation has seen it
    return type_


def _variables(document: Document, schema: GraphQLSchema, names: _Names) -> str:
    """Returns the declaration of an operation's variables; empty where it has none."""
    lines = []
    for node in document.node.variable_definitions or ():
        name, type_ = node.variable.name.value, type_of(_typed(node, schema), names.of)
        may_be_left_out = type_.endswith(" | null") or node.default_value is not None
        given = optional(name, type_) if may_be_left_out else f"{member(name)}: {type_};"
        lines.append(f"  {given}\n")
    if not lines:
        return ""
    return f"export interface {names.variables(document)} {{\n{''.join(lines)}}}\n"


def _method(name: str, document: Document, names: _Names) -> str:
    nodes = document.node.variable_definitions or ()
    needs = any(node.default_value is None and node.type.kind == "non_null_type" for node in nodes)
    given = f"variables: {names.variables(document)}" if nodes else "variables: {}"
    default = "" if needs else " = {}"
    follows = document.node.operation is OperationType.SUBSCRIPTION
    answer = names.answer(document)
    result = f"AsyncGenerator<{answer}, void, undefined>" if follows else f"Promise<{answer}>"
    call = "follow" if follows else "ask"
    comment = tsdoc(f"The {document.node.operation.value} `{document.name}`.", indent="  ")
    return (
        f"{comment}  {name}({given}{default}, options?: DocumentOptions): {result} {{\n"
        f"    return this.#calls.{call}({quoted(document.name)}, variables, options);\n  }}\n"
    )


def _class(methods: Iterable[str]) -> str:
    body = "\n".join(methods)
    return (
        "/** Every trusted document. */\nexport class GraphqlClient {\n"
        "  readonly #calls: Graphql;\n\n"
        f"  constructor(calls: Graphql) {{\n    this.#calls = calls;\n  }}\n\n{body}}}\n"
    )


def _in_use(
    found: Sequence[Document], schema: GraphQLSchema, enums: Iterable[GraphQLEnumType]
) -> list[GraphQLNamedType]:
    """Returns the enums and input objects that variables and answers have, sorted by name."""
    used: dict[str, GraphQLNamedType] = {each.name: each for each in enums}
    pending: list[GraphQLNamedType] = [
        get_named_type(_typed(node, schema))
        for each in found
        for node in each.node.variable_definitions or ()
    ]
    while pending:
        type_ = pending.pop()
        if type_.name in used or not isinstance(type_, GraphQLEnumType | GraphQLInputObjectType):
            continue
        used[type_.name] = type_
        if isinstance(type_, GraphQLInputObjectType):
            pending += [get_named_type(each.type) for each in type_.fields.values()]
    return [used[name] for name in sorted(used)]


def _declaration(type_: GraphQLNamedType, names: _Names) -> str:
    if isinstance(type_, GraphQLEnumType):
        return enum(type_, names.of(type_))
    assert isinstance(type_, GraphQLInputObjectType)  # there are no others
    return input_object(type_, names.of(type_), names.of)
