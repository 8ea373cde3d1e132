"""The routes of all views, as the REST front takes them beside its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gateway.fronts.graphql.engine import Engine
from gateway.fronts.graphql.trusted.inputs import Inputs
from gateway.fronts.graphql.trusted.reading import Trusted, TrustedOperation
from gateway.fronts.graphql.trusted.view import View
from gateway.routing.template import Template


class ViewRoute(NamedTuple):
    """One route.

    Attributes:
        verb: The HTTP method.
        template: The path, without the front's prefix.
        route: Answers requests.
        label: What to call it: `query Home`.
        source: Where its `@rest` stands: `schema/operations/home.graphql:3`.
        trusted: The operation that it runs.
    """

    verb: str
    template: Template
    route: View
    label: str
    source: str
    trusted: TrustedOperation


def plan_ahead(trusted: Trusted, engine: Engine) -> Iterator[None]:
    """Plans all trusted operations, so that no request waits for it; yields after each."""
    for each in trusted.operations.values():
        engine.plan_ahead(each.document, each.operation)
        yield


def views_of(
    trusted: Trusted,
    engine: Engine,
    *,
    body_size: int,
    etag: bool = False,
    private: bool = False,
    ignore_query: Iterable[str] = (),
) -> tuple[ViewRoute, ...]:
    """Returns the routes of the operations that have a `@rest`.

    Args:
        trusted: All trusted documents.
        engine: Runs them.
        body_size: The most bytes of a request body.
        etag: Whether whole answers to GET get an entity tag.
        private: Whether callers may be known by what caches know nothing of.
        ignore_query: Globs of names that a query may have though they name no variable.
    """
    globs = tuple(ignore_query)

    def routes() -> Iterator[ViewRoute]:
        for each in trusted.operations.values():
            rule = each.rule
            if rule is not None:
                inputs = Inputs(rule, _optional(each), globs)
                view = View(each, engine, inputs, body_size=body_size, etag=etag, private=private)
                label = f"{each.operation.kind.value} {each.name}"
                yield ViewRoute(rule.verb, rule.template, view, label, str(rule.place), each)

    return tuple(routes())


def _optional(trusted: TrustedOperation) -> list[str]:
    """Returns the variables that have a default."""
    nodes = trusted.operation.node.variable_definitions or ()
    return [each.variable.name.value for each in nodes if each.default_value is not None]
