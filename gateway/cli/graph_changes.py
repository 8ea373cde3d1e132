"""`gateway check --schema-diff FILE`: what has changed in the graph since a file of SDL."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from graphql import (
    GraphQLError,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
)

from gateway.app import Generation
from gateway.cli.failure import Failure


class Changes(NamedTuple):
    """Changes of a graph, each a line.

    Attributes:
        breaking: Those by which documents that were valid may be no more.
        dangerous: Those by which documents that stay valid may mean something else.
    """

    breaking: list[str]
    dangerous: list[str]


def changes_since(path: Path, generation: Generation) -> Changes:
    """Returns what has changed since a file was written.

    Args:
        path: The graph as it was, as `gateway generate graphql` writes it.
        generation: Its graph is the new one.

    Raises:
        Failure: There is no graph, or the file is no schema.
    """
    if generation.graphql is None:
        raise Failure("graphql is off in the config: there is no graph to compare")
    old, new = _read(path), generation.graphql.graph.schema
    return Changes(
        sorted(
            f"{path}: breaking change: {each.description}"
            for each in find_breaking_changes(old, new)
        ),
        sorted(
            f"{path}: dangerous change: {each.description}"
            for each in find_dangerous_changes(old, new)
        ),
    )


def _read(path: Path) -> GraphQLSchema:
    try:
        return build_schema(path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise Failure(f"{path} is no text in UTF-8") from error
    except OSError as error:
        raise Failure(f"{path} can't be read: {error.strerror}") from error
    except GraphQLError as error:
        place = error.locations[0] if error.locations else None
        where = f"{path}:{place.line}:{place.column}" if place else str(path)
        raise Failure(f"{where}: is not a GraphQL schema: {error.message}") from error
    except TypeError as error:
        raise Failure(f"{path}: is not a GraphQL schema: {error}") from error
