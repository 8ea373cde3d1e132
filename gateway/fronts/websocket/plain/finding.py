"""Which route an upgrade request is for, by its path, and by the verb that it may name.

Clients of grpc-websocket-proxy say `?method=POST` where the rule's verb is not GET. It is only
taken so where it can't be meant for the request: where that has no such field.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.errors import error
from gateway.fronts.websocket.plain.routes import CHOOSER, UPGRADE, PlainRoute
from gateway.http import Request
from gateway.routing.router import Match, Router
from gateway.routing.rules import HTTP_METHODS


class Found(NamedTuple):
    """The route of a request.

    Attributes:
        route: The route.
        captures: What the template's variables captured.
        query: The raw query that is to be bound.
    """

    route: PlainRoute
    captures: tuple[str, ...]
    query: str | None


def find(router: Router[PlainRoute], request: Request) -> Found | None:
    """Returns the route of an upgrade request; None where its path has none.

    Raises:
        RpcError: INVALID_PATH: the path can't be decoded. METHOD_NOT_ALLOWED: the verb that the
            query names is of no rule at the path.
    """
    path, query = request.path, request.query
    answers = router.match(UPGRADE, path)
    named = None if query is None or CHOOSER not in query else _chooser(query)
    if named is None or (isinstance(answers, Match) and answers.target.has_chooser):
        return _found(answers, query)
    assert query is not None
    rest = _without_chooser(query)
    verb = named.upper()
    if verb not in HTTP_METHODS:
        return _found(answers, rest)
    chosen = router.match(verb, path)
    if isinstance(chosen, Match):
        return _found(chosen, rest)
    if isinstance(answers, Match):
        raise error("METHOD_NOT_ALLOWED", f"The path does not answer {verb}.")
    return None


def _found(match: object, query: str | None) -> Found | None:
    return Found(match.target, match.captures, query) if isinstance(match, Match) else None


def _chooser(query: str) -> str | None:
    """Returns the first value of the parameter, undecoded: a verb is plain."""
    for piece in query.split("&"):
        name, _, value = piece.partition("=")
        if name == CHOOSER:
            return value
    return None


def _without_chooser(query: str) -> str:
    return "&".join(piece for piece in query.split("&") if piece.partition("=")[0] != CHOOSER)
