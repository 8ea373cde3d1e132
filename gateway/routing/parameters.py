"""What the name of a query parameter means: the field of the request that it sets, and how.

A name is the path of a field, dots between JSON or proto names (google/api/http.proto). A map's
entry is `labels[key]`. Names that a client has used are kept, as long as there are not too many:
recursive messages have endless paths. Which of them a request may use together is for `binding`.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.call import RpcError
from gateway.errors import Violation, error
from gateway.routing.fields import Path, along, map_entry
from gateway.routing.values import Parse, has_text, parser
from gateway.schema.codec import Codec, FieldCodec

MAX_DEPTH = 32
"""How many names the path of a parameter may have."""

_MAX_KNOWN = 1000
_MAX_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Oneof:
    """A member of a oneof: which oneof, and the other members' fields."""

    path: Path
    others: tuple[FieldCodec, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field that a parameter sets.

    Attributes:
        path: The field's path in the request message.
        field: Its accessor.
        parse: From the text to the field's value, to an element of a repeated field, to the value
            of a map's entry.
        key: From the text in brackets to the key of a map's entry; None for other fields.
        oneofs: The oneofs that the field, or a message around it, is a member of.
    """

    path: Path
    field: FieldCodec
    parse: Parse
    key: Parse | None
    oneofs: tuple[Oneof, ...]

    @property
    def repeated(self) -> bool:
        """Whether it may be given more than once."""
        return self.field.descriptor.is_repeated and self.key is None


def shown(name: str) -> str:
    """Returns a client's name for a field as an error may repeat it."""
    return name if len(name) <= _MAX_SHOWN else name[:_MAX_SHOWN] + "…"


def fault(reason: str, name: str, problem: str) -> RpcError:
    """Makes the error for a parameter or variable, which is named as the client wrote it."""
    return error(
        reason, f'"{shown(name)}" {problem}.', violations=[Violation(shown(name), problem)]
    )


class Parameters:
    """The parameters of one message type, or of one field's message within it.

    Args:
        codec: Makes the accessors.
        message: The request's type.
        inside: The path of the field that names are relative to; empty for the message itself.
        bound: The paths of fields that may not be named, nor what is in them or around them, and
            by what they are bound, `path` or `body`.
    """

    def __init__(
        self, codec: Codec, message: Descriptor, inside: Path, bound: Sequence[tuple[Path, str]]
    ) -> None:
        self._codec = codec
        self._message = message
        self._inside = inside
        self._root = message
        for field in along(message, inside):
            assert field.message_type is not None  # names are relative to a message
            self._root = field.message_type
        self._bound = bound
        self._known: dict[str, Parameter] = {}
        self._names: dict[str, dict[str, FieldDescriptor]] = {}

    def find(self, path: str, name: str) -> Parameter | None:
        """Returns what a name means, None where there is no such field.

        Args:
            path: The name without a map's key.
            name: The name as the client wrote it, for errors.

        Raises:
            RpcError: CONFLICTING_FIELD: the path or the body binds it, or something in it or around
                it. INVALID_QUERY: it is a field that a parameter can't set.
        """
        known = self._known.get(path)
        if known is None:
            known = self._resolve(path.split(".", MAX_DEPTH), name)
            if known is not None and len(self._known) < _MAX_KNOWN:
                self._known[path] = known
        return known

    def unknown(self, name: str) -> RpcError:
        """Makes the error for a name that `find` does not know."""
        near: list[str] = []
        # Comparing costs the product of the lengths, and the client chose one of them.
        if len(name) <= _MAX_SHOWN:
            known = self._names_of(self._root)
            near = difflib.get_close_matches(name, known, n=1)
        return fault(
            "UNKNOWN_QUERY_PARAMETER",
            name,
            f'is unknown; perhaps "{near[0]}" is meant' if near else "is unknown",
        )

    def _resolve(self, spelled: list[str], name: str) -> Parameter | None:
        if len(spelled) > MAX_DEPTH:
            raise fault("INVALID_QUERY", name, f"is nested more than {MAX_DEPTH} levels deep")
        path = self._inside
        inside: Descriptor | None = self._root
        field: FieldDescriptor | None = None
        for left, part in zip(range(len(spelled) - 1, -1, -1), spelled, strict=True):
            if inside is None or (field := self._names_of(inside).get(part)) is None:
                return None
            path = (*path, field.name)
            self._refuse_bound(path, name, last=not left)
            inside = _entered(field, name) if left else None
        assert field is not None  # a split has one part at least
        return self._parameter(path, field, name)

    def _names_of(self, message: Descriptor) -> dict[str, FieldDescriptor]:
        names = self._names.get(message.full_name)
        if names is None:
            names = {field.json_name: field for field in message.fields}
            names |= {field.name: field for field in message.fields}
            self._names[message.full_name] = names
        return names

    def _refuse_bound(self, path: Path, name: str, *, last: bool) -> None:
        for bound, by in self._bound:
            if path == bound or (last and bound[: len(path)] == path):
                raise fault("CONFLICTING_FIELD", name, f"names a field that the {by} binds")

    def _parameter(self, path: Path, field: FieldDescriptor, name: str) -> Parameter:
        value = field
        key = None
        if (entry := map_entry(field)) is not None:
            value = entry.fields_by_name["value"]
            key = parser(entry.fields_by_name["key"], self._codec)
        elif field.is_repeated and field.message_type is not None:
            raise fault("INVALID_QUERY", name, "is a list of messages, which no parameter can set")
        if value.message_type is not None and not has_text(value.message_type.full_name):
            problem = (
                "is a message; name a field in it, with a dot between"
                if key is None
                else "is a map of messages, which no parameter can set"
            )
            raise fault("INVALID_QUERY", name, problem)
        message = self._codec.message(self._message.full_name)
        return Parameter(
            path,
            message.field(path),
            parser(value, self._codec),
            key,
            oneofs(self._codec, self._message, path),
        )


def oneofs(codec: Codec, message: Descriptor, path: Path) -> tuple[Oneof, ...]:
    """Returns the oneofs that the field at a path, or a message around it, is a member of."""
    found = []
    accessors = codec.message(message.full_name)
    for depth, field in enumerate(along(message, path)):
        oneof = field.containing_oneof
        # The oneof of a proto3 `optional` field has no other member.
        if oneof is not None and len(oneof.fields) > 1:
            others = (other.name for other in oneof.fields if other.name != field.name)
            found.append(
                Oneof(
                    (*path[:depth], oneof.name),
                    tuple(accessors.field((*path[:depth], other)) for other in others),
                )
            )
    return tuple(found)


def _entered(field: FieldDescriptor, name: str) -> Descriptor | None:
    """Returns the message that the next name is looked up in, None where there is none."""
    if field.message_type is None or has_text(field.message_type.full_name):
        return None
    if map_entry(field) is not None:
        raise fault("INVALID_QUERY", name, f'is within a map; write "{field.name}[key]"')
    if field.is_repeated:
        raise fault("INVALID_QUERY", name, "is within a list, which no parameter can set")
    return field.message_type
