"""A small graph with one of everything, and documents that ask it."""

from graphql import build_schema, parse, validate

from gateway.typescript.api import Document, Graph

SCHEMA = build_schema("""
    type Query { thing(id: ID!, filter: Filter, choice: Choice): Thing, any: Any!, many: [Thing]!, count: Int64!, json: JSON, node: Node }
    type Mutation { change(thing: ThingInput!): Thing! }
    type Subscription { changes: Thing! }
    interface Node { id: ID! }
    "A thing."
    type Thing implements Node { id: ID!, "Its name." name: String, size: Float!, kind: Kind!, tags: [String!]!, parent: Thing, old: Int @deprecated }
    type Other implements Node { id: ID!, other: Boolean! }
    union Any = Thing | Other
    enum Kind { "Small." SMALL LARGE }
    input Filter { kinds: [Kind!], not: Filter, least: Int! = 3 }
    input ThingInput { name: String!, class: UInt64, constructor: String }
    input Choice @oneOf { one: String, two: Filter }
    scalar Int64 scalar UInt64 scalar JSON
""")


def graph(text):
    ast = parse(text)
    assert validate(SCHEMA, ast) == []
    fragments = {
        each.name.value: each for each in ast.definitions if each.kind == "fragment_definition"
    }
    found = [
        Document(each.name.value, each, fragments)
        for each in ast.definitions
        if each.kind == "operation_definition"
    ]
    return Graph(SCHEMA, "/graphql", found, ["BAD_USER_INPUT"])


EVERYTHING = """
    query Everything($id: ID!, $f: Filter, $c: Choice, $k: Boolean = true) {
      thing(id: $id, filter: $f, choice: $c) { ...T parent { parent { ...T } } old }
      any { ... on Thing { ...T } ... on Other { id } }
      json many { class: id }
    }
    fragment T on Thing { id name kind tags @include(if: $k) }
    mutation constructor($t: ThingInput!) { change(thing: $t) { id } }
    mutation Change($t: ThingInput!, $toString: Boolean = true) { change(thing: $t) { id @include(if: $toString) } }
    subscription Changes { changes { id } }
"""
