"""`@call`: a field whose value is one RPC, or a part of its reply.

    home(userId: ID!): Home @call(method: "shop.home.v1.HomeService/GetHome",
                                  with: {user_id: "$userId"})
    invoice: Invoice @call(method: "…/GetInvoice", with: {order_id: "id"})

On Query, Mutation and Subscription it is a root field like the generated ones, with arguments of
its own. On another type it is called once for each parent, which start-up reports as N + 1.
"""

from __future__ import annotations

import json

from google.protobuf.descriptor import Descriptor
from graphql import GraphQLField, GraphQLOutputType

from gateway.fronts.graphql.graph.roots import Root
from gateway.fronts.graphql.graph.sources import ParentCall, Path, Rpc
from gateway.fronts.graphql.graph.types import Types
from gateway.fronts.graphql.joins.arguments import arguments
from gateway.fronts.graphql.joins.bindings import Bindings, bind
from gateway.fronts.graphql.joins.candidates import hint, nearest
from gateway.fronts.graphql.joins.context import Context
from gateway.fronts.graphql.joins.directives import Said, Text
from gateway.fronts.graphql.joins.parents import Parent
from gateway.fronts.graphql.joins.paths import PathError, walk
from gateway.fronts.graphql.joins.places import Findings
from gateway.fronts.graphql.joins.rpcs import Rpcs
from gateway.fronts.graphql.joins.sdl import Edge
from gateway.fronts.graphql.joins.written_types import gives, name_of, nullable, type_of
from gateway.schema.method import Kind, MethodDescriptor


def call_field(edge: Edge, said: Said, parent: Parent, context: Context) -> GraphQLField | None:
    """Returns the field that a `@call` means; None where it is wrong, which `findings` gets.

    Args:
        edge: The edge.
        said: What its directive says.
        parent: What it extends.
        context: What it refers to; gets all that is wrong with it, and N + 1.
    """
    rpcs, types, findings = context.rpcs, context.types, context.findings
    before = len(findings.problems)
    method = _method(edge, said.method, parent, rpcs, findings)
    if method is None:
        return None
    request, reply = rpcs.input(method), rpcs.output(method)
    pick = _pick(edge, said.pick, reply, findings)
    type_ = None if pick is None else _type(edge, pick, reply, types, findings)
    bindings = Bindings(request)
    bind(edge, said.sets, bindings, findings, parent.message)
    takes = arguments(edge, bindings, types, findings)
    if len(findings.problems) > before or pick is None or type_ is None:
        return None
    given = tuple(bindings.given)
    source: Rpc | ParentCall
    if parent.message is None:
        source = Rpc(method, request, reply, pick, given)
    else:
        findings.warn(
            edge.place(),
            f"N + 1: {edge.label} calls {method.name} once for each {edge.parent}",
            "@join with an RPC that takes several keys would make it one call for all",
        )
        source = ParentCall(method, request, reply, pick, tuple(bindings.parents), given)
    return edge.field(type_, takes, source)


def _method(
    edge: Edge, name: Text | None, parent: Parent, rpcs: Rpcs, findings: Findings
) -> MethodDescriptor | None:
    if name is None:
        findings.wrong(
            edge.place(edge.directive),
            f"{edge.label}: @call needs a method",
            hint(line=edge.line(changed={"method": '"package.Service/Method"'})),
        )
        return None
    method = rpcs.find(name.value)
    if method is None:
        near = rpcs.like(name.value)
        line = edge.line(changed={"method": json.dumps(near[0])}) if near else ""
        findings.wrong(
            edge.place(name.node),
            f'{edge.label}: there is no RPC "{name.value}"',
            hint(near, line),
        )
        return None
    wanted = Kind.SERVER_STREAMING if parent.root is Root.SUBSCRIPTION else Kind.UNARY
    if method.kind is not wanted:
        findings.wrong(
            edge.place(name.node),
            f"{edge.label}: {method.name} is {method.kind.value}, and a field of {edge.parent} "
            f"calls a {wanted.value} RPC",
        )
        return None
    if parent.root not in (Root.MUTATION, Root.SUBSCRIPTION) and not rpcs.reads(method):
        findings.wrong(
            edge.place(name.node),
            f"{edge.label}: {method.name} may have side effects",
            "put the field into Mutation; or, if it has none, give the RPC "
            "idempotency_level = NO_SIDE_EFFECTS, a rule of GET, or the kind query",
        )
        return None
    return method


def _pick(edge: Edge, said: Text | None, reply: Descriptor, findings: Findings) -> Path | None:
    if said is None:
        return ()
    try:
        return walk(said.value, reply)
    except PathError as wrong:
        fix = ""
        if wrong.candidates:
            fix = edge.line(changed={"pick": json.dumps(wrong.candidates[0])})
        findings.wrong(
            edge.place(said.node), f"{edge.label}: pick: {wrong}", hint(wrong.candidates, fix)
        )
        return None


def _type(
    edge: Edge, pick: Path, reply: Descriptor, types: Types, findings: Findings
) -> GraphQLOutputType | None:
    """Returns the field's type, if the reply can give it."""
    whole = types.field_output(pick[-1]) if pick else types.output(reply)
    expected = nullable(whole)
    written: GraphQLOutputType | None = type_of(edge.node.type, types)
    if written is not None and gives(expected, written):
        return written
    line = edge.line(type_=str(expected))
    name = name_of(edge.node.type)
    if written is None:
        near = nearest(name.name.value, types.names())
        message = f"{edge.label}: the graph has no type {name.name.value}"
        findings.wrong(edge.place(name), message, hint(near, line))
        return None
    what = ".".join(field.name for field in pick) or reply.full_name
    why = f"{what} gives {expected}"
    if gives(expected, nullable(written)):
        why = "a call may fail, so its field is nullable"
    message = f"{edge.label} is {written}: {why}"
    findings.wrong(edge.place(edge.node.type), message, hint(_picks(edge, reply, types), line))
    return None


def _picks(edge: Edge, reply: Descriptor, types: Types) -> list[str]:
    """Returns what to pick, where a field of the reply has the written type."""
    written = type_of(edge.node.type, types)
    if written is None or "pick" in edge.says:
        return []
    return [
        f'pick: "{field.name}"'
        for field in reply.fields
        if gives(nullable(types.field_output(field)), nullable(written))
    ]
