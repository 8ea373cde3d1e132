"""What metrics are read from: the parts of an app that have numbers of themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.app.generation import Generation
    from gateway.app.graphql import GraphqlParts
    from gateway.fronts.websocket.sessions import Sessions
    from gateway.listener.server import Listener
    from gateway.operations.reloads import Reloads


@dataclass(frozen=True, slots=True)
class Sources:
    """The parts of an app.

    Attributes:
        worker: Its number among several; 0 for one alone.
        generation: Returns what serves; None before there is anything.
        listener: Returns where clients connect; None before there is one.
        sessions: Of WebSockets.
        reloads: What became of reloads.
    """

    worker: int
    generation: Callable[[], Generation | None]
    listener: Callable[[], Listener | None]
    sessions: Sessions
    reloads: Reloads

    def graphs(self) -> Iterable[GraphqlParts]:
        """Returns the graphs that are served, each once."""
        generation = self.generation()
        if generation is None:
            return ()
        hosts = generation.hosts
        fronts = [generation.fronts] if hosts is None else [s.fronts for s in hosts.sites.values()]
        found = {id(each.graphql): each.graphql for each in fronts if each.graphql is not None}
        return found.values()

    def is_trusted(self, digest: str) -> bool:
        """Whether a GraphQL document is a trusted one, by its hash (`RequestRecord.document`)."""
        return any(digest in graph.trusted.by_digest for graph in self.graphs())
