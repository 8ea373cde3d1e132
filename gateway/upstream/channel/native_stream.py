"""A streaming call on a native connection: replies carried to the client, and its one end.

Every kind of streaming method is run as a bidirectional one: on the wire they are the same
(PROTOCOL-HTTP2.md of gRPC). Its requests are `native_requests`' business.

The stream's window follows the reader: bytes are given back to the backend when the message they
belong to is taken, and those of an unfinished message when the reader waits for it, or a message
larger than the window would never end.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from gateway.call import Metadata, RpcError, StreamCall
from gateway.upstream.channel import AnsweredError, NotSentError, RefusedError
from gateway.upstream.channel.faults import GARBAGE, RESET, Fault
from gateway.upstream.channel.native_faults import of_answer, of_ending, of_reset
from gateway.upstream.channel.native_metadata import metadata, refusal_of
from gateway.upstream.channel.native_requests import Requests
from gateway.upstream.channel.request import late, past_deadline
from gateway.wire.grpc import PREFIX, AnswerError, Ending, Head, Messages, ending_of, head_of
from gateway.wire.hpack import Fields
from gateway.wire.stream import Reset, Stream

if TYPE_CHECKING:
    from gateway.upstream.channel.native import NativeChannel
    from gateway.upstream.channel.native_connection import NativeConnection


class StreamRun(Stream):
    """A streaming call under way. The task that awaits `run` owns it: cancelled, it cancels.

    Attributes:
        connection: What carries it; None while it waits for one.
        over: Whether nothing more is to be sent.
    """

    paced = True

    def __init__(self, channel: NativeChannel, call: StreamCall, block: bytes) -> None:
        self.connection: NativeConnection | None = None
        self._channel = channel
        self._call = call
        self._block = block
        self._requests = Requests(call, channel.message_size)
        self._retried = False
        self._scope = asyncio.timeout(None)
        self._stopped: Exception | None = None
        self._head: Head | None = None
        self._messages: Messages | None = None
        self._inbox: deque[tuple[int, bytes]] = deque()
        # Positions in the content: what came, what was taken, and what was given back of it.
        self._received = 0
        self._taken = 0
        self._given_back = 0
        self._waiter: asyncio.Future[None] | None = None
        self._ending: Ending | None = None
        self._failure: Exception | None = None

    @property
    def over(self) -> bool:
        """Whether the call has ended, so that no request is wanted any more."""
        return self._ending is not None or self._failure is not None or self._stopped is not None

    # What the channel asks for.

    async def run(self) -> Metadata:
        """Runs the call to its end and returns the trailers.

        Raises:
            RpcError: It ended with another status than OK.
        """
        try:
            async with self._scope:
                return await self._run()
        except TimeoutError:
            if self._stopped is None:
                raise
            try:
                raise self._stopped from None
            finally:
                self._stopped = None
        finally:
            del self._scope  # it has the task, which keeps what it was cancelled by, and so this

    async def _run(self) -> Metadata:
        pump: asyncio.Task[None] | None = None
        try:
            self._channel.place(self)
            # Not one message is taken from the client before there is a connection for it.
            while self.connection is None and self._failure is None:
                await self._wait()
            if self._failure is None:
                pump = asyncio.create_task(self._requests.carry(self))
            return await self._replies()
        finally:
            # In the place of what was raised, which has this in its traceback: it is not to wait
            # for a garbage collector.
            self._failure = ConnectionError("over")
            connection = self.connection
            if connection is not None:
                connection.cancel(self)
            self._channel.left(self, connection)
            if pump is not None and not pump.done():
                pump.cancel()
                await asyncio.wait({pump})

    def begin(self, connection: NativeConnection) -> None:
        """Sends the call's head, and what was sent of it before in vain."""
        block, self._block = self._block, b""
        if not block:  # it has waited, or is sent again: there is less time left
            try:
                block = self._channel.block(self._call)
            except RpcError as failure:
                self.stop(failure)
                return
        self.connection = connection
        data, ended = self._requests.said()
        connection.http.request(self, block, data, end=ended)
        connection.schedule()
        self._wake()
        self._requests.go_on()

    def wait(self) -> None:
        """Takes note that there is no connection for it yet."""
        self._block = b""

    def never(self, fault: Fault, cause: str) -> None:
        """Ends the call, which was not sent."""
        self._fail(fault, cause, None if self._requests.any_taken else NotSentError)

    def stop(self, failure: Exception) -> None:
        """Ends the call with `failure`, whatever it waits for."""
        if self._stopped is None:
            self._stopped = failure
            self._scope.reschedule(self._channel.loop.time())

    def expire(self) -> None:
        """Ends the call, since its deadline has passed."""
        self._channel.runs.remove(self)
        self.stop(past_deadline())

    # What the stream hears.

    def head(self, fields: Fields, *, end: bool) -> None:
        """See Stream."""
        self._requests.forget()
        if end:
            self.trailers(fields)
            return
        try:
            self._head = head_of(fields)
            self._messages = Messages(self._channel.message_size, self._head.encoding)
        except AnswerError as failure:
            self._wrong(failure)
        else:
            self._wake()

    def data(self, payload: bytes) -> None:
        """See Stream."""
        if self._messages is None or self._failure is not None:
            return
        self._received += len(payload)
        found = self._messages.feed(payload)
        if found:
            self._inbox.extend(found)
            self._wake()
        elif self._waiter is not None and not self._inbox:  # else it was woken for what is there
            self._give_back(self._received)
        try:
            self._messages.check()
        except AnswerError as failure:
            self._wrong(failure)

    def trailers(self, fields: Fields) -> None:
        """See Stream."""
        try:
            self._ending = ending_of(fields)
        except AnswerError as failure:
            self._wrong(failure)
        else:
            self._wake()

    def end(self) -> None:
        """See Stream."""
        self._fail(GARBAGE, "the answer has no trailers")

    def reset(self, reset: Reset) -> None:
        """See Stream."""
        answered = self._head is not None
        refused = reset.unprocessed and not answered
        # What was taken from the client only this can send again.
        taken = self._requests.any_taken
        if refused and (taken or self._leaving()) and self._again():
            return
        fault = of_reset(reset, answered=answered, late=self._late())
        self._fail(fault, reset.text, RefusedError if refused and not taken else None)

    def writable(self) -> None:
        """See Stream."""
        self._requests.go_on()

    def connection_lost(self, cause: str, *, unsent: bool, broken: bool) -> None:
        """Ends the call, or sends it elsewhere where nothing of it had been sent."""
        if unsent and self._again():
            return
        unsent = unsent and not self._requests.any_taken
        self._fail(GARBAGE if broken else RESET, cause, NotSentError if unsent else None)

    # Replies.

    async def _replies(self) -> Metadata:
        """Carries replies, as fast as the client takes them; returns the trailers."""
        call, inbox = self._call, self._inbox
        started = False
        while True:
            if not started and (inbox or (self._head is not None and not self._failed())):
                started = True
                await call.start(metadata(self._head.metadata if self._head is not None else ()))
            while inbox:
                await call.send(self._take())
            if self._failure is not None:
                raise self._failure
            if self._ending is not None:
                return await self._trailers(self._ending, started=started)
            if self._head is None or started:
                self._give_back(self._received)
                await self._wait()

    def _failed(self) -> bool:
        """Whether the call has ended, and not well."""
        return self._failure is not None or bool(self._ending and self._ending.status)

    def _take(self) -> bytes:
        """Takes a message out of the inbox, and gives its bytes back to the backend.

        Raises:
            RpcError: It can't be inflated.
        """
        flag, message = self._inbox.popleft()
        self._taken += PREFIX + len(message)
        self._give_back(self._taken)
        if not flag or self._messages is None:
            return message
        try:
            return self._messages.plain(flag, message)
        except AnswerError as failure:
            raise self._error(of_answer(failure), str(failure)) from None

    async def _trailers(self, ending: Ending, *, started: bool) -> Metadata:
        if ending.status:
            if fault := of_ending(ending, late=self._late()):
                raise self._error(fault, f"status {ending.status}: {ending.message}")
            raise refusal_of(self._head, ending)
        if self._messages is not None and self._messages.partial:
            raise self._error(GARBAGE, "OK in the middle of a message")
        if not started:
            await self._call.start(metadata(()))
        return metadata(ending.metadata)

    def _give_back(self, upto: int) -> None:
        size = upto - self._given_back
        if size > 0 and self.connection is not None:
            self._given_back = upto
            self.connection.consumed(self, size)

    async def _wait(self) -> None:
        """Waits until something has happened."""
        self._waiter = self._channel.loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # Its end.

    def _leaving(self) -> bool:
        """Whether its connection is at its end: then another may take it, else it is refused."""
        return self.connection is not None and self.connection.http.gone

    def _late(self) -> bool:
        return late(self._call, self._channel.loop.time())

    def _again(self) -> bool:
        """Sends a call that no backend saw once more, if all that was sent of it is still there."""
        if self._retried or self.over or not self._requests.whole:
            return False
        self._retried = True
        self.forget()
        self.connection = None
        self._channel.place(self)
        return True

    def _wrong(self, failure: AnswerError) -> None:
        self._fail(of_answer(failure), str(failure))

    def _error(self, fault: Fault, cause: str) -> RpcError:
        self._channel.trouble.note(fault.reason, cause)
        failure = fault.error(cause)
        return failure if self._head is None else AnsweredError.of(failure)

    def _fail(self, fault: Fault, cause: str, kind: type[NotSentError] | None = None) -> None:
        """Ends the call for what happened at the backend, after the messages that came before."""
        if self.over:
            return
        failure = self._error(fault, cause)
        self._failure = failure if kind is None else kind.of(failure)
        if self.connection is not None:
            self.connection.cancel(self)
        self._wake()
