"""The JSON of a method's reply messages, and the error for a reply that is none."""

from __future__ import annotations

from collections.abc import Callable

from gateway.call import RpcError
from gateway.errors import error
from gateway.schema.codec import Codec, CodecError


class ReplyJson:
    """Serialized messages of a type to ProtoJSON, UTF-8, without white space.

    The type is looked up at the first message: it is slow to make, and none may ever come.
    """

    __slots__ = ("_codec", "_transcode", "_type_name")

    def __init__(self, codec: Codec, type_name: str) -> None:
        self._codec = codec
        self._type_name = type_name
        self._transcode: Callable[[bytes], bytes] | None = None

    def __call__(self, wire: bytes) -> bytes:
        """Returns the JSON of a message.

        Raises:
            RpcError: INVALID_UPSTREAM_MESSAGE: the bytes are no such message.
        """
        transcode = self._transcode
        try:
            if transcode is None:
                transcode = self._transcode = self._codec.message(self._type_name).transcode
            return transcode(wire)
        except CodecError:
            raise unreadable() from None


def unreadable() -> RpcError:
    """Returns the error for a backend's reply that is no message of its type."""
    return error("INVALID_UPSTREAM_MESSAGE", "The backend's reply is not readable.")
