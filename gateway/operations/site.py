"""All pages of an admin listener: of operations, for probes, for backends, and an index of them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from gateway.listener.admin import Asked, Page, Routes, jwks_page
from gateway.listener.faults import JSON, Fault, Refused
from gateway.operations.asking import NOT_ASKED_RIGHT, Ask
from gateway.operations.pages import PAGES, pages
from gateway.operations.readiness import Standing, readyz

_LIVES: Final = Page(200, JSON, b'{"status": "serving"}')

_OTHERS: Final[Mapping[str, str]] = {
    "/": "this list",
    "/healthz": "whether the process answers",
    "/jwks.json": "the public keys of the tokens that backends get",
    "/livez": "the same as /healthz",
    "/readyz": "whether to send it requests, and why not",
}


def site(
    ask: Ask, standing: Callable[[], Awaitable[Standing]], keys: Callable[[], str | None]
) -> Routes:
    """Returns the pages, by path.

    Those for probes and backends are everybody's: neither can be given a token.

    Args:
        ask: Has operations done.
        standing: Returns how the gateway stands.
        keys: Returns the public keys that it signs with, as JSON; None where it signs nothing.
    """

    async def ready(parameters: Mapping[str, str]) -> Page:
        return readyz(await standing(), parameters)

    return {
        "/": Asked(_index),
        "/healthz": lambda: _LIVES,
        "/jwks.json": lambda: jwks_page(keys()),
        "/livez": lambda: _LIVES,
        "/readyz": Asked(ready, is_open=True),
        **pages(ask),
    }


async def _index(parameters: Mapping[str, str]) -> Page:
    if parameters:
        raise Refused(Fault(400, NOT_ASKED_RIGHT, "This page has no parameters."))
    abouts = {**_OTHERS, **{path: page.about for path, page in PAGES.items()}}
    listed = [
        {"path": path, "method": _verb(path), "about": about}
        for path, about in sorted(abouts.items())
    ]
    return Page(200, JSON, json.dumps({"pages": listed}, indent=1).encode() + b"\n")


def _verb(path: str) -> str:
    return "POST" if path in PAGES and PAGES[path].changes else "GET"
