"""The REST front of an API with versions: what has no route as it is written is looked for again.

Only a request that would have found nothing pays for it.
"""

from __future__ import annotations

from gateway.errors import error
from gateway.fronts.rest.front import RestFront, Route
from gateway.fronts.rest.incoming import Incoming, Shared
from gateway.fronts.rest.media import JSON
from gateway.fronts.rest.versions import Asked, Versions
from gateway.http import Exchange
from gateway.routing.router import Match, NotAllowed, NotFound, Router


class _Versioned(Incoming):
    """One request of which a version may have been asked for beside its path."""

    __slots__ = ("_media", "_vary")

    def __init__(self, exchange: Exchange, shared: Shared) -> None:
        super().__init__(exchange, shared)
        self._vary = ""
        self._media: str | None = None

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The gateway's own headers of every reply to this request, as of now."""
        own = super().headers
        return (*own, ("vary", self._vary)) if self._vary else own

    def varies(self, vary: str) -> None:
        """Takes note that header fields decide what is answered."""
        self._vary = vary

    def goes_on_as(self, asked: Asked) -> None:
        """Takes the request for one whose path has a version."""
        self.request, self._media = asked.request, asked.media

    @property
    def json(self) -> str:
        """The media type that was asked for, if one was; of nothing that the backend has typed."""
        return self._media or JSON


class VersionedFront(RestFront):
    """A REST front whose paths may leave their version out. Immutable."""

    __slots__ = ("_versions",)

    def __init__(self, router: Router[Route], shared: Shared, versions: Versions) -> None:
        super().__init__(router, shared)
        self._versions = versions

    def _incoming(self, exchange: Exchange) -> Incoming:
        return _Versioned(exchange, self._shared)

    def _find(self, incoming: Incoming) -> Match[Route] | NotAllowed | NotFound:
        versions = self._versions
        found = super()._find(incoming)
        path = incoming.request.path
        if isinstance(found, Match) or not versions.may_add(path):
            return found
        assert isinstance(incoming, _Versioned)  # it was made here
        if versions.names_unknown(path):
            if isinstance(found, NotFound):
                text = f"No route matches the path; the API has the versions {versions.listed()}."
                raise error("ROUTE_NOT_FOUND", text)
            return found
        incoming.varies(versions.vary)
        asked = versions.ask(incoming.request)
        behind = self._router.match(asked.request.method, asked.request.path)
        if isinstance(behind, NotFound):
            return found
        if isinstance(behind, Match):
            incoming.goes_on_as(asked)
        return behind
