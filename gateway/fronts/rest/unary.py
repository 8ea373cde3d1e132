"""A route to a unary method: one request in, one reply out, no task on the way.

The body is read, bound, and called; the call's completion answers. A client that leaves cancels the
call.
"""

from __future__ import annotations

from functools import partial

from gateway.call import Call, Reply, RpcError
from gateway.chain import Method
from gateway.fronts.rest.errors import refuse_body
from gateway.fronts.rest.incoming import CallFields, Incoming
from gateway.fronts.rest.inputs import Input, Make
from gateway.fronts.rest.replies import JsonReply, RawReply
from gateway.fronts.rest.reply import entity_tag, not_modified, success_head

_SAFE = frozenset({"GET", "HEAD"})


class UnaryRoute:
    """One binding of a unary method.

    Args:
        method: What it calls.
        input_: How the request message is made.
        reply: How the reply message is written.
        body_size: The most bytes of a request body.
        etag: Whether replies to GET get an entity tag where the backend gives none.
    """

    __slots__ = ("_body_size", "_etag", "_input", "_method", "_reply")

    def __init__(
        self,
        method: Method,
        input_: Input,
        reply: JsonReply | RawReply,
        *,
        body_size: int,
        etag: bool,
    ) -> None:
        self._method = method
        self._input = input_
        self._reply = reply
        self._body_size = body_size
        self._etag = etag

    def handle(self, incoming: Incoming, captures: tuple[str, ...]) -> None:
        """Answers a request that the router sent here.

        Raises:
            RpcError: The request is refused before its body is looked at.
        """
        fields = incoming.call_fields()
        make = self._input.prepare(incoming.request, captures)
        incoming.exchange.collect(
            self._body_size,
            incoming.guarded(partial(self._call, incoming, fields, make)),
            incoming.guarded(refuse_body),
        )

    def _call(self, incoming: Incoming, fields: CallFields, make: Make, body: bytes) -> None:
        call = Call(self._method.descriptor.name, make(body), **fields)
        cancel = self._method.start(call, incoming.guarded(partial(self._answer, incoming)))
        incoming.exchange.on_gone(cancel)

    def _answer(self, incoming: Incoming, result: Reply | RpcError) -> None:
        if isinstance(result, RpcError):
            raise result
        self.respond(incoming, result)

    def respond(self, incoming: Incoming, reply: Reply) -> None:
        """Answers with a reply message.

        Raises:
            RpcError: The backend sent something that is no message of its type.
        """
        content_type, body = self._reply.body(reply.message)
        head = success_head(reply.initial, incoming.shared.rules)
        headers = [*reply.headers.items(), *head.headers]
        etag = head.etag
        if head.status == 200 and incoming.request.method in _SAFE:
            if etag is None and self._etag:
                etag = entity_tag(body)
            if etag and not_modified(etag, incoming.request.headers.all("if-none-match")):
                incoming.respond(304, [*headers, ("etag", etag)], b"")
                return
        if etag:
            headers.append(("etag", etag))
        incoming.respond(head.status, [("content-type", content_type), *headers], body)
