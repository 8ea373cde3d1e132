"""One REST request on its way: its id, what its calls carry, and how it is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gateway.call import Call, RpcError
from gateway.chain import as_error
from gateway.fronts.http_errors import http_status
from gateway.fronts.rest.errors import ErrorRenderer
from gateway.fronts.rest.reply import OWN
from gateway.http import Exchange, Request
from gateway.http.request_id import REQUEST_ID, request_id
from gateway.routing.caller import carried
from gateway.routing.metadata import HeaderRules

T = TypeVar("T")

FRONT = "rest"

_CACHE = "cache-control"
_SAFE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Shared:
    """What all requests of a front share.

    Attributes:
        rules: Which headers pass to backends and back.
        errors: Renders errors.
        clock: The event loop's clock, seconds.
        request_id_passes: Whether backends are told the request id, also one made here.
        lease: What must live as long as any request does; nobody looks at it.
    """

    rules: HeaderRules
    errors: ErrorRenderer
    clock: Callable[[], float]
    request_id_passes: bool = False
    lease: object = None


class Incoming:
    """One request, its id, and its answers.

    Attributes:
        calling: The call that is made of it, whose gates may add headers to whatever is answered;
            None before there is one.
    """

    __slots__ = ("calling", "exchange", "request", "request_id", "shared")

    def __init__(self, exchange: Exchange, shared: Shared) -> None:
        self.exchange = exchange
        self.shared = shared
        self.request: Request = exchange.request
        self.calling: Call | None = None
        self.request_id = request_id(self.request.headers.get(REQUEST_ID))

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The gateway's own headers of every reply to this request, as of now."""
        own = None if self.calling is None else self.calling.reply_headers
        if not own:
            return ((REQUEST_ID, self.request_id),)
        return ((REQUEST_ID, self.request_id), *own.items())

    @property
    def is_private(self) -> bool:
        """Whether a reply may be for its caller alone, and a shared cache could not know it.

        Caches keep no reply to a request with `Authorization` by themselves (RFC 9111 section 3.5);
        of API keys, cookies and certificates they know nothing.
        """
        calling = self.calling
        return (
            calling is not None
            and calling.principal is not None
            and self.request.method in _SAFE
            and "authorization" not in self.request.headers
        )

    def call(self, method: str) -> Call:
        """Returns the call for the request, without its message.

        Args:
            method: Its full name.

        Raises:
            RpcError: A time-out header or a metadata header is wrong.
        """
        request, shared, named = self.request, self.shared, self.request_id
        metadata, deadline = carried(
            request,
            shared.rules,
            shared.clock,
            request_id=named,
            request_id_passes=shared.request_id_passes,
        )
        traceparent = request.headers.get("traceparent")
        self.calling = Call(
            method,
            b"",
            metadata,
            deadline,
            None,
            request.peer,
            FRONT,
            named,
            traceparent,
            request,
        )
        return self.calling

    def guarded(self, step: Callable[[T], None]) -> Callable[[T], None]:
        """Returns `step` as a callback that answers with the error that it raises."""

        def run(value: T) -> None:
            try:
                step(value)
            except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
                self.refuse(as_error(failure))

        return run

    def respond(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """Answers with a whole reply."""
        given = (*self.headers, *headers)
        if self.is_private and all(name != _CACHE for name, _ in given):
            given = (*given, (_CACHE, "private"))
        self.exchange.respond(status, given, body)

    def refuse(self, failure: RpcError) -> None:
        """Answers with an error."""
        passed = self.shared.rules.response(failure.metadata.without(*OWN))
        given = {name for name, _ in (*self.headers, *passed)}
        own = self.shared.errors.headers(failure, given)
        self.respond(http_status(failure), [*passed, *own], self.error_text(failure))

    def error_text(self, failure: RpcError) -> bytes:
        """Returns an error's JSON."""
        return self.shared.errors.body(failure, self.request_id)
