"""A value in a request, found by a path such as `order.customer.id`: through messages by dots.

The path is looked at once, when a policy is made; a request is decoded when its value is asked for.
What is made of the value is the policy's.
"""

from __future__ import annotations

from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

_SCALARS: Final = "a number, text, bytes, bool or enum that is not repeated"


class FieldError(ValueError):
    """A path that leads to nothing that can be used. The message says why."""


class RequestField:
    """A field of a method's requests, or of a message in them, that has one value.

    Args:
        path: Names of fields as in the proto, joined by dots.
        request: The type of the requests.

    Raises:
        FieldError: A field is not there, or has no single value.
    """

    __slots__ = ("_default", "_is_bytes", "_names", "_read")

    def __init__(self, path: str, request: Descriptor) -> None:
        self._names, field = _checked(path, request)
        self._is_bytes = field.type == FieldDescriptor.TYPE_BYTES
        self._default = self._text(field.default_value)
        self._read = GetMessageClass(request).FromString

    def of(self, request: bytes) -> str | None:
        """Returns the value as text, the default where it is not set; None of what is no request.

        Args:
            request: The serialized request.
        """
        try:
            value: object = self._read(request)
        except DecodeError:
            return None
        for name in self._names:
            value = getattr(value, name)
        assert not isinstance(value, Message), "the path leads to a value"
        return self._text(value)

    def set_in(self, request: bytes) -> str | None:
        """Returns the value as `of` does; None for the default, too, which says nothing."""
        value = self.of(request)
        return None if value == self._default else value

    def _text(self, value: object) -> str:
        return value.hex() if self._is_bytes and isinstance(value, bytes) else str(value)


def _checked(path: str, request: Descriptor) -> tuple[tuple[str, ...], FieldDescriptor]:
    """Returns the names on the path to a value, and its field.

    Raises:
        FieldError: It leads to none.
    """
    names = tuple(path.split("."))
    message: Descriptor | None = request
    field: FieldDescriptor | None = None
    for name in names:
        if message is None or (field := message.fields_by_name.get(name)) is None:
            owner = "a value" if message is None else message.full_name
            raise FieldError(f"{owner} has no field {name}")
        if field.is_repeated:
            raise FieldError(f"{name} is repeated; expected {_SCALARS}")
        message = field.message_type
    if message is not None or field is None:
        raise FieldError(f"{names[-1]} is a message; expected {_SCALARS}")
    return names, field
