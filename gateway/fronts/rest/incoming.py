"""One REST request on its way: its id, what its calls carry, and how it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gateway.call import Call, RpcError
from gateway.chain import as_error
from gateway.cookies import Cookies, IdCookie
from gateway.fronts.given_cookies import give_all, giving
from gateway.fronts.http_errors import http_status
from gateway.fronts.rest.errors import ErrorRenderer
from gateway.fronts.rest.media import JSON
from gateway.fronts.rest.reply import OWN
from gateway.http import Exchange, Request
from gateway.http.request_id import REQUEST_ID, request_id
from gateway.kept import KeptBody
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
        gives_cookies: Whether calls may give clients cookies to keep.
    """

    rules: HeaderRules
    errors: ErrorRenderer
    clock: Callable[[], float]
    request_id_passes: bool = False
    lease: object = None
    gives_cookies: bool = False


class Incoming:
    """One request, its id, and its answers.

    Attributes:
        calling: The call that is made of it, whose gates may add headers to whatever is answered;
            None before there is one.
        cookies: What its calls give the client to keep; None where none of them does.
    """

    __slots__ = ("calling", "cookies", "exchange", "request", "request_id", "shared")

    def __init__(self, exchange: Exchange, shared: Shared) -> None:
        self.exchange = exchange
        self.shared = shared
        self.request: Request = exchange.request
        self.calling: Call | None = None
        self.cookies = Cookies() if shared.gives_cookies else None
        self.request_id = request_id(self.request.headers.get(REQUEST_ID))
        if (record := exchange.record) is not None:
            record.front = record.front or FRONT  # another front may have its errors told so
            record.request_id = self.request_id

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

    def call(self, method: str, template: str = "") -> Call:
        """Returns the call for the request, without its message.

        Args:
            method: Its full name.
            template: The path that leads to it.

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
        self.calling.cookies = self.cookies
        if (record := self.exchange.record) is not None:
            record.route = template
            self.calling.record = record.call(method)
        return self.calling

    def give(self, known: Iterable[IdCookie]) -> None:
        """Gives the client the ids that its call might: the reply's head leaves before it has.

        Args:
            known: The cookies that the call may look for.
        """
        if self.cookies is not None and self.calling is not None and not self.calling.affinity:
            give_all(self.request, known, self.cookies)

    def guarded(self, step: Callable[[T], None]) -> Callable[[T], None]:
        """Returns `step` as a callback that answers with the error that it raises."""

        def run(value: T) -> None:
            try:
                step(value)
            except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
                self.refuse(as_error(failure))

        return run

    def head(self, headers: Iterable[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """Returns the headers of a reply as it leaves, the gateway's own among them."""
        given = (*self.headers, *headers)
        if self.is_private and all(name != _CACHE for name, _ in given):
            given = (*given, (_CACHE, "private"))
        return given if self.cookies is None else giving(given, self.cookies)

    @property
    def json(self) -> str:
        """The media type of a reply that the gateway writes as JSON."""
        return JSON

    def respond(
        self,
        status: int,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        kept: KeptBody | None = None,
    ) -> None:
        """Answers with a whole reply, whose body may be kept."""
        self.exchange.respond(status, self.head(headers), body, kept)

    def refuse(self, failure: RpcError) -> None:
        """Answers with an error."""
        if self.exchange.record is not None:
            self.exchange.record.failed(failure)
        passed = self.shared.rules.response(failure.metadata.without(*OWN))
        given = {name for name, _ in (*self.headers, *passed)}
        own = self.shared.errors.headers(failure, given)
        self.respond(http_status(failure), [*passed, *own], self.error_text(failure))

    def error_text(self, failure: RpcError) -> bytes:
        """Returns an error's JSON."""
        return self.shared.errors.body(failure, self.request_id)
