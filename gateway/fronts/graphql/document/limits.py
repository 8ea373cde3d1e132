"""How much a request may ask, and how its refusal says so. It counts nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

from graphql import Node

from gateway.fronts.graphql.errors import RequestError, limit_exceeded

_MOST_SHOWN = 2**53 - 1
"""The largest integer that every JSON parser reads exactly (RFC 8259, section 6)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one document may ask. Each is the most that is allowed.

    Attributes:
        depth: Levels of fields, 100 at most (what walks documents recurses); fragments have none of
            their own. Introspection has its own limit.
        cost: The estimated cost of the operation that is run: RPCs and rows (`cost`).
        aliases: Aliases of an operation, those of a fragment as often as it is spread.
        tokens: Tokens of the document, and as many comments.
        root_fields: Response names at the root of an operation.
        size: Characters of the document: a token can be long.
        fields: Fields of all operations, those of a fragment as often as it is spread: what a plan
            is made of.
        operations: Operations of the document: validation looks at fragments once for each.
        introspection_depth: Levels of fields below `__schema` and `__type`. The query of GraphiQL
            has 15.
        introspection_fields: Fields below `__schema` and `__type`, those of a fragment as often as
            it is spread: each may be asked of all types, fields and arguments of the graph. The
            query of GraphiQL has about 230.
        overlaps: Comparisons of fields that share a response name (specification, section 5.3.2),
            in the units of graphql-core. A usual document takes a few hundred.
    """

    depth: int = 12
    cost: int = 1000
    aliases: int = 30
    tokens: int = 2000
    root_fields: int = 20
    size: int = 128 * 1024
    fields: int = 10_000
    operations: int = 50
    introspection_depth: int = 25
    introspection_fields: int = 300
    overlaps: int = 50_000


_WORDING = {
    "depth": "The document is {value} levels of fields deep",
    "cost": "The operation has an estimated cost of {value}",
    "aliases": "The operation has {value} aliases",
    "tokens": "The document has {value} tokens or comments or more",
    "root_fields": "The operation has {value} fields at its root",
    "size": "The document has {value} characters",
    "fields": "The document has {value} fields, fragments written out",
    "operations": "The document has {value} operations",
    "introspection_depth": "The introspection is {value} levels of fields deep",
    "introspection_fields": "The introspection has {value} fields, fragments written out",
    "overlaps": "Validation takes {value} comparisons of overlapping fields or more",
}


def check(limits: Limits, limit: str, value: int, node: Node | None = None) -> None:
    """Refuses a value that is over its limit.

    Args:
        limits: The limits.
        limit: The name of an attribute of `Limits`.
        value: What the request has.
        node: What of the document is at fault.

    Raises:
        RequestError: The value is over the limit.
    """
    if value > getattr(limits, limit):
        raise exceeded(limits, limit, value, node)


def exceeded(limits: Limits, limit: str, value: int, node: Node | None = None) -> RequestError:
    """Returns the error for a value that is over its limit: code LIMIT_EXCEEDED."""
    maximum: int = getattr(limits, limit)
    shown = min(value, _MOST_SHOWN)
    message = f"{_WORDING[limit].format(value=shown)}; the limit is {maximum}."
    return limit_exceeded(limit, shown, maximum, message, node)
