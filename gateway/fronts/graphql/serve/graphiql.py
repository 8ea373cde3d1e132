"""GraphiQL, the console for people: a page at the front's path, and its files below it.

Everything comes from the package: no other host is asked, and the page's policy (CSP) lets it ask
none. The names of files hold a digest of what is in them, so a browser may keep them for good; the
page itself is asked for anew each time. It names its files relative to itself: a proxy may serve
the gateway below a prefix. How the files are made is not known here (`tools/graphiql`).
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from html import escape
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final
from urllib.parse import quote

from gateway.errors import error
from gateway.fronts.files import always, respond, takes_gzip
from gateway.http import Exchange

FOLDER: Final = "-"
"""The segment below the front's path under which the files are."""

# style-src: the dialogs of GraphiQL make style elements of their own.
# img-src: an image in a description could tell another host who reads it.
POLICY: Final = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; "
    "connect-src 'self'; "
    "base-uri 'none'; "
    "form-action 'none'; "
    "frame-ancestors 'none'"
)

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

_TYPES: Final = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the page.

    Attributes:
        packed: What is in it, as gzip.
        content_type: Its media type.
        digest: What it is known by, for ETags.
    """

    packed: bytes
    content_type: str
    digest: str


def shipped() -> dict[str, Asset]:
    """Returns the files that are part of the package, by the name that browsers know."""
    folder = resources.files("gateway.fronts.graphql") / "pages" / "graphiql"
    return dict(_asset(file) for file in folder.iterdir())


def _asset(file: Traversable) -> tuple[str, Asset]:
    name, packed = file.name, file.read_bytes()
    if name.endswith(".gz"):
        name = name.removesuffix(".gz")
    else:
        packed = gzip.compress(packed, mtime=0)
    return name, Asset(packed, _TYPES[name.rpartition(".")[2]], sha256(packed).hexdigest()[:16])


class Graphiql:
    """The page and its files. Immutable.

    Args:
        path: The front's path, `/graphql`.
        assets: The files by name: one script, one style sheet, and what goes with them.
    """

    __slots__ = ("_assets", "_etag", "_page", "prefix")

    def __init__(self, path: str, assets: dict[str, Asset]) -> None:
        self.prefix = f"{path.rstrip('/')}/{FOLDER}/"
        self._assets = assets
        # As a browser resolves it: from the last segment of the page's own path.
        below = f"{path.rpartition('/')[2]}/" if not path.endswith("/") else ""
        named = {name.rpartition(".")[2]: f"./{quote(below)}{FOLDER}/{name}" for name in assets}
        page = _PAGE.format(script=escape(named["js"]), style=escape(named["css"]))
        self._page = page.encode()
        self._etag = f'"{sha256(self._page).hexdigest()[:16]}"'

    def page(self, exchange: Exchange) -> None:
        """Answers with the page."""
        headers = [
            *always(exchange),
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", POLICY),
            ("cache-control", "no-cache"),
            ("vary", "accept"),
            ("etag", self._etag),
        ]
        respond(exchange, headers, self._etag, self._page)

    def asset(self, exchange: Exchange) -> None:
        """Answers with the file that the path after `prefix` names.

        Raises:
            RpcError: ROUTE_NOT_FOUND or METHOD_NOT_ALLOWED.
        """
        request = exchange.request
        asset = self._assets.get(request.path.removeprefix(self.prefix))
        if asset is None:
            raise error("ROUTE_NOT_FOUND", "The console has no such file.")
        if request.method not in {"GET", "HEAD"}:
            allow = {"allow": "GET, HEAD"}
            raise error("METHOD_NOT_ALLOWED", "A file is read with GET.", headers=allow)
        packed = takes_gzip(request.headers.all("accept-encoding"))
        etag = f'"{asset.digest}-gzip"' if packed else f'"{asset.digest}"'
        headers = [
            *always(exchange),
            ("content-type", asset.content_type),
            ("cache-control", "public, max-age=31536000, immutable"),
            ("vary", "accept-encoding"),
            ("etag", etag),
        ]
        if packed:
            headers.append(("content-encoding", "gzip"))
        respond(exchange, headers, etag, asset.packed if packed else _plain(asset.packed))


# A client without gzip is rare, but each of its requests would cost 10 ms.
_plain = lru_cache(8)(gzip.decompress)
