"""A unary call on a native connection: its stream is the record of it. No task, no future."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.call import Call, Done, Reply, RpcError
from gateway.upstream.channel import AnsweredError, NotSentError, RefusedError
from gateway.upstream.channel.faults import GARBAGE, NO_MESSAGE, RESET, Fault
from gateway.upstream.channel.native_faults import of_answer, of_ending, of_reset
from gateway.upstream.channel.native_metadata import metadata, refusal_of
from gateway.upstream.channel.request import complete, late, past_deadline
from gateway.wire.grpc import (
    AnswerError,
    Head,
    Messages,
    Wrong,
    ending_of,
    head_of,
    prefixed,
    whole,
)
from gateway.wire.hpack import Fields
from gateway.wire.stream import Reset, Stream

if TYPE_CHECKING:
    from gateway.upstream.channel.native import NativeChannel
    from gateway.upstream.channel.native_connection import NativeConnection


class UnaryRun(Stream):
    """One unary call: it completes once, or is cancelled."""

    # Defaults stand at the class, as those of Stream do.
    _connection: NativeConnection | None = None
    _head: Head | None = None
    _message: bytes | None = None
    _messages: Messages | None = None
    _open = True
    _retried = False

    def __init__(self, channel: NativeChannel, call: Call, done: Done, block: bytes) -> None:
        self._channel = channel
        self._call = call
        self._done = done
        self._block = block

    # What the channel asks for.

    def begin(self, connection: NativeConnection) -> None:
        """Sends the call."""
        block, self._block = self._block, b""
        if not block:  # it has waited, or is sent again: there is less time left
            try:
                block = self._channel.block(self._call)
            except RpcError as failure:
                self.stop(failure)
                return
        self._connection = connection
        connection.http.request(self, block, prefixed(self._call.request), end=True)
        connection.schedule()

    def wait(self) -> None:
        """Takes note that there is no connection for it yet."""
        self._block = b""

    def never(self, fault: Fault, cause: str) -> None:
        """Ends the call, which was not sent."""
        self._fail(fault, cause, NotSentError)

    def cancel(self) -> None:
        """Ends the call without an answer."""
        if self._open:
            self._leave()

    def stop(self, failure: RpcError) -> None:
        """Ends the call with `failure`."""
        if self._open:
            self._leave()
            complete(self._done, failure, self._call)

    def expire(self) -> None:
        """Ends the call, since its deadline has passed."""
        failure = past_deadline()
        self.stop(failure if self._head is None else AnsweredError.of(failure))

    # What the stream hears.

    def head(self, fields: Fields, *, end: bool) -> None:
        """See Stream."""
        if end:
            self.trailers(fields)
            return
        try:
            self._head = head_of(fields)
        except AnswerError as failure:
            self._wrong(failure)

    def data(self, payload: bytes) -> None:
        """See Stream."""
        most = self._channel.message_size
        if self._messages is None and self._message is None:
            self._message = whole(payload, most)
            if self._message is not None:
                return
        try:
            self._take_in_parts(payload, most)
        except AnswerError as failure:
            self._wrong(failure)

    def _take_in_parts(self, payload: bytes, most: int) -> None:
        if self._messages is None:
            encoding = self._head.encoding if self._head is not None else b"identity"
            self._messages = Messages(most, encoding)
        for flag, message in self._messages.feed(payload):
            if self._message is not None:
                raise AnswerError(Wrong.PROTOCOL, "a second message")
            self._message = self._messages.plain(flag, message)
        self._messages.check()

    def trailers(self, fields: Fields) -> None:
        """See Stream."""
        try:
            ending = ending_of(fields)
        except AnswerError as failure:
            self._wrong(failure)
            return
        if ending.status:
            fault = of_ending(ending, late=self._late())
            if fault is None:
                self._finish(refusal_of(self._head, ending))
            else:
                self._fail(fault, f"status {ending.status}: {ending.message}")
        elif self._message is None or (self._messages is not None and self._messages.partial):
            self._fail(NO_MESSAGE, "OK without a message, or with a part of one")
        else:
            head = self._head
            initial = metadata(head.metadata) if head is not None else metadata(())
            self._finish(Reply(self._message, initial, metadata(ending.metadata)))

    def end(self) -> None:
        """See Stream."""
        self._fail(GARBAGE, "the answer has no trailers")

    def reset(self, reset: Reset) -> None:
        """See Stream."""
        answered = self._head is not None
        refused = reset.unprocessed and not answered
        if refused and self._leaving() and self._again():
            return
        fault = of_reset(reset, answered=answered, late=self._late())
        self._fail(fault, reset.text, RefusedError if refused else None)

    def connection_lost(self, cause: str, *, unsent: bool, broken: bool) -> None:
        """Ends the call, or sends it elsewhere where nothing of it had been sent."""
        if unsent and self._again():
            return
        self._fail(GARBAGE if broken else RESET, cause, NotSentError if unsent else None)

    # Its end.

    def _leaving(self) -> bool:
        """Whether its connection is at its end: then another may take it, else it is refused."""
        return self._connection is not None and self._connection.http.gone

    def _late(self) -> bool:
        return late(self._call, self._channel.loop.time())

    def _again(self) -> bool:
        """Sends a call that no backend saw once more; the second time it is told."""
        if self._retried or not self._open:
            return False
        self._retried = True
        self.forget()
        self._connection = None
        self._channel.place(self)
        return True

    def _wrong(self, failure: AnswerError) -> None:
        self._fail(of_answer(failure), str(failure))

    def _fail(self, fault: Fault, cause: str, kind: type[NotSentError] | None = None) -> None:
        self._channel.trouble.note(fault.reason, cause)
        failure = fault.error(cause)
        if kind is not None:
            failure = kind.of(failure)
        elif self._head is not None:
            failure = AnsweredError.of(failure)
        self.stop(failure)

    def _finish(self, result: Reply | RpcError) -> None:
        if self._open:
            self._open = False
            self._channel.left(self, self._connection)
            complete(self._done, result, self._call)

    def _leave(self) -> None:
        self._open = False
        if self._connection is not None:
            self._connection.cancel(self)
        self._channel.left(self, self._connection)
