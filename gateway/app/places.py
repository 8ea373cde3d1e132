"""Where a problem's cause is written: a line of the config for what the config says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from gateway.app.settings import SettingError
from gateway.config import Source
from gateway.config.problems import Path, format_path
from gateway.schema.problem import Problem

_NAMED: Final = re.compile(r"(graphql)\.(methods|fields|oneofs)\.(.+)")
_CONFIG_SECTIONS: Final = ("schema.", "rest.", "upstreams.", "graphql")


def at_key(wrong: SettingError, source: Source) -> str:
    """Returns what is wrong with a file that a key names, as a line."""
    return f"{source.locate(wrong.path)}: {wrong.path}: {wrong}"


def of_key(path: Path, text: str, source: Source) -> str:
    """Returns what is said of a key, as a line: with its place, or that of the file."""
    place = source.place(path) or source.root.place
    return f"{place}: {format_path(path)}: {text}"


def config_place(where: str, source: Source) -> str | None:
    """Returns the line of the config that a schema's place stands for, or None for no such place.

    Args:
        where: `schema.http_rules[3] (shop.v1.Catalog.Get)`, or a proto's path.
        source: The config's lines.
    """
    if not where.startswith(_CONFIG_SECTIONS):
        return None
    path = where.partition(" ")[0].replace("[", ".").replace("]", "")
    if named := _NAMED.fullmatch(path):  # a key that is a full name has dots of its own
        place = source.place(named.groups())
        return str(place) if place is not None else None
    return source.locate(path)


def placed(problems: Iterable[Problem], source: Source) -> list[str]:
    """Returns problems as lines; those of the config's own keys with their place in its file."""
    lines = []
    for problem in problems:
        place = config_place(problem.where, source)
        lines.append(str(problem) if place is None else f"{place}: {problem}")
    return lines
