"""`google.api.HttpBody`: bodies that are not JSON, in and out (google/api/httpbody.proto).

A reply that is an HttpBody, or whose `response_body` is one, is sent as its data with its content
type; a stream of them is one body, in chunks without anything between.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from google.api import httpbody_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError

from gateway.call import RpcError
from gateway.errors import error

FULL_NAME = "google.api.HttpBody"
DEFAULT_TYPE = "application/octet-stream"

NO_GUESSES = ("x-content-type-options", "nosniff")
"""Has browsers believe the content type, whatever the data looks like (WHATWG Fetch)."""

_MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[\x20-\x7e]+")


class RawForm:
    """The data of a stream of HttpBody messages; an error cuts the connection.

    Args:
        extract: A serialized reply message to the serialized HttpBody in it.
    """

    typed_by_message = True

    def __init__(self, extract: Callable[[bytes], bytes]) -> None:
        self._extract = extract
        self.content_type = ""

    def message(self, wire: bytes) -> bytes:
        """See forms.Form."""
        content_type, data = parse(self._extract(wire))
        self.content_type = self.content_type or content_type
        return data

    def end(self) -> bytes:
        """See forms.Form."""
        self.content_type = self.content_type or DEFAULT_TYPE
        return b""

    def error(self, text: bytes, failure: RpcError) -> bytes | None:  # noqa: ARG002 - the form's
        """See forms.Form."""
        return None


def is_httpbody(field: FieldDescriptor) -> bool:
    """Whether a field holds one HttpBody."""
    kind = field.message_type
    return kind is not None and kind.full_name == FULL_NAME and not field.is_repeated


def parse(wire: bytes) -> tuple[str, bytes]:
    """Returns content type and data of a serialized HttpBody.

    Raises:
        RpcError: INTERNAL, the backend sent something else.
    """
    body = httpbody_pb2.HttpBody()
    try:
        body.ParseFromString(wire)
    except DecodeError:
        raise error("INVALID_UPSTREAM_MESSAGE", "The backend's reply is not readable.") from None
    known = _MEDIA_TYPE.fullmatch(body.content_type)
    return body.content_type if known else DEFAULT_TYPE, body.data
