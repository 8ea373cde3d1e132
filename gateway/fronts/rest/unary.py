"""A route to a unary method: one request in, one reply out, no task on the way.

The body is read, bound, and called; the call's completion answers. A client that leaves cancels the
call.
"""

from __future__ import annotations

from gateway.call import Call, Reply, RpcError
from gateway.chain import Method, as_error
from gateway.fronts.entity_tags import entity_tag, not_modified
from gateway.fronts.rest.bodies import collect
from gateway.fronts.rest.httpbody import NO_GUESSES
from gateway.fronts.rest.incoming import Incoming
from gateway.fronts.rest.inputs import Input, Make
from gateway.fronts.rest.replies import JsonReply, RawReply
from gateway.fronts.rest.reply import success_head
from gateway.kept import Forms

_SAFE = frozenset({"GET", "HEAD"})


class UnaryRoute:
    """One binding of a unary method.

    Args:
        method: What it calls.
        input_: How the request message is made.
        reply: How the reply message is written.
        body_size: The most bytes of a request body.
        template: Its path, for what is noted of requests.
        etag: Whether replies to GET get an entity tag where the backend gives none. Those that
            are kept get one anyway: it is made once.
    """

    __slots__ = (
        "_body_size",
        "_etag",
        "_input",
        "_json",
        "_method",
        "_reply",
        "_template",
        "start",
    )

    def __init__(
        self,
        method: Method,
        input_: Input,
        reply: JsonReply | RawReply,
        *,
        body_size: int,
        etag: bool,
        template: str = "",
    ) -> None:
        self._method = method
        self.start = method.start
        self._input = input_
        self._reply = reply
        self._json = isinstance(reply, JsonReply)
        self._body_size = body_size
        self._etag = etag
        self._template = template

    def handle(self, incoming: Incoming, captures: tuple[str, ...]) -> None:
        """Answers a request that the router sent here.

        Raises:
            RpcError: The request is refused before its body is looked at.
        """
        call = incoming.call(self._method.descriptor.name, self._template)
        running = _Running(self, incoming, call, self._input.prepare(incoming.request, captures))
        collect(incoming, self._method, self._body_size, running.collected)

    def respond(self, incoming: Incoming, reply: Reply) -> None:
        """Answers with a reply message.

        Raises:
            RpcError: The backend sent something that is no message of its type.
        """
        if reply.rendered is not None:
            self._respond_kept(incoming, reply, reply.rendered)
            return
        content_type, body = self._reply.body(reply.message)
        if self._json:
            content_type = incoming.json
        if not reply.initial and not reply.headers and not self._etag:
            told = (("content-type", content_type),)
            incoming.respond(200, told if self._json else (*told, NO_GUESSES), body)
            return
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
        incoming.respond(head.status, self._described(content_type, headers), body)

    def _respond_kept(self, incoming: Incoming, reply: Reply, forms: Forms) -> None:
        """Answers with a reply that is kept, whose body and entity tag are made once."""
        content_type, body = self._reply.kept(reply.message, forms)
        if self._json:
            content_type = incoming.json
        headers = [*reply.headers.items()]
        etag = None
        if reply.initial:
            _, others, etag = success_head(reply.initial, incoming.shared.rules)
            headers += others
        request = incoming.request
        if request.method in _SAFE:
            if etag is None:
                etag = self._reply.tag(body, forms)
            asked = request.headers
            if "if-none-match" in asked and not_modified(etag, asked.all("if-none-match")):
                incoming.respond(304, [*headers, ("etag", etag)], b"")
                return
        if etag:
            headers.append(("etag", etag))
        told = self._described(content_type, headers)
        incoming.respond(200, told, body, self._reply.keeping(forms))

    def _described(
        self, content_type: str, headers: list[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        """Returns the headers of a reply with what is said of its body."""
        told = [("content-type", content_type), *headers]
        # A backend's data may be its users': a browser must not guess that it is a page.
        return told if self._json else [*told, NO_GUESSES]


class _Running:
    """One request to a unary route: the steps between which it waits, none of which raises."""

    __slots__ = ("_call", "_incoming", "_make", "_route")

    def __init__(self, route: UnaryRoute, incoming: Incoming, call: Call, make: Make) -> None:
        self._route = route
        self._incoming = incoming
        self._call = call
        self._make = make

    def collected(self, body: bytes) -> None:
        """Makes the call, when the whole body is there."""
        try:
            self._call.request = self._make(body)
            cancel = self._route.start(self._call, self.done)
            self._incoming.exchange.on_gone(cancel)
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            self._incoming.refuse(as_error(failure))

    def done(self, result: Reply | RpcError) -> None:
        """Answers, when the call is over."""
        try:
            if isinstance(result, RpcError):
                self._incoming.refuse(result)
            else:
                self._route.respond(self._incoming, result)
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            self._incoming.refuse(as_error(failure))
