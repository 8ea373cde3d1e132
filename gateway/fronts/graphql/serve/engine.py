"""What serving asks of the engine: the border between protocols and execution.

Front, event streams, multipart and WebSocket sessions know the engine by these shapes alone, so
each can be tested without a graph or a backend.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

from graphql import OperationType

from gateway.call import Cancel, Gate, Principal
from gateway.routing.caller import Caller


@dataclass(slots=True)
class GraphqlRequest:
    """The parameters of one request (GraphQL over HTTP, "Request Parameters").

    Attributes:
        query: The document's text; None where `document_id` or `extensions` say which is meant.
        operation_name: The operation to run, where the document has several.
        variables: Their values, as JSON has them.
        extensions: What the client says beside the protocol.
        document_id: Names a document that the server has ("Persisted Documents").
    """

    query: str | None = None
    operation_name: str | None = None
    variables: Mapping[str, object] | None = None
    extensions: Mapping[str, object] | None = None
    document_id: str | None = None


class Prepared(Protocol):
    """A request that can be run: parsed, validated, within its limits, its variables coerced."""

    @property
    def kind(self) -> OperationType:
        """What its operation is."""

    @property
    def incremental(self) -> bool:
        """Whether a `@defer` splits its answer."""

    @property
    def gate(self) -> Gate | None:
        """What its sender must pass before it is run (`Engine.known`); None for most."""


Done: TypeAlias = Callable[[bytes], None]
"""Takes the whole response, as JSON with `data`."""

Emit: TypeAlias = Callable[[bytes], Awaitable[None]]
"""Takes the response of one event, as JSON; returns when the client can take more."""

EmitPart: TypeAlias = Callable[[bytes, bool], Awaitable[None]]
"""Takes one part of a response, as JSON, and whether more follow."""

P = TypeVar("P", bound=Prepared)


class Engine(Protocol[P]):
    """Runs requests. `P` is its own kind of Prepared."""

    def prepare(self, request: GraphqlRequest, caller: Caller) -> P:
        """Returns the request, ready to run; nothing has been called yet.

        Raises:
            RequestError: It is refused.
        """

    def known(self, prepared: P, principal: Principal | None) -> P:
        """Returns a request whose sender has passed its gate, as it is run for them."""

    def run(self, prepared: P, done: Done) -> Cancel:
        """Runs a query or mutation; `done` may be called before this returns, once at most."""

    async def run_incremental(self, prepared: P, emit: EmitPart) -> None:
        """Runs a query or mutation whose answer comes in parts; cancelling ends its calls."""

    async def subscribe(self, prepared: P, emit: Emit) -> None:
        """Runs a subscription to the end of its stream; cancelling ends its calls.

        Raises:
            RequestError: It can't be started, or its stream failed.
        """
