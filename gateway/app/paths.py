"""Paths that belong to one key of the config, and what can't be reached because of them.

Two keys with one path are an error: one of them would do nothing. A route of REST at such a path is
warned of, for it comes from protos that their owner may not be able to change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gateway.config import Source
from gateway.config.models.graphql import Graphql
from gateway.config.models.rest import Rest
from gateway.config.models.websocket import Websocket
from gateway.fronts.rest.compile import Listed, ListedView


class Claim(NamedTuple):
    """A path, and the key that claims it for all HTTP methods."""

    path: str
    key: str


def claims(
    graphql: Graphql | None,
    websocket: Websocket | None,
    files: Iterable[str],
    rest: Rest | None = None,
) -> list[Claim]:
    """Returns the paths that fronts have for themselves, in the order in which they answer.

    Args:
        graphql: The config's section; None where GraphQL is not served.
        websocket: The config's section; None where WebSocket is not served.
        files: The paths of what is served beside WebSocket's sockets.
        rest: The config's section; None where REST is not served.
    """
    found = [Claim(graphql.path, "graphql.path")] if graphql else []
    if websocket:
        path = websocket.path
        found.append(Claim(path, "websocket.path"))
        found += [
            Claim(each, "websocket.path" if each.startswith(f"{path}/") else "websocket.demo")
            for each in files
        ]
    if rest and rest.openapi is not None:
        found.append(Claim(rest.openapi, "rest.openapi"))
        found += [Claim(rest.docs, "rest.docs")] if rest.docs is not None else []
    return found


def clashes(claimed: Iterable[Claim], source: Source) -> Iterator[str]:
    """Yields a line for each path that two keys claim."""
    first: dict[str, str] = {}
    for path, key in claimed:
        other = first.setdefault(path, key)
        if other != key:
            # That which has its default is not at fault.
            given = source.place(tuple(key.split("."))) is not None
            wrong, right = (key, other) if given else (other, key)
            yield f"{source.locate(wrong)}: {wrong}: {path} is for {right} already"


def pageless(rest: Rest | None, source: Source) -> Iterator[str]:
    """Yields a line where a page is asked for that would have no document to show."""
    without = rest is not None and rest.docs is not None and rest.openapi is None
    if without and source.place(("rest", "docs")) is not None:
        yield f"{source.locate('rest.docs')}: rest.docs: shows rest.openapi, which is false"


def hidden(
    claimed: Iterable[Claim], routes: Iterable[Listed], views: Iterable[ListedView]
) -> Iterator[str]:
    """Yields a line for each route of REST that is never reached."""
    keys = dict(claimed)
    places = [(each.verb, each.template) for each in routes]
    places += [(each.verb, each.template) for each in views]
    for verb, path in places:
        if (key := keys.get(path)) is not None:
            yield f"{verb} {path} is never reached: the path is for {key}"
