"""Which scopes a caller must have for a field of the graph, and what one that lacks them is told.

Scopes are declared on fields of messages (`gateway.v1.field`). A field of the graph needs those of
every message field that its value is made of: its own, what `pick` leads through, and the keys by
which another call finds it, on both sides, since what is found tells what the key is. A plan is
made for what its caller lacks: such a field is null, and nothing is called for it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from graphql import FieldNode, GraphQLField, GraphQLInputObjectType, get_named_type

from gateway.call import RpcError
from gateway.errors import error
from gateway.fronts.graphql.graph.sources import (
    Argument,
    FieldSource,
    Join,
    OneofInput,
    ParentCall,
    ProtoField,
    Rpc,
    input_source,
)

Scopes: TypeAlias = Callable[[FieldDescriptor], frozenset[str]]
"""The scopes that a message's field needs; none for most."""

NO_SCOPES: frozenset[str] = frozenset()


def unscoped(_field: FieldDescriptor) -> frozenset[str]:
    """Says that no field needs a scope."""
    return NO_SCOPES


class Lacking(NamedTuple):
    """What a caller lacks of what an operation needs.

    Attributes:
        scopes: Those that it does not have.
        anonymous: Whether nobody knows who it is: it may have them.
    """

    scopes: frozenset[str] = NO_SCOPES
    anonymous: bool = False

    def denial(self, field: str, needs: Iterable[str]) -> RpcError:
        """Returns what is told of a field.

        Args:
            field: As the graph calls it, `Product.cost`.
            needs: All scopes that it needs.
        """
        needed = " ".join(sorted(needs))
        # One error stands for the field in all items of lists: a path tells only of the first.
        metadata = {"field": field, "scopes": needed, "everywhere": "true"}
        if self.anonymous:
            text = f"{field} needs a caller with {needed}, and the request shows none."
            return error("CREDENTIALS_MISSING", text, metadata=metadata)
        text = f"The caller lacks a scope; {field} needs: {needed}."
        return error("INSUFFICIENT_SCOPE", text, metadata=metadata)


NOTHING_LACKING = Lacking()


def needed(source: FieldSource | None, scopes: Scopes) -> frozenset[str]:
    """Returns the scopes that a field of the graph needs, given where its value comes from."""
    return NO_SCOPES.union(*map(scopes, _read(source)))


def _read(source: FieldSource | None) -> Iterator[FieldDescriptor]:
    """Yields the fields of messages that a value is made of.

    Those of a union are its cases', one by one; what Python makes of them is its author's matter.
    """
    match source:
        case ProtoField(descriptor=field):
            yield field
        case Rpc(pick=pick):
            yield from pick
        case Join(lookup=lookup, key=key):
            yield from (*key, *lookup.items, *lookup.by)
        case ParentCall(pick=pick, bound=bound):
            yield from pick
            for _, parent in bound:
                yield from parent
        case _:
            pass


def needed_to_ask(definition: GraphQLField, node: FieldNode, scopes: Scopes) -> frozenset[str]:
    """Returns the scopes that the arguments of a field may need, by their types.

    Args:
        definition: The field.
        node: Where the document asks for it.
        scopes: Of the requests' fields.
    """
    found: set[str] = set()
    seen: set[str] = set()
    given = {argument.name.value for argument in node.arguments or ()}
    pending: list[Any] = [each for name, each in definition.args.items() if name in given]
    while pending:
        each = pending.pop()
        match input_source(each):
            case Argument(path=path):
                found.update(*map(scopes, path))
            case OneofInput() | None:
                pass
        named = get_named_type(each.type)
        if isinstance(named, GraphQLInputObjectType) and named.name not in seen:
            seen.add(named.name)
            pending += named.fields.values()
    return frozenset(found)
