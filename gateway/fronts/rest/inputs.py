"""How request messages are made under one rule: the binder, with what content types mean to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from gateway.errors import error
from gateway.fronts.rest.media import BodyForm, body_form
from gateway.fronts.rest.requests import JsonStream, RawStream, Requests, splitter
from gateway.http import Exchange, Request
from gateway.routing.binding import Binder, Bound
from gateway.routing.plan import BodyKind

Make: TypeAlias = Callable[[bytes], bytes]
"""A request body to the serialized request message. Raises RpcError."""


class Input:
    """How request messages are made under one rule."""

    __slots__ = ("_binder", "has_body")

    def __init__(self, binder: Binder) -> None:
        self._binder = binder
        self.has_body = binder.body_kind is not BodyKind.NONE

    def prepare(self, request: Request, captures: tuple[str, ...]) -> Make:
        """Reads path and query, and returns what makes the message of a whole body.

        Raises:
            RpcError: Path or query can't be bound, or the body's type is none of those expected.
        """
        bound = self._binder.prepare(captures, request.query)
        content_type = request.headers.get("content-type")
        match self._binder.body_kind:
            case BodyKind.HTTP_BODY:
                return lambda data: bound.http_body(content_type or "", data)
            case BodyKind.NONE:
                return bound.message
        form = body_form(content_type)
        if form is BodyForm.FORM:
            return partial(_form, bound)
        if form is BodyForm.NDJSON:
            raise error(
                "UNSUPPORTED_CONTENT_TYPE",
                "This method takes one message, not a stream; send application/json.",
            )
        return bound.message

    def stream(
        self, exchange: Exchange, request: Request, captures: tuple[str, ...], limit: int
    ) -> Requests:
        """Reads path and query, and returns the messages of a body that is a stream of them.

        Args:
            exchange: Whose body it is.
            request: Its head.
            captures: What the path's variables captured.
            limit: The most bytes of one message.

        Raises:
            RpcError: As of `prepare`.
        """
        bound = self._binder.prepare(captures, request.query)
        content_type = request.headers.get("content-type")
        if self._binder.body_kind is BodyKind.HTTP_BODY:
            return RawStream(
                exchange.chunks(), lambda data: bound.http_body(content_type or "", data)
            )
        form = body_form(content_type)
        if form is BodyForm.FORM:
            raise error(
                "UNSUPPORTED_CONTENT_TYPE",
                "This method takes a stream; send application/x-ndjson or a JSON array.",
            )
        return JsonStream(exchange.chunks(), splitter(form, limit), bound.message)


def _form(bound: Bound, body: bytes) -> bytes:
    if body.lstrip()[:1] in {b"{", b"["}:
        # No parameter begins so; it is what `curl -d` sends when it is told no type.
        raise error(
            "UNSUPPORTED_CONTENT_TYPE",
            "The body looks like JSON but is declared to be a form; send content-type: "
            "application/json.",
        )
    return bound.form(body)
