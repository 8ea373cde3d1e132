"""What a framing is: how frames are written, and what users' messages are.

The subprotocol that was agreed on names it. Both framings mean the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from gateway.client.frames import ClientFrame, ServerFrame

Reader: TypeAlias = "Callable[[Any], Any]"
"""Makes of a received body what the user is given."""


class Framing(Protocol):
    """One way to write frames."""

    @property
    def subprotocol(self) -> str:
        """Its name in the handshake."""

    @property
    def text(self) -> bool:
        """Whether a frame is a text message."""

    @property
    def implied(self) -> bool:
        """Whether it holds where no subprotocol was agreed on."""

    def encode(self, frame: ClientFrame) -> bytes:
        """Returns a frame as the payload of a WebSocket message."""

    def decode(self, data: str | bytes) -> ServerFrame | None:
        """Reads the payload of a WebSocket message; None is a frame of an unknown kind.

        Raises:
            ProtocolError: It is no frame.
        """

    def body(self, message: Any) -> bytes:
        """Serializes a user's message.

        Raises:
            TypeError: It is of a type that this framing doesn't take.
            ValueError: It can't be written.
        """

    def reader(self, reply: Any) -> Reader:
        """Returns what reads replies, for what the user said that they are (None: nothing).

        Raises:
            TypeError: That says nothing to this framing.
        """
