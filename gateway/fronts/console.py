"""A page for people, with its files below it: what a console of the gateway is, whatever it shows.

Everything comes from the package: no other host is asked, and the page's policy (CSP) lets it ask
none. The names of files hold a digest of what is in them, so a browser may keep them for good; the
page itself is asked for anew each time. It names its files relative to itself: a proxy may serve
the gateway below a prefix. How the files are made is not known here (`tools/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from html import escape
from importlib.resources.abc import Traversable
from typing import Final
from urllib.parse import quote

from gateway.call import Gate
from gateway.errors import error
from gateway.fronts.files import File, always, answer, check_method, respond
from gateway.http import Exchange

FOLDER: Final = "-"
"""The segment below a page's path under which its files are."""

# style-src: dialogs of consoles make style elements of their own.
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

_TYPES: Final = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
}
_KEPT: Final = ("cache-control", "public, max-age=31536000, immutable")


def files_of(folder: Traversable) -> dict[str, File]:
    """Returns the files of a folder of the package, by the name that browsers know."""
    return dict(_asset(file) for file in folder.iterdir())


def _asset(file: Traversable) -> tuple[str, File]:
    name, content = file.name.removesuffix(".gz"), file.read_bytes()
    packed = file.name.endswith(".gz")
    return name, File.of(content, _TYPES[name.rpartition(".")[2]], [_KEPT], packed=packed)


class Console:
    """The page and its files. Immutable.

    Args:
        path: Where the page is, `/graphql`.
        html: The page, with `{script}` and `{style}` where it names its files.
        assets: The files by name: one script, one style sheet, and what goes with them.
        gate: What must be passed to see the page; None lets everybody pass. The files are those of
            the package, which everybody has.
        parts: What else `html` has places for, escaped here.

    Attributes:
        prefix: What the paths of its files begin with.
        files: The template of their paths.
    """

    __slots__ = ("_assets", "_etag", "_page", "files", "gate", "prefix")

    def __init__(
        self,
        path: str,
        html: str,
        assets: dict[str, File],
        gate: Gate | None = None,
        parts: Mapping[str, str] | None = None,
    ) -> None:
        self.gate = gate
        self.prefix = f"{path.rstrip('/')}/{FOLDER}/"
        self.files = f"{self.prefix}{{file}}"
        self._assets = assets
        # As a browser resolves it: from the last segment of the page's own path.
        below = f"{path.rpartition('/')[2]}/" if not path.endswith("/") else ""
        named = {name.rpartition(".")[2]: f"./{quote(below)}{FOLDER}/{name}" for name in assets}
        given = {"script": named["js"], "style": named["css"], **(parts or {})}
        page = html.format(**{name: escape(each) for name, each in given.items()})
        self._page = page.encode()
        self._etag = f'"{sha256(self._page).hexdigest()[:16]}"'

    def page(self, exchange: Exchange) -> None:
        """Answers with the page.

        Raises:
            RpcError: METHOD_NOT_ALLOWED.
        """
        check_method(exchange)
        headers = [
            *always(exchange),
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", POLICY),
            ("cache-control", "no-cache"),
            ("vary", "accept"),
            ("etag", self._etag),
        ]
        respond(exchange, headers, [self._etag], self._page)

    def asset(self, exchange: Exchange) -> None:
        """Answers with the file that the path after `prefix` names.

        Raises:
            RpcError: ROUTE_NOT_FOUND or METHOD_NOT_ALLOWED.
        """
        asset = self._assets.get(exchange.request.path.removeprefix(self.prefix))
        if asset is None:
            raise error("ROUTE_NOT_FOUND", "The console has no such file.")
        answer(exchange, asset)
