"""Values of fields that are no messages: by their rules, their comment, their name and type.

Keys too: things are told apart by them, so each number has one of its own, and what refers to a
thing has keys as the thing itself has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from gateway.mock import numbers, ruled_numbers, ruled_texts, texts
from gateway.mock.declared import Declared, Rules
from gateway.mock.dice import Dice
from gateway.mock.examples import Examples
from gateway.mock.typed import enum_of
from gateway.schema.codec.traits import is_map_entry, reached
from gateway.schema.registry import Registry

KEY: Final = re.compile(r"(?:(.+)_)?ids?")
"""Names of fields that hold keys."""

_OF_ITS_KIND: Final = re.compile(
    r"(.*_)?(related|parent|child|sibling|previous|next|root|original|duplicate|reply_to|similar)"
)
_NUMBER: Final = re.compile(r"\d+(?=\D*$)")
_UNSAID: Final = re.compile(r"(^|.*_)(UNSPECIFIED|UNKNOWN|INVALID|UNDEFINED|NONE|UNRECOGNIZED)$")
_VARIABLE: Final = re.compile(r"\{([^}=]+)(?:=[^}]*)?\}")


class Values:
    """Makes values.

    Args:
        registry: The types, with their comments.
        declared: What they declare.
        roots: As of `messages.Maker`.
    """

    def __init__(self, registry: Registry, declared: Declared, roots: Iterable[Descriptor]) -> None:
        self._declared = declared
        self._examples = Examples(registry)
        self._ids = _ids(roots)

    def key(self, field: FieldDescriptor, number: int) -> Any:
        """Returns the value of a key: another one for each number.

        Args:
            field: A field that things are told apart by, of text or an integer.
            number: From 1.
        """
        if field.cpp_type != FieldDescriptor.CPPTYPE_STRING:
            return number
        dice = Dice(b"key").of(field.full_name, number)
        wishes = [self._key_text(field, number), f"{texts.slug(dice)}-{number}"]
        rules = of_kind(self._declared.rules(field))
        return ruled_texts.text(rules, wishes, dice) or wishes[0]

    def scalar(
        self, field: FieldDescriptor, name: str, rules: Rules | None, dice: Dice, ordinal: int
    ) -> Any:
        """Returns a value of a type that is no message; None where the rules can't be kept.

        Args:
            field: A field of the type.
            name: What the value is called.
            rules: Those of its kind; None for none.
            dice: Decides what is open.
            ordinal: As in `numbers.of_name`.
        """
        match field.cpp_type:
            case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_BYTES:
                return ruled_texts.data(rules, dice.data(8), dice)
            case FieldDescriptor.CPPTYPE_STRING:
                return ruled_texts.text(rules, self._wishes(field, name, dice, ordinal), dice)
            case FieldDescriptor.CPPTYPE_BOOL:
                if rules is not None and rules.HasField("const"):
                    return bool(rules.const)
                return numbers.truth(name, dice)
            case FieldDescriptor.CPPTYPE_ENUM:
                return _enum(enum_of(field), rules, dice)
        return self._number(field, name, rules, dice, ordinal)

    def _number(
        self, field: FieldDescriptor, name: str, rules: Rules | None, dice: Dice, ordinal: int
    ) -> Any:
        of = ruled_numbers.RANGES[field.type]
        wish = numbers.of_name(name, dice, ordinal)
        for example in self._examples.of(field):
            try:
                wish = float(example) if of.rounded else int(example)
            except ValueError:
                continue
        if not of.least <= wish <= of.most:
            wish = 1
        wish = of.rounded(wish) if of.rounded else round(wish)
        found = ruled_numbers.number(rules, wish, of, dice)
        if found is None:
            return None
        return float(found) if of.rounded else int(found)

    def _wishes(self, field: FieldDescriptor, name: str, dice: Dice, ordinal: int) -> list[str]:
        """Returns what a text would best be, the best first."""
        owner = field.containing_type
        wishes: list[str] = []
        if KEY.fullmatch(name):
            first = name == "id" and ordinal
            number = ordinal if first else dice.between(1, 40)
            wishes.append(self._key_text(field, number, name))
        else:
            examples = self._examples.of(field)
            if examples:
                wishes.append(dice.pick(examples))
            if name == "name" and owner is not None:
                number = ordinal or dice.between(1, 40)
                wishes += self._resource_names(owner, number)
        wishes.append(texts.maker(name, "" if owner is None else owner.name)(dice))
        return wishes

    def _key_text(self, field: FieldDescriptor, number: int, name: str = "") -> str:
        """Returns a key as its field's comment, or its name, has it."""
        owner = field.containing_type
        found = KEY.fullmatch(name or field.name)
        of = found[1] if found else None
        if of is not None:
            known = self._ids.get(of)
            if known is None and owner is not None and _OF_ITS_KIND.fullmatch(of):
                known = owner.fields_by_name.get("id")
            if known and known is not field and known.cpp_type == FieldDescriptor.CPPTYPE_STRING:
                return self._key_text(known, number)
        for example in self._examples.of(field):
            if _NUMBER.search(example):
                return _NUMBER.sub(str(number), example)
            return f"{example}-{number}"
        if field.name == "name" and owner is not None:
            names = self._resource_names(owner, number)
            return names[0] if names else f"{snake(owner.name).replace('_', '-')}-{number}"
        if of is None:
            of = snake(owner.name) if owner is not None and not is_map_entry(owner) else "item"
        return f"{of.replace('_', '-')}-{number}"

    def _resource_names(self, owner: Descriptor, number: int) -> list[str]:
        def part(found: re.Match[str]) -> str:
            last = found.end() == len(found.string)
            return f"{found[1].replace('_', '-')}-{number if last else 1}"

        return [_VARIABLE.sub(part, each) for each in self._declared.patterns(owner)]


def of_kind(rules: Rules | None) -> Rules | None:
    """Returns those of a field's rules that are of its kind of value; None for none."""
    kind = None if rules is None else rules.WhichOneof("type")
    return None if kind in (None, "repeated", "map") else getattr(rules, kind)


def _enum(of: EnumDescriptor, rules: Rules | None, dice: Dice) -> int | None:
    numbers_of = [each.number for each in of.values]
    if rules is not None:
        if rules.HasField("const"):
            return int(rules.const)
        allowed = list(getattr(rules, "in")) or numbers_of
        numbers_of = [each for each in allowed if each not in rules.not_in]
    said = [
        each
        for each in numbers_of
        if (known := of.values_by_number.get(each)) is None
        or not (
            (known.number == 0 and _UNSAID.match(known.name))
            or (known.has_options and known.GetOptions().deprecated)
        )
    ]
    choices = said or numbers_of
    return int(dice.pick(choices)) if choices else None


def _ids(roots: Iterable[Descriptor]) -> dict[str, FieldDescriptor]:
    """Returns the fields `id` of all types that some reach, by the name that refers to a type."""
    found: dict[str, FieldDescriptor] = {}
    seen: set[str] = set()
    for root in roots:
        for each in () if root.full_name in seen else reached(root):
            if each.full_name not in seen and "id" in each.fields_by_name:
                found.setdefault(snake(each.name), each.fields_by_name["id"])
            seen.add(each.full_name)
    return found


def snake(name: str) -> str:
    """Returns a name as fields have it: `order_item` of `OrderItem`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
