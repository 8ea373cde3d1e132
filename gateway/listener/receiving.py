"""The request's side of an exchange: its body, read whole without a task, or piece by piece."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.http import BodyError, BodyFault, Exchange, Request
from gateway.listener.body import BadBody, Body, body_of, is_coded
from gateway.listener.head import CHUNKED, Fields

if TYPE_CHECKING:
    from gateway.listener.connection import Connection


class Collect:
    """A body that is being read whole."""

    __slots__ = ("_parts", "failed", "limit", "size", "then")

    def __init__(
        self, limit: int, then: Callable[[bytes], None], failed: Callable[[BodyError], None]
    ) -> None:
        self.limit = limit
        self.then = then
        self.failed = failed
        self.size = 0
        self._parts: bytes | bytearray = b""

    def add(self, data: bytes) -> None:
        """Takes the next part."""
        if not self._parts:
            self._parts = data
        else:
            if isinstance(self._parts, bytes):
                self._parts = bytearray(self._parts)
            self._parts += data
        self.size += len(data)

    def whole(self) -> bytes:
        """Returns all parts as one."""
        return bytes(self._parts)


class Receiving(Exchange):
    """A request on a connection, and its body.

    Attributes:
        request: Its head, as fronts see it.
        fields: Its head, as the listener sees it.
        body: The reader of its body; None for no body, or when all of it was read.
        broken: Whether its body made no sense.
        collecting: Who waits for the whole body.
        closes: Whether the connection ends after the reply.
    """

    __slots__ = ("_connection", "body", "broken", "closes", "collecting", "fields", "request")

    def __init__(self, connection: Connection, request: Request, fields: Fields) -> None:
        self.request = request
        self.fields = fields
        self.body: Body | None = None
        self.broken = False
        self.closes = fields.closes
        self.collecting: Collect | None = None
        self._connection = connection
        if fields.length:
            self.body = body_of(fields.length, connection.service.limits.header_size)

    @abstractmethod
    def body_over(self) -> None:
        """Takes note that nobody waits for the body any more."""

    def collect(
        self, limit: int, then: Callable[[bytes], None], failed: Callable[[BodyError], None]
    ) -> None:
        """See Exchange. A wait of more than `body_timeout` for the next byte is a TIMEOUT."""
        if self.body is None and not self.broken:
            then(b"")
            return
        if (error := self.unreadable(limit)) is not None:
            failed(error)
            return
        if (all_there := self._connection.exactly(self.fields.length)) is not None:
            self.body = None
            if self.record is not None:
                self.record.received = len(all_there)
            then(all_there)
            return
        self.collecting = Collect(limit, then, failed)
        self.read_on()
        if self.collecting is not None:
            self._connection.await_body()

    def read_on(self) -> None:
        """Takes what has arrived of a body that is read whole, and passes it on when it is all."""
        wanted = self.collecting
        if wanted is None:
            return
        data = self.take(wanted.limit + 1 - wanted.size)
        if data:
            wanted.add(data)
        if wanted.size > wanted.limit:
            self._fail_collect(BodyError(BodyFault.TOO_LARGE, wanted.limit))
        elif self.broken:
            self._fail_collect(BodyError(BodyFault.INCOMPLETE))
        elif self.body is None:
            self.collecting = None
            self.body_over()
            wanted.then(wanted.whole())
        elif data:
            self._connection.expect_body()

    def body_late(self, seconds: float) -> None:
        """Fails the reading of a body whose next byte does not come."""
        self._fail_collect(BodyError(BodyFault.TIMEOUT, seconds))

    def _fail_collect(self, error: BodyError) -> None:
        wanted, self.collecting = self.collecting, None
        self.body_over()
        if wanted is not None:
            wanted.failed(error)

    def take(self, most: int) -> bytes:
        """Takes at most so much of what has arrived of the body; nothing, when it makes no sense.

        `body` is None afterwards if that was its end, `broken` says that it makes no sense.
        """
        body = self.body
        if body is None:
            return b""
        try:
            data = body.take(self._connection.buffer(), most)
        except BadBody:
            self.body, self.broken, self.closes = None, True, True
            self._connection.drop()
            return b""
        if body.done:
            self.body = None
        if self.record is not None:
            self.record.received += len(data)
        return data

    def unreadable(self, limit: int | None) -> BodyError | None:
        """Returns why the body can't be had, where the head or what has come already says so."""
        length = self.fields.length
        if not length:
            return None
        if is_coded(self.request.headers):
            return BodyError(BodyFault.ENCODING)
        if limit is not None and length != CHUNKED and length > limit:
            return BodyError(BodyFault.TOO_LARGE, limit)
        return BodyError(BodyFault.INCOMPLETE) if self.broken else None
