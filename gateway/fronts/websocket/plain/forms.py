"""The two forms of a plain socket's frames: JSON as text, and serialized messages as binary.

A form reads what a client sends into the bytes of one message, and writes replies and errors. What
the bytes mean to a rule is the binder's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Protocol

from gateway.call import RpcError
from gateway.errors import error
from gateway.fronts.error_details import AnyToJson
from gateway.fronts.reply_json import ReplyJson
from gateway.fronts.websocket.plain.ending import error_json, error_status
from gateway.http import WebSocket
from gateway.http.websocket import Message
from gateway.routing.binding import Bound

# RFC 8259 section 2. What sends lines sends their ends too.
_BLANK = re.compile(r"[ \t\r\n]*", re.ASCII)


class Form(Protocol):
    """How frames are written."""

    def content(self, frame: Message) -> bytes | None:
        """Returns what is in a client's frame; None for the word that there are no more.

        Raises:
            RpcError: UNSUPPORTED_CONTENT_TYPE: it is a frame of the other form.
        """

    def request(self, bound: Bound, content: bytes) -> bytes:
        """Returns the serialized request message that a frame's content makes.

        Raises:
            RpcError: As of `Bound`.
        """

    def send(self, socket: WebSocket, message: bytes, json: ReplyJson) -> None:
        """Sends a serialized reply message.

        Raises:
            RpcError: INVALID_UPSTREAM_MESSAGE: it is none.
        """

    def fail(
        self, socket: WebSocket, failure: RpcError, request_id: str, any_to_json: AnyToJson
    ) -> None:
        """Sends the last frame of a call that failed."""


class JsonForm:
    """Text frames of JSON."""

    def content(self, frame: Message) -> bytes | None:
        """See Form."""
        if isinstance(frame, bytes):
            raise error(
                "UNSUPPORTED_CONTENT_TYPE",
                f"Binary frames are of the subprotocol {PROTO}; here messages are JSON, as text.",
            )
        return None if _BLANK.fullmatch(frame) else frame.encode()

    def request(self, bound: Bound, content: bytes) -> bytes:
        """See Form."""
        return bound.message(content)

    def send(self, socket: WebSocket, message: bytes, json: ReplyJson) -> None:
        """See Form."""
        socket.send_text(json(message))

    def fail(
        self, socket: WebSocket, failure: RpcError, request_id: str, any_to_json: AnyToJson
    ) -> None:
        """See Form."""
        socket.send_text(error_json(failure, request_id, any_to_json))


class ProtoForm:
    """Binary frames of serialized messages."""

    def content(self, frame: Message) -> bytes | None:
        """See Form."""
        if isinstance(frame, bytes):
            return frame
        if not frame:
            return None
        raise error(
            "UNSUPPORTED_CONTENT_TYPE",
            f"With the subprotocol {PROTO} a message is a binary frame; text is of {JSON}.",
        )

    def request(self, bound: Bound, content: bytes) -> bytes:
        """See Form."""
        return bound.wire(content)

    def send(self, socket: WebSocket, message: bytes, json: ReplyJson) -> None:  # noqa: ARG002  Form's
        """See Form."""
        socket.send_binary(message)

    def fail(
        self,
        socket: WebSocket,
        failure: RpcError,
        request_id: str,
        any_to_json: AnyToJson,  # noqa: ARG002  Form's
    ) -> None:
        """See Form."""
        socket.send_binary(error_status(failure, request_id))


JSON: Final = "grpcws.plain.json"
PROTO: Final = "grpcws.plain.proto"

FORMS: Final[Mapping[str, Form]] = {JSON: JsonForm(), PROTO: ProtoForm()}
"""The forms by their subprotocols."""
