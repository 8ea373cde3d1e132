"""One GraphQL request over HTTP on its way: its id, what it accepts, and how it is refused.

Statuses: a request that is not well-formed, or that HTTP or the gateway refuses, has a 4xx or 5xx
in any media type. One whose document is at fault has 400 in `application/graphql-response+json`
and, since older clients read no body of an error, 200 in `application/json` (GraphQL over HTTP,
"Status Codes"; where drafts differ, as the audits of graphql-http have it). With data it is 200.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from gateway.call import Cancel, Code, Gate, Principal
from gateway.chain import as_error
from gateway.cookies import Cookies, IdCookie
from gateway.fronts.admission import admit
from gateway.fronts.given_cookies import give_all, giving
from gateway.fronts.graphql.errors import RefusalCode, RequestError, refused_by, response
from gateway.fronts.graphql.serve import events
from gateway.fronts.graphql.serve.accept import EVENTS, GRAPHQL, wanted
from gateway.fronts.http_errors import draining, error_headers, http_status
from gateway.http import Exchange, Request
from gateway.http.event_stream import KEEP_ALIVE
from gateway.http.request_id import REQUEST_ID, request_id
from gateway.record import RequestRecord
from gateway.routing.caller import Caller, caller_of
from gateway.routing.metadata import HeaderRules

T = TypeVar("T")

FRONT: Final = "graphql"

_VARY: Final = ("vary", "accept")
_UTF8: Final = "; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Shared:
    """What all requests of the front share.

    Attributes:
        rules: Which headers pass to backends.
        clock: The event loop's clock, seconds.
        request_id_passes: Whether backends are told the request id, also one made here.
        body_size: The most bytes of a request body.
        batch: The most requests in one body; with 1, a list is refused.
        subscriptions: Whether subscriptions are served.
        sockets: What the sender of a `connection_init` must pass; None where all are let in.
        keep_alive: Seconds of silence after which an event stream gets a comment.
        private: Whether callers may be known by what caches know nothing of.
        lease: What must live as long as any request does; nobody looks at it.
        cookies: In which calls look for ids of clients, and may give them.
    """

    rules: HeaderRules
    clock: Callable[[], float]
    request_id_passes: bool = False
    body_size: int = 4 * 1024 * 1024
    batch: int = 1
    subscriptions: bool = True
    sockets: Gate | None = None
    keep_alive: float = KEEP_ALIVE
    lease: object = None
    private: bool = False
    cookies: tuple[IdCookie, ...] = ()


class Incoming:
    """One request, its id, and its answers.

    Args:
        exchange: The request.
        shared: What it shares with others.
        head: The head by which its sender is known, where it is not quite the request's own: a
            WebSocket is given a token after its handshake. Its client was given all cookies then.

    Attributes:
        record: What is noted of it; None for nothing.
    """

    __slots__ = ("_cookies", "exchange", "record", "request", "request_id", "shared", "wanted")

    def __init__(self, exchange: Exchange, shared: Shared, head: Request | None = None) -> None:
        self.exchange = exchange
        self.shared = shared
        self.request: Request = exchange.request if head is None else head
        self.request_id = request_id(self.request.headers.get(REQUEST_ID))
        self.wanted = wanted(self.request.headers.all("accept"))
        self._cookies = Cookies() if shared.cookies and head is None else None
        self.record = exchange.record
        if self.record is not None:
            if head is not None:
                self.record = self.record.on_socket("operation", head.headers)
            self.record.front, self.record.request_id = FRONT, self.request_id

    def caller(self) -> Caller:
        """Returns what the calls of this request carry.

        Raises:
            RpcError: A time-out header or a metadata header is wrong.
        """
        return caller_of(
            self.request,
            self.shared.rules,
            self.shared.clock,
            front=FRONT,
            request_id=self.request_id,
            request_id_passes=self.shared.request_id_passes,
            cookies=self._cookies,
            record=self.record,
        )

    def admit(self, gate: Gate | None, then: Callable[[Principal | None], None]) -> None:
        """Has the sender of the request pass a gate; `then` answers, given who that is."""
        admit(self.exchange, gate, then, self.refuse, front=FRONT, request_id=self.request_id)

    def guarded(self, step: Callable[[T], None]) -> Callable[[T], None]:
        """Returns `step` as a callback that answers with the error that it raises."""

        def run(value: T) -> None:
            try:
                step(value)
            except Exception as failure:  # noqa: BLE001 - `refuse` logs what is a bug
                self.refuse(failure)

        return run

    def until_cut(self, cancel: Cancel) -> None:
        """Has `cancel` called if the answer is not wanted any more, or can't be waited for.

        To a client that is still there, since the gateway shuts down, it is said.
        """

        def cut() -> None:
            cancel()
            self.refuse(draining())  # without effect where the client has gone

        self.exchange.on_gone(cut)

    def headers(self, content_type: str, *more: tuple[str, str]) -> Sequence[tuple[str, str]]:
        """Returns the headers of an answer of this type, as it leaves."""
        own = (REQUEST_ID, self.request_id), _VARY, ("content-type", content_type)
        return giving([*own, *more], self._cookies)

    def headers_ahead(self, content_type: str, *more: tuple[str, str]) -> Sequence[tuple[str, str]]:
        """Returns the headers of an answer that leave before its calls are made."""
        if self._cookies is not None:
            give_all(self.request, self.shared.cookies, self._cookies)
        return self.headers(content_type, *more)

    def _whole(self, media: str) -> Sequence[tuple[str, str]]:
        """Returns the headers of a whole reply, of text in a media type.

        Caches keep no reply to a request with `Authorization` by themselves (RFC 9111 section 3.5);
        of API keys, cookies and certificates they know nothing.
        """
        request = self.request
        safe = request.method in {"GET", "HEAD"}
        if safe and self.shared.private and "authorization" not in request.headers:
            return self.headers(media + _UTF8, ("cache-control", "private"))
        return self.headers(media + _UTF8)

    def respond(self, media: str, body: bytes, status: int = 200) -> None:
        """Answers with a whole reply, of text in a media type."""
        self.exchange.respond(status, self._whole(media), body)

    def refuse(self, failure: Exception) -> None:
        """Answers with an error.

        Args:
            failure: A RequestError, an RpcError, or a bug: logged, and not shown.
        """
        if self.record is not None:
            note_failure(self.record, failure)
        if isinstance(failure, RequestError):
            self._refuse_document(failure)
            return
        known = as_error(failure)
        headers = [*self._whole(self.wanted.refusal), *error_headers(known)]
        self.exchange.respond(http_status(known), headers, told(known))

    def _refuse_document(self, failure: RequestError) -> None:
        body = told(failure)
        if _code(failure) == RefusalCode.BAD_REQUEST:
            self.respond(self.wanted.refusal, body, 400)
        elif self.wanted.whole == EVENTS:
            # An event stream tells of it by an event: a browser shows a client no body of an error.
            self.exchange.respond(200, self.headers(EVENTS, events.NOT_STORED), events.whole(body))
        else:
            media = self.wanted.refusal
            self.respond(media, body, 400 if media == GRAPHQL else 200)


def note_failure(record: RequestRecord, failure: Exception) -> None:
    """Takes down what a request is refused with."""
    if isinstance(failure, RequestError):
        message = failure.errors[0].message if failure.errors else ""
        record.refused(Code.INVALID_ARGUMENT, str(_code(failure)), message)
    else:
        record.failed(as_error(failure))


def told(failure: Exception) -> bytes:
    """Returns what a client is told of a request that failed: `{"errors": […]}`."""
    if not isinstance(failure, RequestError):
        failure = refused_by(as_error(failure))  # which logs what is a bug
    return response(failure.errors)


def _code(failure: RequestError) -> object:
    errors: Sequence[object] = [(each.extensions or {}).get("code") for each in failure.errors]
    return errors[0] if errors else None
