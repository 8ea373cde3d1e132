"""What is known of the fields of a type before a message of it is made; each type is read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.mock.declared import INPUT_ONLY, OUTPUT_ONLY, Declared, Rules

_IGNORE_IF_ZERO: Final = 1  # buf.validate.Ignore


@dataclass(frozen=True, slots=True)
class Field:
    """What is known of a field beforehand.

    Attributes:
        it: The field.
        rules: Its rules; None for none.
        must: Whether a message without it would be wrong.
        left_out: Whether it is never filled unless it must be.
        given: Whether only servers fill it.
        taken: Whether only clients fill it.
    """

    it: FieldDescriptor
    rules: Rules | None
    must: bool
    left_out: bool
    given: bool
    taken: bool


class Fields:
    """Knows the fields of types.

    Args:
        declared: What protos declare of them.

    Attributes:
        unsolved: Those with rules in CEL, among the types that were asked for, by full name.
    """

    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        self._fields: dict[str, tuple[Field, ...]] = {}
        self.unsolved: dict[str, FieldDescriptor] = {}

    def of(self, of: Descriptor) -> tuple[Field, ...]:
        """Returns what is known of a type's fields, in their order."""
        known = self._fields.get(of.full_name)
        if known is None:
            known = self._fields[of.full_name] = tuple(map(self._known, of.fields))
        return known

    def _known(self, field: FieldDescriptor) -> Field:
        rules = self._declared.rules(field)
        behavior = self._declared.behavior(field)
        taken = INPUT_ONLY in behavior
        if self._declared.has_expressions(field):
            self.unsolved[field.full_name] = field
        return Field(
            it=field,
            rules=rules,
            must=field.is_required or (rules is not None and _demands(rules)),
            left_out=taken or (field.has_options and field.GetOptions().deprecated),
            given=OUTPUT_ONLY in behavior,
            taken=taken,
        )


def _demands(rules: Rules) -> bool:
    """Whether a message whose field is empty breaks its rules."""
    if rules.required:
        return True
    if rules.ignore == _IGNORE_IF_ZERO:
        return False
    return bool(rules.repeated.min_items or rules.map.min_pairs)
