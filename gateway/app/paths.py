"""Paths that belong to one key of the config, and what can't be reached because of them.

Two keys with one path are an error: one of them would do nothing. A route of REST at such a path is
warned of, for it comes from protos that their owner may not be able to change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gateway.config import Config, Source
from gateway.fronts.rest.compile import Listed, ListedView


class Claim(NamedTuple):
    """A path, and the key that claims it for all HTTP methods."""

    path: str
    key: str


def claims(config: Config, files: Iterable[str]) -> list[Claim]:
    """Returns the paths that fronts have for themselves, in the order in which they answer.

    Args:
        config: The config.
        files: The paths of what is served beside WebSocket's sockets.
    """
    found = [Claim(config.graphql.path, "graphql.path")] if config.graphql else []
    if config.websocket:
        path = config.websocket.path
        found.append(Claim(path, "websocket.path"))
        found += [
            Claim(each, "websocket.path" if each.startswith(f"{path}/") else "websocket.demo")
            for each in files
        ]
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
