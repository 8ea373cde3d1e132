"""`@join`: a field whose value is found by a key of its parent, one call for all parents.

    product: Product @join(by: "product_id")
    orders(limit: Int = 20): [Order!] @join(method: "…/ListOrdersByUsers",
                                            keys: {user_ids: "id"}, by: "user_id", many: true)

Without `keys`, the lookup is a declared one, and `by` is the path of the key in the parent. With
`keys`, the edge itself says how the RPC looks up: which request field takes the keys and where the
parent has them; `by` is then the path of the key in an answer.
"""

from __future__ import annotations

import json

from google.protobuf.descriptor import Descriptor
from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    StringValueNode,
    print_ast,
)

from gateway.fronts.graphql.graph.sources import Join, Lookup, Path, made_of
from gateway.fronts.graphql.graph.types import Types
from gateway.fronts.graphql.joins.arguments import arguments
from gateway.fronts.graphql.joins.bindings import Bindings, bind
from gateway.fronts.graphql.joins.candidates import hint, nearest
from gateway.fronts.graphql.joins.context import Context
from gateway.fronts.graphql.joins.directives import Said
from gateway.fronts.graphql.joins.finding import LookupRefusal, by_keys, by_method, by_type
from gateway.fronts.graphql.joins.kinds import described, fits
from gateway.fronts.graphql.joins.paths import PathError, key_path, keys_of
from gateway.fronts.graphql.joins.places import Findings
from gateway.fronts.graphql.joins.sdl import Edge
from gateway.fronts.graphql.joins.written_types import name_of, type_of


def join_field(edge: Edge, said: Said, parent: Descriptor, context: Context) -> GraphQLField | None:
    """Returns the field that a `@join` means; None where it is wrong, which `findings` gets.

    Args:
        edge: The edge.
        said: What its directive says.
        parent: The message of the type that it extends.
        context: What it refers to; gets all that is wrong with it, and N + 1.
    """
    types, findings = context.types, context.findings
    before = len(findings.problems)
    item = _item(edge, types, findings)
    lookup = _lookup(edge, said, item, context) if item is not None else None
    key = _key(edge, said, parent, lookup, findings)
    if lookup is None:
        return None
    if key is None:
        type_ = None
    elif said.many:
        type_ = _many(edge, key, lookup, context)
    else:
        listed = bool(key[-1].is_repeated)
        type_ = _type(edge, many=False, listed=listed, types=types, findings=findings)
    bindings = Bindings(lookup.input)
    bindings.take((lookup.keys,), "the keys")
    if lookup.mask is not None:
        bindings.take((lookup.mask,), "the mask")
    bind(edge, said.sets, bindings, findings)
    takes = arguments(edge, bindings, types, findings)
    if len(findings.problems) > before or key is None or type_ is None:
        return None
    if not lookup.batches:
        findings.warn(
            edge.place(),
            f"N + 1: {edge.label} calls {lookup.method.name} once for each "
            f"{'.'.join(field.name for field in key)}",
            "an RPC that takes several keys would make it one call for all",
        )
    source = Join(lookup, key, said.many, tuple(bindings.given))
    return edge.field(type_, takes, source)


def _item(edge: Edge, types: Types, findings: Findings) -> Descriptor | None:
    """Returns the message that the field's type is made of."""
    node = name_of(edge.node.type)
    found = types.named(node.name.value)
    made = made_of(found) if isinstance(found, GraphQLObjectType) else None
    if made is not None and not made.entry:
        return made.message
    if found is None:
        near = nearest(node.name.value, types.names())
        right = print_ast(edge.node.type).replace(node.name.value, near[0]) if near else ""
        fix = hint(near, edge.line(type_=right) if near else "")
        findings.wrong(
            edge.place(node), f"{edge.label}: the graph has no type {node.name.value}", fix
        )
    else:
        findings.wrong(
            edge.place(node), f"{edge.label}: a join gives messages, and {found} is not one's type"
        )
    return None


