"""GraphQL: which documents that were valid are no more, or mean something else.

What that is of a graph, graphql-core knows. Documents that clients call by name or hash are here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from graphql import (
    BreakingChange,
    DangerousChange,
    GraphQLSchema,
    SafeChange,
    build_schema,
    find_schema_changes,
)

from gateway.app.compatibility.change import Change, Effect
from gateway.app.surface.model import GraphqlSurface

_EFFECTS: Final = {
    BreakingChange: (Effect.BREAKING, "documents with it are valid no more"),
    DangerousChange: (Effect.DANGEROUS, "documents stay valid, and may mean something else"),
    SafeChange: (Effect.SAFE, "no document is harmed"),
}


def graphql_changes(host: str, old: GraphqlSurface, new: GraphqlSurface) -> Iterator[Change]:
    """Yields what has changed between two fronts.

    Args:
        host: Stands before the path; empty where there is one set of fronts for all names.
        old: What clients know.
        new: What they meet.
    """
    if old.path != new.path:
        subject, message = f"{host}{old.path}", f"is at {new.path} now"
        yield Change("graphql.path-moved", Effect.BREAKING, subject, message)
    if old.sdl != new.sdl:
        yield from schema_changes(build_schema(old.sdl), build_schema(new.sdl))
    yield from _documents(old, new)
    if new.trusted_only and not old.trusted_only:
        message = "documents that are not trusted are refused now"
        yield Change("graphql.trusted-only", Effect.BREAKING, "graphql.trusted_only", message)
    if old.persisted and not new.persisted:
        message = "clients can't store documents by their hash any more"
        yield Change("graphql.persisted-off", Effect.BREAKING, "graphql.persisted", message)
    if old.introspection and not new.introspection:
        message = "introspection is not answered any more"
        subject = "graphql.introspection"
        yield Change("graphql.introspection-off", Effect.DANGEROUS, subject, message)


def schema_changes(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    """Yields what has changed between two graphs; what each is about is graphql-core's words."""
    for each in find_schema_changes(old, new):
        effect, message = _EFFECTS[type(each)]
        rule = f"graphql.{each.type.name.lower().replace('_', '-')}"
        yield Change(rule, effect, each.description.removesuffix("."), message)


def _documents(old: GraphqlSurface, new: GraphqlSurface) -> Iterator[Change]:
    digests = set(new.documents.values())
    for name, digest in old.documents.items():
        if name not in new.documents:
            message = "no trusted operation has the name any more"
            yield Change("graphql.document-removed", Effect.BREAKING, name, message)
        elif digest not in digests:
            message = f"its document is another: nothing has the hash sha256:{digest[:12]}… now"
            # Who sends the text or the hash is refused only where all else is.
            effect = Effect.BREAKING if new.trusted_only else Effect.DANGEROUS
            yield Change("graphql.document-changed", effect, name, message)
