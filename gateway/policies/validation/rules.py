"""What rules a request type has, and those it reaches: read from the options of descriptors.

Only whether there are any, and what there is that takes long, is read here; what rules mean is the
library's. Options come as the global pool's messages, which may not know the extensions of
`buf.validate`: they are read again as messages of the pool that declares them. Where a pool does
not, nobody can have written a rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeAlias

from google.protobuf.descriptor import (
    Descriptor,
    DescriptorBase,
    FieldDescriptor,
    OneofDescriptor,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway.policies.validation.limits import (
    STANDARD,
    WITH_ANY,
    WITH_CEL,
    WITH_LISTS,
    WITH_MAPS,
    Most,
)
from gateway.schema.codec.traits import is_map_entry, reached

_ANY: Final = "google.protobuf.Any"
_BUILDS_LISTS: Final = re.compile(r"\b(?:map|filter|transform\w+)\s*\(")
_OF: Final[tuple[tuple[type[DescriptorBase], str, str], ...]] = (
    (Descriptor, "google.protobuf.MessageOptions", "buf.validate.message"),
    (FieldDescriptor, "google.protobuf.FieldOptions", "buf.validate.field"),
    (OneofDescriptor, "google.protobuf.OneofOptions", "buf.validate.oneof"),
)
_PREDEFINED: Final = "buf.validate.predefined"


Declaration: TypeAlias = Descriptor | FieldDescriptor | OneofDescriptor


class Rule(NamedTuple):
    """The rules of one declaration.

    Attributes:
        of: The message, field or oneof that they are of.
        expressions: Those in CEL.
        texts: Every text in them: expressions, ids, patterns.
    """

    of: Declaration
    expressions: tuple[str, ...]
    texts: tuple[str, ...]


class Reached(NamedTuple):
    """The rules of a request type and all that it reaches.

    Attributes:
        types: The message types that have rules of their own.
        most: What a request may have within it.
    """

    types: tuple[Descriptor, ...]
    most: Most


class Rules:
    """The rules of a pool's types, each read once.

    Args:
        pool: Knows the types.
    """

    def __init__(self, pool: DescriptorPool) -> None:
        self._pool = pool
        self._known: dict[str, tuple[Rule, ...]] = {}
        try:
            self._extensions = {
                kind: (
                    GetMessageClass(pool.FindMessageTypeByName(options)),
                    pool.FindExtensionByName(extension),
                )
                for kind, options, extension in _OF
            }
        except KeyError:
            self._extensions = {}

    def of(self, message: Descriptor) -> tuple[Rule, ...]:
        """Returns the rules that a message type itself declares."""
        known = self._known.get(message.full_name)
        if known is None:
            declarations: tuple[Declaration, ...] = (message, *message.oneofs, *message.fields)
            known = tuple(found for each in declarations if (found := self._rule(each)) is not None)
            self._known[message.full_name] = known
        return known

    def reached(self, message: Descriptor) -> Reached:
        """Returns the rules of a message type and of all that its fields reach."""
        found = list(reached(message))
        types = tuple(each for each in found if self.of(each))
        texts = [text for each in types for rule in self.of(each) for text in rule.expressions]
        if not texts:
            most = WITH_MAPS if any(map(is_map_entry, found)) else STANDARD
        elif any(each.full_name == _ANY for each in found):
            most = WITH_ANY
        else:
            most = WITH_LISTS if any(map(_BUILDS_LISTS.search, texts)) else WITH_CEL
        return Reached(types, most)

    def _rule(self, declaration: Declaration) -> Rule | None:
        if not self._extensions or not declaration.has_options:
            return None
        options, extension = next(
            self._extensions[kind] for kind in self._extensions if isinstance(declaration, kind)
        )
        said: Any = options.FromString(declaration.GetOptions().SerializeToString())
        if not said.HasExtension(extension):
            return None
        rules = said.Extensions[extension]
        return Rule(declaration, tuple(self._expressions(rules)), tuple(_texts(rules)))

    def _expressions(self, rules: Message) -> Iterator[str]:
        """Yields what of rules is written in CEL."""
        for field, value in rules.ListFields():
            if field.name == "cel":
                yield from (each.expression for each in value)
            elif field.name == "cel_expression":
                yield from value
            elif field.is_extension:
                yield from self._predefined(field)
            elif field.message_type is not None and not field.is_repeated:
                yield from self._expressions(value)

    def _predefined(self, field: FieldDescriptor) -> Iterator[str]:
        """Yields the CEL of a rule that users declared by an extension of the standard ones."""
        options, _ = self._extensions[FieldDescriptor]
        said: Any = options.FromString(field.GetOptions().SerializeToString())
        yield from self._expressions(said.Extensions[self._pool.FindExtensionByName(_PREDEFINED)])


def _texts(rules: Message) -> Iterator[str]:
    for field, value in rules.ListFields():
        for each in value if field.is_repeated else (value,):
            if isinstance(each, Message):
                yield from _texts(each)
            elif isinstance(each, str):
                yield each
