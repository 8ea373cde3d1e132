"""Tags: names that replies are kept under beside their keys, so that all of a name can be purged.

A policy gives templates over fields of the request: `product:{id}`, `shelf:{filter.shelf}`. A field
is named as in its proto, through messages by dots; one that is not set is empty. The last may be
repeated: each of its values makes a tag. A backend gives tags by the metadata `x-cache-tags`,
separated by spaces or commas.

A reply that could not be purged by all of its tags is not kept: where there are too many, or one is
too long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple, TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway.call import Metadata

MOST: Final = 128
"""Tags of one reply."""

LONGEST: Final = 256
"""Characters of one tag."""

KEY: Final = "x-cache-tags"

_FIELD: Final = re.compile(r"\{([^{}]*)\}")
_SEPARATORS: Final = re.compile(r"[\s,]+")
_TEXTS: Final = frozenset({
    FieldDescriptor.CPPTYPE_STRING, FieldDescriptor.CPPTYPE_BOOL, FieldDescriptor.CPPTYPE_ENUM,
    FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64,
})  # fmt: skip

Read: TypeAlias = "Callable[[Any], Sequence[str]]"
"""Returns the texts of a field of a request."""


class TagError(Exception):
    """A template can't be used; the text says why."""


class _Template(NamedTuple):
    """A template: the texts around its fields, one more than fields."""

    texts: tuple[str, ...]
    fields: tuple[Read, ...]

    def of(self, request: Any) -> Iterable[str]:
        made = [self.texts[0]]
        for read, text in zip(self.fields, self.texts[1:], strict=True):
            values = read(request)
            # As many as could be kept, and one more, by which it is known that they can't.
            every = (f"{before}{value}{text}" for before in made for value in values)
            made = [*islice(every, MOST + 1)]
        return made


class Tags:
    """The tags of a method's replies.

    Args:
        templates: Those of its policy.
        request: The type of its requests.

    Raises:
        TagError: A template is wrong.
    """

    __slots__ = ("_fixed", "_request", "_templates")

    def __init__(self, templates: Sequence[str], request: Descriptor) -> None:
        made = [_template(each, request) for each in templates]
        self._fixed = [each.texts[0] for each in made if not each.fields]
        self._templates = [each for each in made if each.fields]
        self._request: type[Message] | None = GetMessageClass(request) if self._templates else None

    def of(self, request: bytes, *metadata: Metadata) -> tuple[str, ...] | None:
        """Returns the tags of a reply, each once; None where it can't have them all.

        Args:
            request: What was asked, serialized.
            metadata: What the backend sent.
        """
        found = dict.fromkeys(self._fixed)
        if self._request is not None:
            try:
                message = self._request.FromString(request)
            except DecodeError:
                return None
            for template in self._templates:
                found.update(dict.fromkeys(template.of(message)))
        for each in metadata:
            for name, value in each:
                if name == KEY and isinstance(value, str):
                    # Splitting ends where there are too many.
                    parts = _SEPARATORS.split(value, MOST + 2)
                    found.update(dict.fromkeys(filter(None, parts)))
        if len(found) > MOST or any(len(tag) > LONGEST for tag in found):
            return None
        return tuple(found)


def _template(text: str, request: Descriptor) -> _Template:
    parts = _FIELD.split(text)
    texts = tuple(parts[::2])
    if not text or any("{" in each or "}" in each for each in texts):
        raise TagError(f'"{text}" is no template; expected text and {{field}}')
    fields = [_field(path, request) for path in parts[1::2]]
    return _Template(texts, tuple(fields))


def _field(path: str, request: Descriptor) -> Read:
    if not all(path.split(".")):
        raise TagError(f"{{{path}}} names no field; expected one such as {{id}} or {{order.id}}")
    *outer, last = path.split(".")
    of = request
    for name in outer:
        inner = _named(of, name, path)
        if inner.message_type is None or inner.is_repeated:
            raise TagError(f"{{{path}}}: {name} is no message")
        of = inner.message_type
    field = _named(of, last, path)
    if field.cpp_type not in _TEXTS or field.type == FieldDescriptor.TYPE_BYTES:
        raise TagError(f"{{{path}}}: {last} is no text, whole number, boolean or enum")
    write = _writer(field)
    repeated = field.is_repeated

    def read(message: Any) -> Sequence[str]:
        for name in outer:
            message = getattr(message, name)
        value = getattr(message, last)
        return [write(each) for each in value] if repeated else (write(value),)

    return read


def _named(of: Descriptor, name: str, path: str) -> FieldDescriptor:
    field = of.fields_by_name.get(name)
    if field is None:
        raise TagError(f"{{{path}}}: {of.full_name} has no field {name}")
    return field


def _writer(field: FieldDescriptor) -> Callable[[Any], str]:
    """Returns what writes a value as JSON has it, less the quotes."""
    if field.enum_type is not None:
        names = {number: each.name for number, each in field.enum_type.values_by_number.items()}
        return lambda value: names.get(value, str(value))
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return lambda value: "true" if value else "false"
    return str
