"""What protos declare of messages and fields beyond their types, read from their options.

`buf.validate` rules, `google.api.field_behavior`, `google.api.resource`. Options come as messages
of the global pool, which may not know these extensions: they are read again as messages of the pool
that declares them. Where a pool does not, nobody can have written any.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from google.protobuf.descriptor import (
    Descriptor,
    DescriptorBase,
    FieldDescriptor,
    OneofDescriptor,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

Rules: TypeAlias = Any
"""A message of `buf.validate`, of a pool that is only known at run time."""

REQUIRED: Final = 2  # google.api.FieldBehavior
OUTPUT_ONLY: Final = 3
INPUT_ONLY: Final = 4

_IGNORE_ALWAYS: Final = 3  # buf.validate.Ignore
_RULES_OF: Final[tuple[tuple[type[DescriptorBase], str, str], ...]] = (
    (Descriptor, "google.protobuf.MessageOptions", "buf.validate.message"),
    (FieldDescriptor, "google.protobuf.FieldOptions", "buf.validate.field"),
    (OneofDescriptor, "google.protobuf.OneofOptions", "buf.validate.oneof"),
)
_BEHAVIOR: Final = ("google.protobuf.FieldOptions", "google.api.field_behavior")
_RESOURCE: Final = ("google.protobuf.MessageOptions", "google.api.resource")


class Declared:
    """The options of a pool's types, each read once.

    Args:
        pool: Knows the types.
    """

    def __init__(self, pool: DescriptorPool) -> None:
        self._pool = pool
        self._behaviors: dict[str, frozenset[int]] = {}
        self._rules: dict[tuple[type, str], Rules | None] = {}

    @property
    def has_rules(self) -> bool:
        """Whether the pool knows rules of `buf.validate`; else nobody can have written any."""
        try:
            self._pool.FindExtensionByName(_RULES_OF[1][2])
        except KeyError:
            return False
        return True

    def rules(self, of: Descriptor | FieldDescriptor | OneofDescriptor) -> Rules | None:
        """Returns the rules of `buf.validate` on a declaration; None for none that count."""
        kind = type(of)
        known = self._rules.get((kind, of.full_name), ...)
        if known is ...:
            options, extension = next(
                (options, name) for of_kind, options, name in _RULES_OF if isinstance(of, of_kind)
            )
            known = self._read(of, options, extension)
            if known is not None and getattr(known, "ignore", 0) == _IGNORE_ALWAYS:
                known = None
            self._rules[kind, of.full_name] = known
        return known

    def behavior(self, field: FieldDescriptor) -> frozenset[int]:
        """Returns the numbers of a field's `google.api.FieldBehavior`."""
        known = self._behaviors.get(field.full_name)
        if known is None:
            known = frozenset(self._read(field, *_BEHAVIOR) or ())
            self._behaviors[field.full_name] = known
        return known

    def patterns(self, message: Descriptor) -> tuple[str, ...]:
        """Returns the patterns of a resource's names, `shelves/{shelf}/books/{book}` (AIP-123)."""
        resource = self._read(message, *_RESOURCE)
        return () if resource is None else tuple(each for each in resource.pattern if each != "*")

    def has_expressions(self, of: Descriptor | FieldDescriptor) -> bool:
        """Whether a declaration has rules in CEL, which nobody can solve."""
        rules = self.rules(of)
        return rules is not None and bool(rules.cel or rules.cel_expression)

    def _read(self, of: DescriptorBase, options: str, extension: str) -> Any:
        if not of.has_options:
            return None
        try:
            kind = GetMessageClass(self._pool.FindMessageTypeByName(options))
            known = self._pool.FindExtensionByName(extension)
        except KeyError:
            return None
        said: Any = kind.FromString(of.GetOptions().SerializeToString())
        if known.is_repeated:
            return said.Extensions[known]
        return said.Extensions[known] if said.HasExtension(known) else None
