"""`gateway check --schema-diff FILE`: what has changed in the graph since a file of SDL."""

from __future__ import annotations

from pathlib import Path

from graphql import GraphQLError, GraphQLSchema, build_schema

from gateway.app import Generation
from gateway.app.compatibility.change import Change, Effect
from gateway.app.compatibility.graphql import schema_changes
from gateway.app.findings import Finding, Severity
from gateway.cli.failure import Failure


def changes_since(path: Path, generation: Generation) -> list[Finding]:
    """Returns what has changed since a file was written.

    Breaking changes, by which documents that were valid may be no more, are errors; dangerous ones,
    by which documents that stay valid may mean something else, are warnings.

    Args:
        path: The graph as it was, as `gateway generate graphql` writes it.
        generation: Its graph is the new one.

    Raises:
        Failure: There is no graph, or the file is no schema.
    """
    if generation.graphql is None:
        raise Failure("graphql is off in the config: there is no graph to compare")
    changes = schema_changes(_read(path), generation.graphql.graph.schema)
    found = (_finding(each, path) for each in changes if each.effect is not Effect.SAFE)
    return sorted(found, key=lambda each: each.message)


def _finding(change: Change, path: Path) -> Finding:
    severity = Severity.ERROR if change.effect is Effect.BREAKING else Severity.WARNING
    message = f"{change.effect.value} change: {change.subject}."
    return Finding(change.rule, severity, message, str(path))


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
