"""GraphiQL, the console of GraphQL: a page at the front's path, and its files below it."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

from gateway.call import Gate
from gateway.fronts.console import Console, files_of
from gateway.fronts.files import File

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GraphiQL</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{style}">
<script type="module" src="{script}"></script>
<body><noscript>GraphiQL needs JavaScript.</noscript><div id="graphiql"></div></body>
</html>
"""


@cache  # they are read once: a reload does not wait for them
def shipped() -> dict[str, File]:
    """Returns the files that are part of the package, by the name that browsers know."""
    return files_of(resources.files("gateway.fronts.graphql") / "pages" / "graphiql")


class Graphiql(Console):
    """The page and its files. Immutable.

    Args:
        path: The front's path, `/graphql`.
        assets: The files by name.
        gate: What must be passed to see the page; None lets everybody pass.
    """

    __slots__ = ()

    def __init__(self, path: str, assets: dict[str, File], gate: Gate | None = None) -> None:
        super().__init__(path, _PAGE, assets, gate)
