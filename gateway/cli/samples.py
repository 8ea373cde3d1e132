"""Request messages with plausible values, for calls to try. Pure.

A request that reads has what it must have; one that writes has what it must have, or its first
simple fields where nothing says what it must have. Ids and names that the backend is known to have
are preferred to invented ones; what else a reply held would read oddly in another request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway.cli.known import Known, type_of
from gateway.routing.template import Template, Variable, Wildcard

_DEPTH = 4  # messages within messages
_SIMPLE = 3  # fields that are filled where none is required
_REQUIRED = field_behavior_pb2.REQUIRED
_BYTES = FieldDescriptor.TYPE_BYTES
_IDENTITIES = re.compile(r"(.*_)?(id|uid|uuid|key|name|parent)s?")  # names of fields
_LEFT_OUT = {field_behavior_pb2.OUTPUT_ONLY, field_behavior_pb2.IDENTIFIER}

# By the end of a field's name.
_TEXTS = {
    "email": "ada@example.com",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "currency": "EUR",
    "currency_code": "EUR",
    "country": "DE",
    "country_code": "DE",
    "region_code": "DE",
    "language": "en",
    "language_code": "en",
    "phone": "+49 30 1234567",
    "phone_number": "+49 30 1234567",
    "date": "2030-01-31",
    "time_zone": "Europe/Berlin",
    "id": "example",
    "key": "example",
}
_NUMBERS = {
    FieldDescriptor.CPPTYPE_FLOAT: 1.5,
    FieldDescriptor.CPPTYPE_DOUBLE: 1.5,
    FieldDescriptor.CPPTYPE_BOOL: True,
}


def _timestamp(message: Any) -> None:
    message.FromJsonString("2030-01-31T12:00:00Z")


def _duration(message: Any) -> None:
    message.FromSeconds(60)


_WELL_KNOWN: Mapping[str, Callable[[Message], None]] = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
}
# Nothing plausible can be said for these; absent they mean what the RPC does by default.
_UNSAID = {
    "google.protobuf.Any",
    "google.protobuf.Struct",
    "google.protobuf.Value",
    "google.protobuf.ListValue",
    "google.protobuf.FieldMask",
    "google.api.HttpBody",
}


class Sampler:
    """Makes requests of what is known.

    Args:
        known: What the backend has.
        subjects: The types that the request is about.
    """

    def __init__(self, known: Known, subjects: Iterable[Descriptor] = ()) -> None:
        self._known = known
        self._subjects = tuple(subjects)

    def request(
        self, descriptor: Descriptor, template: Template, *, body: str = "", writes: bool
    ) -> Message:
        """Returns a request.

        Args:
            descriptor: Its type.
            template: The path that it will be sent to: its variables are set.
            body: The field that is its body: it is filled, required or not.
            writes: Whether fields beyond the required ones are worth having.
        """
        message: Message = GetMessageClass(descriptor)()
        for variable in template.variables:
            self._set_variable(message, variable, template)
        taken = {variable.path[0] for variable in template.variables}
        self._fill(message, taken, body=body, writes=writes, depth=_DEPTH)
        return message

    def _set_variable(self, message: Message, variable: Variable, template: Template) -> None:
        parent = message
        for name in variable.path[:-1]:
            parent = getattr(parent, name)
        field = type_of(parent).fields_by_name[variable.path[-1]]
        segments = template.segments[variable.start : variable.stop]
        if field.cpp_type != FieldDescriptor.CPPTYPE_STRING or field.type == _BYTES:
            setattr(parent, field.name, self._scalar(field))
            return
        form = _form(segments)
        value = self._known.value(field, self._subjects)
        if value is None or not form.fullmatch(value):
            words = ("example" if isinstance(part, Wildcard) else part for part in segments)
            value = (self._known.matching(form) if variable.multiple else None) or "/".join(words)
        setattr(parent, field.name, value)

    def _fill(
        self, message: Message, taken: set[str], *, body: str = "", writes: bool, depth: int
    ) -> None:
        fields = [
            field
            for field in type_of(message).fields
            if field.name not in taken and not (_LEFT_OUT & _behavior(field)) and _sayable(field)
        ]
        chosen = [each for each in fields if _REQUIRED in _behavior(each) or each.name == body]
        if writes and not chosen:
            simple = [field for field in fields if _is_simple(field)]
            # A message of messages alone, such as {"point": {…}}, is filled by them.
            chosen = simple[:_SIMPLE] or [each for each in fields if not each.is_repeated][:_SIMPLE]
        oneofs: set[str] = set()
        for field in chosen:
            if field.containing_oneof is not None:
                if field.containing_oneof.name in oneofs:
                    continue
                oneofs.add(field.containing_oneof.name)
            self._set(message, field, writes=writes, depth=depth)

    def _set(self, message: Message, field: FieldDescriptor, *, writes: bool, depth: int) -> None:
        if field.message_type is None:
            value = self._scalar(field)
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
            return
        if not depth or field.message_type.GetOptions().map_entry:
            return
        part = getattr(message, field.name)
        inner = part.add() if field.is_repeated else part
        if set_well_known := _WELL_KNOWN.get(field.message_type.full_name):
            set_well_known(inner)
            return
        inner.SetInParent()
        self._fill(inner, set(), writes=writes, depth=depth - 1)

    def _scalar(self, field: FieldDescriptor) -> Any:
        if field.enum_type is not None:
            values = field.enum_type.values
            return values[min(1, len(values) - 1)].number
        if _IDENTITIES.fullmatch(field.name):
            known = self._known.value(field, self._subjects)
            if known is not None:
                return known
        if field.cpp_type != FieldDescriptor.CPPTYPE_STRING:
            return _NUMBERS.get(field.cpp_type, 1)
        if field.type == _BYTES:
            return b"example"
        return _text(field.name)


def _text(name: str) -> str:
    words = name.split("_")
    for start in range(len(words)):
        if found := _TEXTS.get("_".join(words[start:])):
            return found
    return "Example " + " ".join(words)


def _behavior(field: FieldDescriptor) -> set[int]:
    return set(field.GetOptions().Extensions[field_behavior_pb2.field_behavior])


def _sayable(field: FieldDescriptor) -> bool:
    if field.GetOptions().deprecated:
        return False
    return field.message_type is None or field.message_type.full_name not in _UNSAID


def _is_simple(field: FieldDescriptor) -> bool:
    return field.message_type is None and not field.is_repeated


def _form(segments: Iterable[str | Wildcard]) -> re.Pattern[str]:
    """Returns the form that a part of a template asks of a variable's value."""
    forms = {Wildcard.ONE: "[^/]+", Wildcard.MANY: ".*"}
    return re.compile(
        "/".join(
            forms[part] if isinstance(part, Wildcard) else re.escape(part) for part in segments
        ),
        re.DOTALL,
    )
