"""Swagger UI, which shows the document to people: a page and its files."""

from __future__ import annotations

import posixpath
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
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="service-desc" type="application/json" href="{document}">
<link rel="stylesheet" href="{style}">
<script type="module" src="{script}"></script>
<body><noscript>The page needs JavaScript.</noscript><div id="api"></div></body>
</html>
"""


@cache  # they are read once: a reload does not wait for them
def shipped() -> dict[str, File]:
    """Returns the files that are part of the package, by the name that browsers know."""
    return files_of(resources.files("gateway.fronts.rest.openapi") / "pages" / "swagger_ui")


def relative(path: str, page: str) -> str:
    """Returns a path as a page names it that may be served below a proxy's prefix."""
    return "./" + posixpath.relpath(path, posixpath.dirname(page) or "/")


class DocsPage(Console):
    """The page and its files. Immutable.

    Args:
        path: Where the page is, `/docs`.
        document: Where the document is, `/openapi.json`.
        title: What the API is called.
        assets: The files by name.
        gate: What must be passed to see the page; None lets everybody pass.
    """

    __slots__ = ()

    def __init__(
        self,
        path: str,
        document: str,
        title: str,
        assets: dict[str, File],
        gate: Gate | None = None,
    ) -> None:
        parts = {"document": relative(document, path), "title": title}
        super().__init__(path, _PAGE, assets, gate, parts)
