"""The forms of a server stream: what goes before, between and after its messages. Pure.

rest.md's promise in code: an error after the first message is told in the body where the form has a
place for it; a JSON array has none, so there the connection is cut and a part can't pass for the
whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from gateway.call import Code, RpcError
from gateway.fronts.rest.media import JSON, NDJSON, SSE
from gateway.http import sse

END_ID = "end"
"""The id of a stream's last event; a client that comes back with it gets 204."""

_WORTH_A_RETRY = frozenset(
    {Code.UNAVAILABLE, Code.ABORTED, Code.RESOURCE_EXHAUSTED, Code.DEADLINE_EXCEEDED}
)


Render: TypeAlias = Callable[[bytes], bytes]
"""A serialized reply message to its JSON. Raises RpcError for what is none."""


class Form(Protocol):
    """One way to write a stream of messages.

    Attributes:
        content_type: The body's media type.
        typed_by_message: The type is known only with the first message, so the head waits for it.
    """

    content_type: str
    typed_by_message: bool

    def message(self, wire: bytes) -> bytes:
        """Returns the bytes of one serialized message."""

    def end(self) -> bytes:
        """Returns the bytes that end a stream well."""

    def error(self, text: bytes, failure: RpcError) -> bytes | None:
        """Returns the bytes that end a stream with an error; None to cut the connection."""


class NdjsonForm:
    """A line a message; an error is a last line `{"error": …}`."""

    content_type = NDJSON
    typed_by_message = False

    def __init__(self, render: Render) -> None:
        self._render = render

    def message(self, wire: bytes) -> bytes:
        """See Form."""
        return self._render(wire) + b"\n"

    def end(self) -> bytes:
        """See Form."""
        return b""

    def error(self, text: bytes, failure: RpcError) -> bytes | None:  # noqa: ARG002 - the form's
        """See Form."""
        return text + b"\n"


class SseForm:
    """An event a message, with running ids; a last `event: end`, or an `event: error`.

    A browser's EventSource comes back after any end. The last event's id tells the next request
    that there is nothing more; after an error that another try may mend, the id stays the last
    message's, and the browser's next try makes the call again.
    """

    content_type = SSE
    typed_by_message = False

    def __init__(self, render: Render) -> None:
        self._render = render
        self._sent = 0

    def message(self, wire: bytes) -> bytes:
        """See Form."""
        text = self._render(wire)
        self._sent += 1
        return sse.event(text.decode(), identity=str(self._sent))

    def end(self) -> bytes:
        """See Form."""
        return sse.event("{}", name="end", identity=END_ID)

    def error(self, text: bytes, failure: RpcError) -> bytes | None:
        """See Form."""
        again = failure.status.code in _WORTH_A_RETRY
        return sse.event(text.decode(), name="error", identity=None if again else END_ID)


class ArrayForm:
    """One JSON array; an error cuts the connection."""

    content_type = JSON
    typed_by_message = False

    def __init__(self, render: Render) -> None:
        self._render = render
        self._begun = False

    def message(self, wire: bytes) -> bytes:
        """See Form."""
        text = self._render(wire)
        before = b",\n" if self._begun else b"["
        self._begun = True
        return before + text

    def end(self) -> bytes:
        """See Form."""
        return b"]" if self._begun else b"[]"

    def error(self, text: bytes, failure: RpcError) -> bytes | None:  # noqa: ARG002 - the form's
        """See Form."""
        return None


FORMS: Mapping[str, Callable[[Render], Form]] = {
    NDJSON: NdjsonForm,
    SSE: SseForm,
    JSON: ArrayForm,
}
"""By media type, as `media.stream_form` chooses."""
