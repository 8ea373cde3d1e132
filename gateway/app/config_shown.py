"""The config in effect as operators may see it: all values, what set each, and no secret.

Defaults are filled in, overrides and the environment applied. Masked are all keys whose
kind is a secret, and of URLs the user, the password and the values of the query. Key material and
hashes are in files, of which only the paths are in a config. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pydantic import TypeAdapter

from gateway.config import Config, Source
from gateway.config.problems import Path, format_path
from gateway.config.tree import Node
from gateway.config.url_secrets import without_secrets
from gateway.operations import Content

MASK: Final = "**********"
"""What stands for a secret: as long as every other."""


def shown(config: Config, source: Source) -> Content:
    """Returns the config.

    Args:
        config: It.
        source: Where each value was set.

    Returns:
        `config`, as the file would have it, and `places`: what set each value that is not a
        default, by its dotted path: `gateway.yaml:3:5`.
    """
    return {
        "config": masked(TypeAdapter(Config).dump_python(config, mode="json")),
        "places": {format_path(path): str(node.key) for path, node in _set((), source.root)},
    }


def masked(value: Any) -> Any:
    """Returns what JSON can say without the secrets of the URLs in it."""
    match value:
        case dict():
            return {name: masked(each) for name, each in value.items()}
        case list() | tuple():
            return [masked(each) for each in value]
        case str():
            return without_secrets(value, MASK)
        case _:
            return value


def _set(path: Path, node: Node) -> Iterator[tuple[Path, Node]]:
    """Yields what was set, without the sections and lists around it."""
    children = list(node.items())
    if path and not children:
        yield path, node
    for name, child in children:
        yield from _set((*path, name), child)
