"""A route to a streaming method: an owned task between an HTTP exchange and a stream of messages.

The task is the exchange's: when the client leaves it is cancelled, and the call with it. It waits
for the client on both sides, so a slow client slows its backend stream, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from gateway.call import Call, Metadata, Reply, StreamCall
from gateway.chain import Method, as_error
from gateway.fronts.http_errors import cut_short
from gateway.fronts.rest.bodies import collect
from gateway.fronts.rest.forms import END_ID, FORMS, Form
from gateway.fronts.rest.httpbody import RawForm
from gateway.fronts.rest.incoming import Incoming
from gateway.fronts.rest.inputs import Input
from gateway.fronts.rest.media import SSE, stream_form
from gateway.fronts.rest.replies import JsonReply, RawReply
from gateway.fronts.rest.reply import success_head
from gateway.fronts.rest.requests import One, Requests
from gateway.fronts.rest.responses import HEAD_DELAY, Responses, SingleResponse, StreamResponses


@dataclass(slots=True, kw_only=True)
class RestStreamCall(StreamCall):
    """A streaming call, between the two sides of an exchange."""

    requests: Requests
    responses: Responses

    @classmethod
    def of(cls, call: Call, requests: Requests, responses: Responses) -> RestStreamCall:
        """Returns a call like another, between these two sides."""
        return cls(**call.parts(), requests=requests, responses=responses)

    async def receive(self) -> bytes | None:
        """See StreamCall."""
        message = await self.requests.receive()
        if self.record is not None and message is not None:
            self.record.took(len(message))
        return message

    async def start(self, initial: Metadata) -> None:
        """See StreamCall."""
        self.responses.start(initial)

    async def send(self, message: bytes) -> None:
        """See StreamCall."""
        if self.record is not None:
            self.record.gave(len(message))
        await self.responses.send(message)


class StreamRoute:
    """One binding of a streaming method, of any of the three kinds.

    Args:
        method: What it calls.
        input_: How request messages are made.
        reply: How reply messages are written.
        respond: Answers with the one reply of a client-streaming method.
        body_size: The most bytes of a request body that is held whole.
        message_size: The most bytes of one message of a request stream.
        template: Its path, for what is noted of requests.
        head_delay: Seconds until a stream's head is sent though no message has come.
    """

    __slots__ = (
        "_body_size",
        "_head_delay",
        "_input",
        "_message_size",
        "_method",
        "_reply",
        "_respond",
        "_template",
    )

    def __init__(
        self,
        method: Method,
        input_: Input,
        reply: JsonReply | RawReply,
        respond: Callable[[Incoming, Reply], None],
        *,
        body_size: int,
        message_size: int,
        template: str = "",
        head_delay: float = HEAD_DELAY,
    ) -> None:
        self._method = method
        self._input = input_
        self._reply = reply
        self._respond = respond
        self._body_size = body_size
        self._message_size = message_size
        self._template = template
        self._head_delay = head_delay

    def handle(self, incoming: Incoming, captures: tuple[str, ...]) -> None:
        """Answers a request that the router sent here.

        Raises:
            RpcError: The request is refused before its body is looked at.
        """
        request, exchange = incoming.request, incoming.exchange
        streams_back = self._method.descriptor.kind.server_streams
        form = self._form(incoming) if streams_back else None
        if form and form.content_type == SSE and request.headers.get("last-event-id") == END_ID:
            # The stream that this EventSource comes back for has ended (WHATWG HTML, 9.2.3).
            incoming.respond(204, (), b"")
            return
        call = incoming.call(self._method.descriptor.name, self._template)
        run = partial(self._run, incoming, call, form)
        if self._method.descriptor.kind.client_streams and self._input.has_body:
            size = self._message_size
            exchange.spawn(run(self._input.stream(exchange, request, captures, size)))
            return
        make = self._input.prepare(request, captures)

        def whole(body: bytes) -> None:
            exchange.spawn(run(One(make(body))))

        collect(incoming, self._method, self._body_size, incoming.guarded(whole))

    def _form(self, incoming: Incoming) -> Form:
        if isinstance(self._reply, RawReply):
            return RawForm(self._reply.extract)
        return FORMS[stream_form(incoming.request.headers.all("accept"))](self._reply.render)

    def _responses(self, incoming: Incoming, form: Form | None) -> Responses:
        if form is None:
            return SingleResponse(partial(self._respond, incoming), incoming.refuse)
        return StreamResponses(
            incoming.exchange,
            form,
            head=partial(success_head, rules=incoming.shared.rules),
            whole=incoming.head,
            error_text=incoming.error_text,
            refuse=incoming.refuse,
            early=partial(incoming.give, self._method.cookies),
            head_delay=self._head_delay,
        )

    async def _run(
        self, incoming: Incoming, like: Call, form: Form | None, requests: Requests
    ) -> None:
        responses = self._responses(incoming, form)
        incoming.calling = call = RestStreamCall.of(like, requests, responses)
        try:
            try:
                if isinstance(responses, StreamResponses) and incoming.request.method == "HEAD":
                    await _until_head(self._method.stream(call), responses)
                else:
                    await self._method.stream(call)
                await responses.end()
            except asyncio.CancelledError as cancelled:
                await responses.fail(cut_short(cancelled))
            except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
                await responses.fail(as_error(failure))
        finally:
            responses.close()


async def _until_head(running: Awaitable[Metadata], sent: StreamResponses) -> None:
    """Runs a call until its reply's head is known, which is all that HEAD asks for."""
    call = asyncio.ensure_future(running)
    head = asyncio.ensure_future(sent.committed.wait())
    try:
        await asyncio.wait([call, head], return_when=asyncio.FIRST_COMPLETED)
        if call.done():
            call.result()
    finally:
        head.cancel()
        call.cancel()
        await asyncio.wait([call, head])
