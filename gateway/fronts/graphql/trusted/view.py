"""The route of one REST view: a trusted operation, asked for and answered as REST is.

The answer is the value of `data`, always whole: a second root field never changes the place of the
first. Where parts of it failed that the view does not require, they are null, and the header
`x-partial` names them: `x-partial: orders, user.reviews`. Such an answer is not to be stored. An
error has REST's own form, which the incoming request knows. The gateway's own headers of the calls
are those of the reply, each as it speaks for all of them (`execute.headers`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

from gateway.call import Cancel, Principal, RpcError
from gateway.chain import as_error
from gateway.cookies import Cookies
from gateway.fronts.admission import admit
from gateway.fronts.entity_tags import entity_tag, not_modified
from gateway.fronts.graphql.engine import Engine, Prepared
from gateway.fronts.graphql.errors import RequestError
from gateway.fronts.graphql.execute.headers import Headers
from gateway.fronts.graphql.execute.trouble import Note, Trouble
from gateway.fronts.graphql.serve import cross_site
from gateway.fronts.graphql.trusted.inputs import Inputs
from gateway.fronts.graphql.trusted.outcome import missing
from gateway.fronts.graphql.trusted.reading import TrustedOperation
from gateway.fronts.http_errors import refuse_body
from gateway.http import Exchange, Request
from gateway.routing.caller import Caller, caller_of
from gateway.routing.metadata import HeaderRules

T = TypeVar("T")

PARTIAL: Final = "x-partial"

_FRONT: Final = "rest"
_JSON = ("content-type", "application/json")
_CACHE = "cache-control"
_NOT_STORED = (_CACHE, "no-store")
_OF_REPLIES = frozenset({"age", _CACHE})
_SAFE = frozenset({"GET", "HEAD"})


class Shared(Protocol):
    """What requests of the REST front share, as far as a view needs it."""

    @property
    def rules(self) -> HeaderRules:
        """Which headers pass to backends."""

    @property
    def clock(self) -> Callable[[], float]:
        """The event loop's clock, seconds."""

    @property
    def request_id_passes(self) -> bool:
        """Whether backends are told the request id."""


class Incoming(Protocol):
    """One REST request, as far as a view needs it."""

    @property
    def exchange(self) -> Exchange:
        """What is answered."""

    @property
    def request(self) -> Request:
        """Its head."""

    @property
    def request_id(self) -> str:
        """What names it."""

    @property
    def cookies(self) -> Cookies | None:
        """What its calls give the client to keep."""

    @property
    def shared(self) -> Shared:
        """What it shares with others."""

    def guarded(self, step: Callable[[T], None]) -> Callable[[T], None]:
        """Returns `step` as a callback that answers with the error that it raises."""

    def respond(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """Answers with a whole reply."""

    def refuse(self, failure: RpcError) -> None:
        """Answers with an error."""


class View:
    """The route of one view.

    Args:
        trusted: What it runs; it has a rule.
        engine: Runs it.
        inputs: Makes its variables.
        body_size: The most bytes of a request body.
        etag: Whether whole answers to GET get an entity tag.
        private: Whether callers may be known by what caches know nothing of.
    """

    __slots__ = ("_body_size", "_engine", "_etag", "_inputs", "_private", "_required", "_trusted")

    def __init__(
        self,
        trusted: TrustedOperation,
        engine: Engine,
        inputs: Inputs,
        *,
        body_size: int,
        etag: bool,
        private: bool,
    ) -> None:
        self._trusted = trusted
        self._engine = engine
        self._inputs = inputs
        self._required = trusted.rule.required if trusted.rule else ()
        self._body_size = body_size
        self._etag = etag
        self._private = private

    def handle(self, incoming: Incoming, captures: tuple[str, ...]) -> None:
        """Answers a request, given what the path's variables captured.

        Raises:
            RpcError: The request is refused before its body is looked at.
        """
        request, shared = incoming.request, incoming.shared
        caller = caller_of(
            request,
            shared.rules,
            shared.clock,
            front=_FRONT,
            request_id=incoming.request_id,
            request_id_passes=shared.request_id_passes,
            cookies=incoming.cookies,
        )
        given = self._inputs.read(captures, request.query)
        if self._inputs.has_body and "content-type" in request.headers:
            cross_site.check_post(request.headers)

        def collected(body: bytes) -> None:
            variables = self._inputs.with_body(given, body)
            self._run(incoming, caller, variables)

        incoming.exchange.collect(
            self._body_size, incoming.guarded(collected), incoming.guarded(refuse_body)
        )

    def _run(self, incoming: Incoming, caller: Caller, given: dict[str, object]) -> None:
        document, operation = self._trusted.document, self._trusted.operation
        try:
            prepared = self._engine.prepare_operation(document, operation, given, caller)
        except RequestError as refused:
            raise self._inputs.explain(refused, given) from None
        if prepared.gate is None:
            incoming.exchange.on_gone(self._start(incoming, prepared))
            return

        def admitted(principal: Principal | None) -> None:
            known = self._engine.known(prepared, principal)
            incoming.exchange.on_gone(self._start(incoming, known))

        def refuse(failure: Exception) -> None:
            incoming.refuse(as_error(failure))

        admit(
            incoming.exchange,
            prepared.gate,
            admitted,
            refuse,
            front=_FRONT,
            request_id=incoming.request_id,
        )

    def _start(self, incoming: Incoming, prepared: Prepared) -> Cancel:
        def done(data: str, notes: list[Note], headers: Headers) -> None:
            try:
                self._answer(incoming, data, notes, headers)
            except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
                incoming.refuse(_with(as_error(failure), headers))

        return self._engine.run_data(prepared, done)

    def _answer(
        self, incoming: Incoming, data: str, notes: Sequence[Note], headers: Headers
    ) -> None:
        troubles = [each for each in notes if isinstance(each, Trouble)]
        lost = missing(data, troubles, self._required)
        body = data.encode()
        request = incoming.request
        safe = request.method in _SAFE
        hidden = safe and self._private and "authorization" not in request.headers
        own = {_CACHE: "private", **headers} if hidden else headers
        kept = tuple(own.items())
        if lost:
            told = (PARTIAL, ", ".join(".".join(part) for part in lost))
            others = [each for each in kept if each[0] != _CACHE]
            incoming.respond(200, (_JSON, _NOT_STORED, told, *others), body)
        elif self._etag and safe:
            tag = entity_tag(body)
            if not_modified(tag, request.headers.all("if-none-match")):
                incoming.respond(304, (("etag", tag), *kept), b"")
            else:
                incoming.respond(200, (_JSON, ("etag", tag), *kept), body)
        else:
            incoming.respond(200, (_JSON, *kept), body)


def _with(failure: RpcError, headers: Headers) -> RpcError:
    """Returns an error that brings the headers of all calls beside its own."""
    if not headers:
        return failure
    own = {name.lower(): value for name, value in failure.headers.items()}
    return RpcError(
        failure.status,
        headers={
            **{name: each for name, each in headers.items() if name not in _OF_REPLIES},
            **own,
        },
        http_status=failure.http_status,
        metadata=failure.metadata,
        reason=failure.reason,
    )
