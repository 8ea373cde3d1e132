"""The request side of a streaming call: an HTTP body as a series of request messages.

Each source answers `receive` with the next serialized message, or None at the end. It reads the
body only when asked, so a slow backend slows the client.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from gateway.call import RpcError
from gateway.fronts.http_errors import body_error, stream_idle
from gateway.fronts.numbered import of_message
from gateway.fronts.rest.media import BodyForm
from gateway.fronts.rest.split import JsonSplitter, LineSplitter, Splitter
from gateway.http import BodyError, BodyFault


class Requests(Protocol):
    """Where a call's request messages come from."""

    async def receive(self) -> bytes | None:
        """Returns the next serialized request message; None when there are no more.

        Raises:
            RpcError: The body can't be had, or holds something that is no message.
        """


class One:
    """A single message, made already: of a rule without a body, and of server streaming."""

    def __init__(self, message: bytes) -> None:
        self._message: bytes | None = message

    async def receive(self) -> bytes | None:
        """See Requests."""
        message, self._message = self._message, None
        return message


class JsonStream:
    """The JSON texts of a body, each made a message."""

    def __init__(
        self, chunks: AsyncIterator[bytes], splitter: Splitter, bind: Callable[[bytes], bytes]
    ) -> None:
        self._chunks = chunks
        self._splitter = splitter
        self._bind = bind
        self._texts: deque[bytes] = deque()
        self._ended = False
        self._number = 0

    async def receive(self) -> bytes | None:
        """See Requests."""
        while not self._texts:
            if self._ended:
                return None
            data = await _next(self._chunks)
            if data is None:
                self._ended = True
                self._texts.extend(self._splitter.finish())
            else:
                self._texts.extend(self._splitter.feed(data))
        self._number += 1
        try:
            return self._bind(self._texts.popleft())
        except RpcError as failure:
            raise of_message(self._number, failure) from None


class RawStream:
    """The chunks of a body, each as the data of a `google.api.HttpBody`.

    An empty body is one empty chunk, so that the backend sees what path and query said.
    """

    def __init__(self, chunks: AsyncIterator[bytes], bind: Callable[[bytes], bytes]) -> None:
        self._chunks = chunks
        self._bind = bind
        self._any = False

    async def receive(self) -> bytes | None:
        """See Requests."""
        data = await _next(self._chunks)
        if data is None:
            if self._any:
                return None
            data = b""
        self._any = True
        return self._bind(data)


def splitter(form: BodyForm, limit: int) -> Splitter:
    """Returns the splitter for a body of this form, with at most `limit` bytes a message."""
    return LineSplitter(limit) if form is BodyForm.NDJSON else JsonSplitter(limit)


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    try:
        return await anext(chunks, None)
    except BodyError as failure:
        if failure.fault is BodyFault.TIMEOUT:
            # The listener gives up on a stream's body only when nothing passed either way.
            raise stream_idle() from None
        raise body_error(failure) from None