def _lookup(edge: Edge, said: Said, item: Descriptor, context: Context) -> Lookup | None:
    try:
        if said.keys:
            return by_keys(edge, said, item, context)
        if said.method is not None:
            return by_method(edge, said.method, item, context)
        return by_type(edge, item, context)
    except LookupRefusal as refusal:
        for problem in refusal.problems:
            context.findings.wrong(problem.place, f"{edge.label}: {problem.message}", problem.hint)
        return None


def _key(
    edge: Edge, said: Said, parent: Descriptor, lookup: Lookup | None, findings: Findings
) -> Path | None:
    """Returns the path of the key in the parent."""
    if said.keys:
        entry = said.keys[0]
        if not isinstance(entry.value, StringValueNode):
            return None  # no lookup could be read of it
        text, node = entry.value.value, entry.node
    elif said.by is not None:
        text, node = said.by.value, said.by.node
    else:
        names = keys_of(parent)
        line = edge.line(changed={"by": json.dumps(names[0])}) if len(names) == 1 else ""
        findings.wrong(
            edge.place(edge.directive),
            f"{edge.label}: by is missing: which field of {parent.full_name} holds the key?",
            hint(names, line),
        )
        return None
    try:
        path = key_path(text, parent)
    except PathError as wrong:
        line = _with_key(edge, said, wrong.candidates[0]) if wrong.candidates else ""
        findings.wrong(edge.place(node), f"{edge.label}: {wrong}", hint(wrong.candidates, line))
        return None
    last = path[-1]
    if lookup is not None and not fits(last, lookup.keys):
        near = [name for name in keys_of(parent) if fits(parent.fields_by_name[name], lookup.keys)]
        findings.wrong(
            edge.place(node),
            f'{edge.label}: "{text}" of {parent.full_name} is {described(last)}, and '
            f"{lookup.keys.name} of {lookup.method.name} takes {described(lookup.keys)}",
            hint(near),
        )
        return None
    return path


def _type(
    edge: Edge, *, many: bool, listed: bool, types: Types, findings: Findings
) -> GraphQLOutputType | None:
    """Returns the field's type, if it has the shape that the join gives.

    Args:
        edge: The edge; the name of its type is one of the graph's.
        many: Whether one key has several answers.
        listed: Whether there is a list of keys.
        types: The graph's types.
        findings: Gets what is wrong.
    """
    written: GraphQLOutputType = type_of(edge.node.type, types)
    name = name_of(edge.node.type).name.value
    wanted = (f"[{name}!]", f"[{name}]") if many else (f"[{name}]" if listed else name,)
    if str(written) in wanted:
        return written
    line = edge.line(type_=wanted[0])
    if isinstance(written, GraphQLNonNull):
        why = "a join may find nothing, so its field is nullable"
    elif listed:
        why = "a list of keys gives a list, with null for each that is missing"
    elif many:
        why = "many gives a list"
    elif isinstance(written, GraphQLList):
        why = "one key gives one answer, but with many: true"
        line = edge.line(changed={"many": "true"})
    else:
        why = "it gives another type"
    findings.wrong(edge.place(edge.node.type), f"{edge.label} is {written}: {why}", hint(line=line))
    return None


def _many(edge: Edge, key: Path, lookup: Lookup, context: Context) -> GraphQLOutputType | None:
    """Returns the field's type where one key has several answers."""
    if key[-1].is_repeated:
        context.findings.wrong(
            edge.place(edge.directive),
            f"{edge.label}: many is for one key with several answers, and the key is a list",
            hint(line=edge.line(changed={"many": ""})),
        )
        return None
    if not lookup.batches:
        context.findings.wrong(
            edge.place(edge.directive),
            f"{edge.label}: {lookup.method.name} gives one answer a call; many needs a batch",
            "use @call with pick for an RPC that lists the answers of one key",
        )
        return None
    return _type(edge, many=True, listed=False, types=context.types, findings=context.findings)


def _with_key(edge: Edge, said: Said, path: str) -> str:
    if not said.keys:
        return edge.line(changed={"by": json.dumps(path)})
    return edge.line(changed={"keys": f"{{{said.keys[0].path}: {json.dumps(path)}}}"})
