"""The parameters of one query or form, read: what each sets, checked against each other.

A field is set once, unless it is repeated; a oneof has one member. What the path and the body set
is known to `parameters` and `binding`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from gateway.routing.fields import Path
from gateway.routing.parameters import Oneof, Parameter, Parameters, fault
from gateway.routing.query import Pair
from gateway.schema.codec import Message


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter with its value.

    Attributes:
        name: As the client wrote it.
        parameter: The field it sets.
        value: What to set, add, or put into the map.
        key: The key in the map, None for other fields.
        empty: Whether the value's text is empty.
    """

    name: str
    parameter: Parameter
    value: object
    key: object
    empty: bool

    def differs(self, message: Message) -> bool:
        """Whether a message has something else in the field; of a repeated one, anything."""
        field = self.parameter.field
        if not field.present(message):
            return False
        value = field.get(message)
        if self.key is not None:
            entries = cast("dict[object, object]", value)
            return entries.get(self.key, self.value) != self.value
        return self.parameter.repeated or value != self.value

    def apply(self, message: Message) -> None:
        """Sets the field in a message."""
        field = self.parameter.field
        if self.key is not None:
            field.put(message, self.key, self.value)
        elif self.parameter.repeated:
            field.append(message, self.value)
        else:
            field.set(message, self.value)


def read(
    pairs: Iterable[Pair],
    parameters: Parameters,
    ignored: Callable[[str], bool],
    members: Mapping[Path, str],
) -> tuple[Setting, ...]:
    """Reads a query's or form's parameters.

    Args:
        pairs: Their names and values.
        parameters: What names mean.
        ignored: Whether a name that means nothing is let pass.
        members: The members of oneofs that the path sets, by the oneof's path.

    Raises:
        RpcError: UNKNOWN_QUERY_PARAMETER, INVALID_QUERY or CONFLICTING_FIELD, naming the parameter.
    """
    settings = []
    seen: set[tuple[Path, object]] = set()
    chosen = dict(members)
    for name, text in pairs:
        path, bracket, key_text = _cut(name)
        parameter = parameters.find(path, name)
        if parameter is None:
            if ignored(name):
                continue
            raise parameters.unknown(name)
        if bracket and parameter.key is None:
            raise fault("INVALID_QUERY", name, "is not a map; only maps take [key]")
        if parameter.key is not None and not bracket:
            raise fault("INVALID_QUERY", name, f'is a map; write "{path}[key]"')
        key = None if parameter.key is None else _parsed(parameter.key, key_text, name, "a key of ")
        if not parameter.repeated:
            if (parameter.path, key) in seen:
                raise fault("INVALID_QUERY", name, "is given twice; its field holds one value")
            seen.add((parameter.path, key))
        for oneof in parameter.oneofs:
            _choose(oneof, parameter.path, chosen, name)
        value = _parsed(parameter.parse, text, name, "")
        settings.append(Setting(name, parameter, value, key, empty=not text))
    return tuple(settings)


def _cut(name: str) -> tuple[str, bool, str]:
    """Returns the field's part of a name, whether it has a key in brackets, and the key."""
    if not name.endswith("]"):
        return name, False, ""
    path, bracket, rest = name.partition("[")
    return (path, True, rest[:-1]) if bracket else (name, False, "")


def _parsed(parse: Callable[[str], object], text: str, name: str, what: str) -> object:
    try:
        return parse(text)
    except ValueError as problem:
        raise fault("INVALID_QUERY", name, f"must be {what}{problem}") from None


def _choose(oneof: Oneof, path: Path, chosen: dict[Path, str], name: str) -> None:
    member = path[len(oneof.path) - 1]
    if chosen.setdefault(oneof.path, member) != member:
        raise fault(
            "CONFLICTING_FIELD", name, f'and another field given are both of "{oneof.path[-1]}"'
        )
