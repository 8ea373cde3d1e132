"""Random documents over a schema: fragments, aliases, merging, directives, variables, and mistakes."""

from graphql import (
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)
from hypothesis import strategies as st

from tests.fronts.graphql.execute.inputs import is_writable, literal, one_of_each, values

_CONDITIONS = {  # variables of directives: declaration, and what may be given
    "yes": ("Boolean!", st.booleans()),
    "no": ("Boolean! = false", st.booleans()),
    "maybe": ("Boolean = true", st.booleans()),
}
_NOT_GIVEN = object()


@st.composite
def documents(draw, schema, *, root="Query", mistakes=False):
    """A document and its variables."""
    pen = _Pen(draw, schema, mistakes=mistakes)
    selections = pen.selections(schema.type_map[root], depth=draw(st.integers(1, 4)), least=1)
    return pen.document(root.lower(), selections)


class _Pen:
    def __init__(self, draw, schema, *, mistakes):
        self.draw, self.schema, self.mistakes = draw, schema, mistakes
        self.fragments: list[tuple[str, str, str]] = []
        self.declared: dict[str, str] = {}
        self.given: dict[str, object] = {}
        self.count = 0

    def chance(self, percent):
        return self.draw(st.integers(0, 99)) < percent

    def choice(self, options):
        return self.draw(st.sampled_from(list(options)))

    def document(self, keyword, selections):
        declared = ", ".join(f"${name}: {type_}" for name, type_ in self.declared.items())
        head = f"{keyword}({declared})" if declared else keyword
        parts = [f"{head} {selections}"]
        parts += [f"fragment {name} on {type_} {text}" for name, type_, text in self.fragments]
        return "\n".join(parts), self.given

    def selections(self, type_, depth, least=0):
        count = self.draw(st.integers(max(1, least), 5 if depth else 3))
        parts = [self.selection(type_, depth) for _ in range(count)]
        return "{ " + " ".join(parts) + " }"

    def selection(self, type_, depth):
        roll = self.draw(st.integers(0, 99))
        if roll >= 96:
            return f"{self.choice(['', 'kind: '])}__typename{self.directives()}"
        if roll >= 88 or (isinstance(type_, GraphQLUnionType) and roll < 60):
            inner = self.narrowed(type_)
            on = f" on {inner.name}" if inner is not type_ or self.chance(50) else ""
            return f"...{on}{self.directives()} {self.selections(inner, depth)}"
        if roll >= 80:
            return f"...{self.fragment(type_, depth)}{self.directives()}"
        if isinstance(type_, GraphQLUnionType):
            return "__typename"
        return self.field(type_, depth)

    def narrowed(self, type_):
        return self.choice(type_.types) if isinstance(type_, GraphQLUnionType) else type_

    def fragment(self, type_, depth):
        known = [name for name, on, _ in self.fragments if on == type_.name]
        if known and self.chance(50):
            return self.choice(known)
        text = self.selections(type_, depth)
        name = f"F{len(self.fragments)}"
        self.fragments.append((name, type_.name, text))
        return name

    def field(self, type_, depth):
        names = list(type_.fields)
        if depth <= 0:
            leaves = [n for n in names if is_leaf_type(get_named_type(type_.fields[n].type))]
            if not leaves:
                return "__typename"
            names = leaves
        name = self.choice(names)
        definition = type_.fields[name]
        if self.mistakes and self.chance(3):
            return self.mistake(name)
        inner = get_named_type(definition.type)
        arguments = self.arguments(definition.args)
        if definition.args:  # what merges must have the same arguments
            self.count += 1
            alias = f"x{self.count}_{name}: "
        else:
            alias = self.choice(["", "", f"x_{name}: ", f"y_{name}: "])
        if self.mistakes and self.chance(3):
            alias = "clash: "
        below = ""
        if isinstance(inner, GraphQLObjectType | GraphQLUnionType):
            below = f" {self.selections(inner, depth - 1)}"
        return f"{alias}{name}{arguments}{self.directives()}{below}"

    def mistake(self, name):
        return self.choice(
            [
                "noSuchField",
                f"{name}(noSuchArgument: 1)",
                f"{name} {{ nothing }}",
                f"{name} @noSuchDirective",
                f"{name} @skip",
                f"{name} @include(if: $notDeclared)",
                "... on NoSuchType { __typename }",
                "...NoSuchFragment",
                f"{name} @skip(if: 1)",
            ]
        )

    def directives(self):
        if not self.chance(12):
            return ""
        kind = self.choice(["skip", "include"])
        value = self.choice(["true", "false", *(f"${name}" for name in _CONDITIONS)])
        if value.startswith("$"):
            self.condition(value[1:])
        return f" @{kind}(if: {value})"

    def condition(self, name):
        if name in self.declared:
            return
        type_, possible = _CONDITIONS[name]
        self.declared[name] = type_
        value = self.draw(possible if type_ == "Boolean!" else possible | st.just(_NOT_GIVEN))
        if value is not _NOT_GIVEN:
            self.given[name] = value

    def arguments(self, definitions):
        if not definitions:
            return ""
        required = [n for n, d in definitions.items() if isinstance(d.type, GraphQLNonNull)]
        optional = [n for n in definitions if n not in required]
        more = [self.choice(optional)] if optional and self.chance(25) else []
        parts = []
        for name in one_of_each([*required, *more], definitions):
            definition = definitions[name]
            value = self.draw(values(definition, 1))
            if self.chance(50) or not is_writable(value):
                variable = f"v{len(self.declared)}"
                self.declared[variable] = str(definition.type)
                self.given[variable] = value
                parts.append(f"{name}: ${variable}")
            else:
                parts.append(f"{name}: {literal(definition.type, value)}")
        return f"({', '.join(parts)})" if parts else ""
