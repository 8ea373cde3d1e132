"""How a `@join` finds its lookup: by what it says, or by the type of its field.

Where there is not exactly one, the error lists what there is, each as the line to paste.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor
from graphql import Node, StringValueNode

from gateway.fronts.graphql.graph.sources import Lookup
from gateway.fronts.graphql.joins.candidates import hint
from gateway.fronts.graphql.joins.context import Context
from gateway.fronts.graphql.joins.declared import yaml_line
from gateway.fronts.graphql.joins.directives import Said, Text
from gateway.fronts.graphql.joins.lookups import Mistake, MistakesError, resolve
from gateway.fronts.graphql.joins.options import LookupOptions
from gateway.fronts.graphql.joins.paths import dotted
from gateway.fronts.graphql.joins.places import Place
from gateway.fronts.graphql.joins.rpcs import Rpcs
from gateway.fronts.graphql.joins.sdl import Edge
from gateway.schema.method import Kind

_SUGGESTED = 3


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no lookup, and what to write."""

    place: Place
    message: str
    hint: str = ""


class LookupRefusal(Exception):  # noqa: N818  it is no error of the gateway's
    """A join without a lookup; with every reason."""

    def __init__(self, *problems: Refusal) -> None:
        self.problems = problems
        super().__init__("; ".join(each.message for each in problems))


def by_type(edge: Edge, item: Descriptor, context: Context) -> Lookup:
    """Returns the one declared lookup of a message.

    Raises:
        LookupRefusal: There is none, or more than one.
    """
    found = context.lookups.of(item)
    if len(found) == 1:
        return found[0]
    if found:
        raise LookupRefusal(_several(edge, item, found))
    raise LookupRefusal(
        Refusal(
            edge.place(edge.directive),
            f"no lookup finds {item.full_name}",
            _declare(item, context.rpcs)
            or "declare one under graphql.lookups, or name a method and keys",
        )
    )


def by_method(edge: Edge, method: Text, item: Descriptor, context: Context) -> Lookup:
    """Returns the lookup of a message by an RPC: the declared one, or what its messages tell.

    Raises:
        LookupRefusal: There is none, or more than one.
    """
    found = context.lookups.by(method.value, item)
    if len(found) == 1:
        return found[0]
    if found:
        raise LookupRefusal(_several(edge, item, found))
    place = edge.place(method.node)
    options = LookupOptions(method.value, type=item.full_name, place=place)
    return _resolved(edge, options, context.rpcs, {"method": method.node})


def by_keys(edge: Edge, said: Said, item: Descriptor, context: Context) -> Lookup:
    """Returns the lookup that an edge with `keys` says itself; what it leaves out is as declared.

    Raises:
        LookupRefusal: It is wrong.
    """
    entry = said.keys[0]
    if len(said.keys) > 1 or not isinstance(entry.value, StringValueNode):
        second = said.keys[1].node if len(said.keys) > 1 else entry.node
        raise LookupRefusal(
            Refusal(
                edge.place(second),
                "keys has one entry, the request field and the path of the parent: "
                '{ids: "product_id"}; arguments and with set other fields',
            )
        )
    if said.method is None:
        known = [each.method.name for each in context.lookups.of(item)]
        line = edge.line(changed={"method": json.dumps(known[0])}) if known else ""
        raise LookupRefusal(
            Refusal(edge.place(entry.node), "keys needs the method too", hint(known, line))
        )
    declared = context.lookups.by(said.method.value, item, entry.path)
    by = said.by.value if said.by is not None else ""
    if declared and by in ("", dotted(declared[0].by)):
        return declared[0]
    known_as = declared[0] if declared else None
    options = LookupOptions(
        said.method.value,
        type=item.full_name,
        keys=entry.path,
        items=dotted(known_as.items) if known_as else "",
        by=by,
        max_batch=known_as.max_batch if known_as and known_as.batches else 0,
        mask=known_as.mask.name if known_as and known_as.mask is not None else "",
        place=edge.place(said.method.node),
    )
    nodes: dict[str, Node] = {"method": said.method.node, "keys": entry.node}
    if said.by is not None:
        nodes["by"] = said.by.node
    return _resolved(edge, options, context.rpcs, nodes)


def _resolved(edge: Edge, options: LookupOptions, rpcs: Rpcs, nodes: Mapping[str, Node]) -> Lookup:
    try:
        return resolve(options, rpcs)
    except MistakesError as error:
        raise LookupRefusal(
            *(
                Refusal(
                    edge.place(nodes.get(each.part, edge.directive)),
                    each.message,
                    _fix(edge, options, each),
                )
                for each in error.mistakes
            )
        ) from None


def _fix(edge: Edge, options: LookupOptions, mistake: Mistake) -> str:
    """Returns the corrected edge, or the lookup to declare where an edge can't say the part."""
    shown = [each for each in mistake.candidates if each]
    if not shown:
        return ""
    right = shown[0]
    if mistake.part == "method":
        return hint(shown, edge.line(changed={"method": json.dumps(right)}))
    if mistake.part == "keys" and "keys" in edge.says:
        path = edge.says["keys"].partition(":")[2].strip(" {}")
        return hint(shown, edge.line(changed={"keys": f"{{{right}: {path}}}"}))
    if mistake.part == "by" and "keys" in edge.says:
        return hint(shown, edge.line(changed={"by": json.dumps(right)}))
    return f"declare it under graphql.lookups: {yaml_line(options.corrected(mistake.part, right))}"


def _several(edge: Edge, item: Descriptor, found: Sequence[Lookup]) -> Refusal:
    names = [each.method.name for each in found]
    if len(set(names)) < len(names):  # one RPC, by several of its fields: the edge says which
        lines = [
            edge.line(changed={
                "by": json.dumps(dotted(each.by)),
                "method": json.dumps(each.method.name),
                "keys": f'{{{each.keys.name}: "…"}}',
            })
            for each in found
        ]  # fmt: skip
    else:
        lines = [edge.line(changed={"method": json.dumps(name)}) for name in names]
    return Refusal(
        edge.place(edge.directive),
        f"{len(found)} lookups find {item.full_name}: "
        + ", ".join(f"{each.method.name} by {each.keys.name}" for each in found),
        f"write one of: {' | '.join(lines)}",
    )


def _declare(item: Descriptor, rpcs: Rpcs) -> str:
    """Returns the lookups that could be declared, as far as RPCs' messages tell."""
    lines = []
    for method in rpcs:
        if method.kind is not Kind.UNARY or not rpcs.reads(method):
            continue
        try:
            found = resolve(LookupOptions(method.name, type=item.full_name), rpcs)
        except MistakesError:
            continue  # no candidate
        lines.append((
            not found.batches,
            yaml_line(
                LookupOptions(
                    method.name,
                    type=item.full_name,
                    keys=found.keys.name,
                    items=dotted(found.items),
                    by=dotted(found.by),
                )
            ),
        ))  # fmt: skip
    lines.sort()
    shown = " or ".join(line for _, line in lines[:_SUGGESTED])
    return f"declare it under graphql.lookups: {shown}" if shown else ""
