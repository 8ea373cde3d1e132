"""Where the document is, and the page that shows it: what answers at their paths.

The document is made in a thread when it is first asked for, once, and kept, with what the listener
packs it in. Whoever asks meanwhile waits for the same one. Both are for those whom `gate` lets in;
the page's files are the package's own, and everybody's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Final

from gateway.call import Gate
from gateway.chain import as_error
from gateway.fronts.admission import admit
from gateway.fronts.files import File, answer
from gateway.fronts.rest.incoming import FRONT, Incoming, Shared
from gateway.fronts.rest.openapi.page import DocsPage
from gateway.fronts.rest.openapi.scalars import Schema
from gateway.http import Exchange
from gateway.http.request_id import REQUEST_ID

_ALLOW: Final = ("allow", "GET, HEAD, OPTIONS")
_TYPE: Final = "application/json"  # application/openapi+json is a draft, and no tool's


class Kept:
    """The document as it is sent, made once.

    Args:
        make: Makes it; takes a while.
        private: Whether only some may see it.
    """

    def __init__(self, make: Callable[[], Schema], *, private: bool) -> None:
        self._make = make
        self._caching = ("cache-control", "private, no-cache" if private else "no-cache")
        self._file: File | None = None
        self._making: asyncio.Task[File] | None = None

    @property
    def file(self) -> File | None:
        """The document, where there is one by now."""
        return self._file

    async def made(self) -> File:
        """Returns the document; makes it if nobody has. Its thread ends by itself, in a moment."""
        if self._making is None:
            self._making = asyncio.create_task(asyncio.to_thread(self._written))
        making = self._making
        try:
            self._file = await asyncio.shield(making)  # who began it may leave, others wait too
        except Exception:
            self._making = None  # the next one tries again
            raise
        return self._file

    def _written(self) -> File:
        text = _text(self._make(), _LEVELS)
        return File.of(text.encode("utf-8", "replace"), _TYPE, [self._caching])


class Site:
    """Answers at the paths of the document and of its page.

    Args:
        path: The document's.
        kept: The document.
        page: The page; None where there is none.
        docs: The page's path.
        gate: What must be passed to see either; None lets everybody pass.
        shared: What requests of REST share: errors look as theirs.
    """

    __slots__ = ("_docs", "_gate", "_kept", "_page", "_path", "_shared")

    def __init__(
        self,
        path: str,
        kept: Kept,
        *,
        page: DocsPage | None,
        docs: str,
        gate: Gate | None,
        shared: Shared,
    ) -> None:
        self._path = path
        self._kept = kept
        self._page = page
        self._docs = docs
        self._gate = gate
        self._shared = shared

    def answers(self, path: str) -> bool:
        """Whether requests to a raw path are for it."""
        if path == self._path:
            return True
        page = self._page
        return page is not None and (path == self._docs or path.startswith(page.prefix))

    def handle(self, exchange: Exchange) -> None:
        """Answers a request that `answers` is true for (`gateway.http.Handler`)."""
        incoming = Incoming(exchange, self._shared)
        request, page = exchange.request, self._page
        of_page = page if page is not None and request.path.startswith(page.prefix) else None
        if exchange.record is not None:
            exchange.record.route = request.path if of_page is None else of_page.files
        try:
            if request.method == "OPTIONS":
                exchange.respond(204, [(REQUEST_ID, incoming.request_id), _ALLOW], b"")
            elif of_page is not None:
                of_page.asset(exchange)
            else:
                self._admitted(incoming)
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            incoming.refuse(as_error(failure))

    def _admitted(self, incoming: Incoming) -> None:
        shown = self._shown if incoming.request.path == self._path else self._paged
        admit(
            incoming.exchange,
            self._gate,
            lambda _: shown(incoming),
            lambda failure: incoming.refuse(as_error(failure)),
            front=FRONT,
            request_id=incoming.request_id,
        )

    def _paged(self, incoming: Incoming) -> None:
        assert self._page is not None, "it has this path"
        self._page.page(incoming.exchange)

    def _shown(self, incoming: Incoming) -> None:
        file = self._kept.file
        if file is not None or incoming.request.method not in {"GET", "HEAD"}:
            answer(incoming.exchange, file or _NOTHING)
        else:
            incoming.exchange.spawn(self._show(incoming))

    async def _show(self, incoming: Incoming) -> None:
        give = incoming.guarded(partial(answer, incoming.exchange))
        try:
            file = await self._kept.made()
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            incoming.refuse(as_error(failure))
            return
        give(file)


def _text(value: object, levels: int) -> str:
    """Returns JSON, its outer levels in Python: the encoder in C lets no other thread run."""
    if levels and isinstance(value, dict):
        members = (f"{_written(name)}:{_text(each, levels - 1)}" for name, each in value.items())
        return f"{{{','.join(members)}}}"
    return _written(value)


_LEVELS: Final = 3  # down to single paths and components
_written: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_NOTHING: Final = File(b"", _TYPE, "")
"""Stands in where the request is refused anyway: nobody can write a document."""
