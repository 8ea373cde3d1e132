"""The reply side of a streaming call: messages from the backend as one HTTP reply.

A stream's head leaves at the first message, at the end, or after `HEAD_DELAY`, whichever comes
first. That commits the call: until then an error is a whole error reply, afterwards the form tells
it, or the connection is cut.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from gateway.call import NO_METADATA, Metadata, Reply, RpcError
from gateway.errors import error
from gateway.fronts.rest.forms import Form
from gateway.fronts.rest.httpbody import NO_GUESSES
from gateway.fronts.rest.media import SSE
from gateway.fronts.rest.reply import Head
from gateway.http import Exchange
from gateway.http.event_stream import EventStream

_VARY = ("vary", "accept")  # which chose the form

HEAD_DELAY = 5.0
"""Seconds after which a stream's head is sent though no message has come."""


class Responses(Protocol):
    """Where a call's reply messages go."""

    def start(self, initial: Metadata) -> None:
        """Takes the backend's initial metadata."""

    async def send(self, message: bytes) -> None:
        """Takes one serialized reply message; returns when another can be taken."""

    async def end(self) -> None:
        """Ends the reply well."""

    async def fail(self, failure: RpcError) -> None:
        """Ends the reply with an error."""

    def close(self) -> None:
        """Lets go of timers; called last, also when the client has gone. Idempotent."""


class StreamResponses:
    """Messages as a streamed body, in one of the forms.

    Args:
        exchange: The request to answer.
        form: How messages stand in the body.
        head: Initial metadata to the reply's status and headers.
        whole: Adds the gateway's own to the headers of the reply, when the head leaves.
        error_text: An error to its JSON.
        refuse: Answers with a whole error reply, while nothing has been sent.
        early: Called before the head leaves by its time: what goes with it may not be known yet.
        head_delay: Seconds, see HEAD_DELAY.
    """

    def __init__(
        self,
        exchange: Exchange,
        form: Form,
        *,
        head: Callable[[Metadata], Head],
        whole: Callable[[Sequence[tuple[str, str]]], Sequence[tuple[str, str]]],
        error_text: Callable[[RpcError], bytes],
        refuse: Callable[[RpcError], None],
        early: Callable[[], None],
        head_delay: float = HEAD_DELAY,
    ) -> None:
        self._exchange = exchange
        self._form = form
        self._head = head
        self._whole = whole
        self._error_text = error_text
        self._refuse = refuse
        self._early = early
        self._initial = NO_METADATA
        self._events: EventStream | None = None
        self.committed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        if not form.typed_by_message:
            self._timer = asyncio.get_running_loop().call_later(head_delay, self._timed_out)

    def start(self, initial: Metadata) -> None:
        """See Responses."""
        self._initial = initial

    async def send(self, message: bytes) -> None:
        """See Responses."""
        data = self._form.message(message)
        self._commit()
        await (self._events or self._exchange).write(data)

    async def end(self) -> None:
        """See Responses."""
        last = self._form.end()
        self._commit()
        self.close()
        if last:
            await self._exchange.write(last)
        await self._exchange.finish()

    async def fail(self, failure: RpcError) -> None:
        """See Responses."""
        if not self.committed.is_set():
            self._refuse(failure)
            return
        self.close()
        last = self._form.error(self._error_text(failure), failure)
        if last is None:
            self._exchange.abort()
            return
        await self._exchange.write(last)
        await self._exchange.finish()

    def close(self) -> None:
        """See Responses."""
        if self._timer:
            self._timer.cancel()
        if self._events:
            self._events.close()

    def _timed_out(self) -> None:
        self._early()
        self._commit()

    def _commit(self) -> None:
        if self.committed.is_set():
            return
        self.committed.set()
        if self._timer:
            self._timer.cancel()
        status, headers, etag = self._head(self._initial)
        headers = [("content-type", self._form.content_type), *headers]
        if self._form.typed_by_message:
            headers.append(NO_GUESSES)
        else:
            headers.append(_VARY)
        if etag:
            headers.append(("etag", etag))
        if self._form.content_type == SSE:
            headers.append(("cache-control", "no-store"))
            self._events = EventStream(self._exchange)
        self._exchange.start(status, self._whole(headers))


class SingleResponse:
    """The one message of a client-streaming call, answered whole when the call has ended.

    Args:
        respond: Answers with the reply. Raises RpcError where it is no message.
        refuse: Answers with an error.
    """

    def __init__(
        self, respond: Callable[[Reply], None], refuse: Callable[[RpcError], None]
    ) -> None:
        self._respond = respond
        self._refuse = refuse
        self._initial = NO_METADATA
        self._messages: Sequence[bytes] = ()

    def start(self, initial: Metadata) -> None:
        """See Responses."""
        self._initial = initial

    async def send(self, message: bytes) -> None:
        """See Responses."""
        if self._messages:
            raise error("UPSTREAM_PROTOCOL_ERROR", "The backend sent more than one reply.")
        self._messages = (message,)

    async def end(self) -> None:
        """See Responses."""
        if not self._messages:
            raise error("UPSTREAM_PROTOCOL_ERROR", "The backend ended the call without a reply.")
        self._respond(Reply(self._messages[0], self._initial))

    async def fail(self, failure: RpcError) -> None:
        """See Responses."""
        self._refuse(failure)

    def close(self) -> None:
        """See Responses."""
