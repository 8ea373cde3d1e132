"""Messages that are made up: every field filled with what its type, name, rules and comment tell.

All fields are filled but those that are deprecated or are only ever sent by clients; of a oneof one
member is. A type within itself is filled once more, no deeper. What rules demand is always there,
up to a depth that no right message has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway.mock import texts, well_known
from gateway.mock.declared import Declared, Rules
from gateway.mock.dice import Dice
from gateway.mock.fields import Field, Fields
from gateway.mock.typed import messages_of, type_of
from gateway.mock.values import KEY, Values, of_kind
from gateway.schema.codec.traits import is_map_entry
from gateway.schema.registry import Registry

_ANY: Final = "google.protobuf.Any"
_TEXT_VALUE: Final = "google.protobuf.StringValue"
_WRAPPER: Final = re.compile(
    r"google\.protobuf\.(Double|Float|U?Int64|U?Int32|Bool|String|Bytes)Value"
)
_FAILURE: Final = re.compile(r"(.*_)?(error|failure|fault|exception)s?")

_DEEP: Final = 6  # messages within one another; required ones go on to `_DEEPEST`
_DEEPEST: Final = 24
_BUDGET: Final = 400  # messages in one
_BEYOND: Final = 2000  # so many more where rules demand them
_MOST_ITEMS: Final = 1000  # of a list or a map, whatever rules demand
_ITEMS: Final = (3, 2, 1)  # of lists, by depth
_PAIRS: Final = 2
_TRIES: Final = 12


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a message is made.

    Attributes:
        dice: Decides what is open in it.
        ordinal: Its place among several, from 1; 0 for one alone.
        above: The types of the messages that it stands in.
        left: How many messages more there may be in all: a cell of one number.
    """

    dice: Dice
    ordinal: int
    above: tuple[str, ...]
    left: list[int]


class Maker:
    """Makes messages of a registry's types.

    Args:
        registry: The types, with their comments.
        roots: Those that are answers, or may be: the ids of what they reach look alike everywhere.
        now: Returns the time in nanoseconds since 1970, for rules that mean the present.

    Attributes:
        unkept: The fields whose rules could not be kept so far, by full name.
    """

    def __init__(
        self, registry: Registry, roots: Iterable[Descriptor], now: Callable[[], int]
    ) -> None:
        self._pool = registry.pool
        self._declared = Declared(registry.pool)
        self._values = Values(registry, self._declared, roots)
        self._now = now
        self._fields = Fields(self._declared)
        self.unkept: dict[str, FieldDescriptor] = self._fields.unsolved

    @property
    def has_rules(self) -> bool:
        """Whether there may be rules of `buf.validate` at all."""
        return self._declared.has_rules

    def new(self, of: Descriptor) -> Message:
        """Returns an empty message of a type."""
        return GetMessageClass(of)()

    def message(self, of: Descriptor, dice: Dice, ordinal: int = 0) -> Message:
        """Returns a message.

        Args:
            of: Its type.
            dice: All that is open follows from them.
            ordinal: Its place among several, from 1; 0 for one alone.
        """
        made = self.new(of)
        self._whole(made, "", None, Spot(dice, ordinal, (), [_BUDGET]))
        return made

    def key(self, field: FieldDescriptor, number: int) -> Any:
        """Returns the value of a key: another one for each number.

        Args:
            field: A field that things are told apart by, of text or an integer.
            number: From 1.
        """
        return self._values.key(field, number)

    def completed(self, message: Message, dice: Dice) -> None:
        """Fills what only servers fill, and empties what only clients do, in all of a message.

        What a client sent is an answer then.
        """
        spot = Spot(dice, 0, (), [_BUDGET])
        for field in self._fields.of(type_of(message)):
            it = field.it
            if field.taken:
                message.ClearField(it.name)
            elif _is_set(message, it):
                if it.message_type is not None and not is_map_entry(it.message_type):
                    inner = getattr(message, it.name)
                    for number, each in enumerate(inner if it.is_repeated else (inner,)):
                        self.completed(each, dice.of(it.name, number))
            elif field.given and not field.left_out:
                self._set(message, field, replace(spot, dice=dice.of(it.name)))

    # A message.

    def _whole(self, message: Message, name: str, rules: Rules | None, spot: Spot) -> None:
        """Fills a message.

        Args:
            message: An empty one.
            name: The name of the field that it stands in.
            rules: The rules on that field, of the message's kind.
            spot: Where it stands.
        """
        of = type_of(message)
        spot.left[0] -= 1
        if of.full_name == _ANY:
            self._packed(message, rules, spot)
        elif _WRAPPER.fullmatch(of.full_name):
            value = of.fields_by_name["value"]
            self._single(message, value, name, rules, spot)
        elif (fill := well_known.of(of)) is not None:
            wanted = well_known.Wanted(name, rules, spot.dice, spot.ordinal, self._now)
            if not fill(message, wanted):
                raise _UnkeptError
        else:
            inner = replace(spot, above=(*spot.above, of.full_name))
            for field in self._filled(of, inner):
                self._set(message, field, replace(inner, dice=spot.dice.of(field.it.name)))

    def _filled(self, of: Descriptor, spot: Spot) -> Iterator[Field]:
        """Yields the fields of a type that are filled: of what excludes each other, one."""
        fields = self._fields.of(of)
        out: set[str] = set()
        rules = self._declared.rules(of)
        if rules is not None and self._declared.has_expressions(of):
            for field in fields:
                self.unkept.setdefault(of.full_name, field.it)
        groups = [
            [field for field in fields if field.it.containing_oneof is one] for one in of.oneofs
        ]
        for group in groups if rules is None else (*groups, *_exclusive(rules, fields)):
            able = [each for each in group if each.it.name not in out]
            chosen = self._chosen(able, spot)
            out.update(each.it.name for each in able if each is not chosen)
        for field in fields:
            if field.it.name not in out and (field.must or self._fits(field, spot)):
                yield field

    def _chosen(self, group: Sequence[Field], spot: Spot) -> Field | None:
        """Returns the one of several that is filled; None of none."""
        for choices in (
            [each for each in group if each.must],
            [
                each
                for each in group
                if self._fits(each, spot) and not _FAILURE.fullmatch(each.it.name)
            ],
            [each for each in group if not each.taken],
            group,
        ):
            if choices:
                names = "\0".join(each.it.name for each in choices)
                return spot.dice.of("which", names).pick(choices)
        return None

    def _fits(self, field: Field, spot: Spot) -> bool:
        """Whether a field that need not be filled is."""
        if field.left_out:
            return False
        inner = _inner(field.it)
        if inner is None:
            return True
        again = spot.above.count(inner.full_name)
        return len(spot.above) < _DEEP and spot.left[0] > 0 and again < 2

    # A field.

    def _set(self, message: Message, field: Field, spot: Spot) -> None:
        it = field.it
        try:
            if it.message_type is not None and is_map_entry(it.message_type):
                self._map(message, field, spot)
            elif it.is_repeated:
                self._list(message, field, spot)
            else:
                rules = of_kind(field.rules)
                self._single(message, it, it.name, rules, spot, must=field.must)
        except _UnkeptError:
            self.unkept.setdefault(it.full_name, it)

    def _single(
        self,
        message: Any,
        field: FieldDescriptor,
        name: str,
        rules: Rules | None,
        spot: Spot,
        *,
        must: bool = False,
    ) -> None:
        """Fills a field that holds one value.

        Args:
            message: Whose it is.
            field: The field.
            name: What its value is called: its own name, or that of the field of a wrapper.
            rules: The rules of its kind.
            spot: Where it stands.
            must: Whether the value that is as good as none is wrong.
        """
        if field.message_type is not None:
            inner = getattr(message, field.name)
            inner.SetInParent()
            self._within(inner, name, rules, spot)
            return
        value = self._scalar(field, name, rules, spot)
        if must and not field.has_presence and not value:
            value = self._not_nothing(field, name, rules, spot)
        if value is None:
            raise _UnkeptError
        setattr(message, field.name, value)

    def _within(self, inner: Message, name: str, rules: Rules | None, spot: Spot) -> None:
        """Fills a message in a field, unless there are too many, or too many around it.

        Raises:
            _UnkeptError: It stays empty: rules demand more than can be.
        """
        if spot.left[0] < -_BEYOND or len(spot.above) >= _DEEPEST:
            raise _UnkeptError
        self._whole(inner, name, rules, spot)

    def _not_nothing(
        self, field: FieldDescriptor, name: str, rules: Rules | None, spot: Spot
    ) -> Any:
        for number in range(_TRIES):
            value = self._scalar(field, name, rules, replace(spot, dice=spot.dice.of(number)))
            if value:
                return value
        if field.type == FieldDescriptor.TYPE_BOOL and rules is None:
            return True
        return None

    def _list(self, message: Message, field: Field, spot: Spot) -> None:
        it, rules = field.it, field.rules
        said = None if rules is None else rules.repeated
        count = _count(spot, field, said, "min_items", "max_items")
        of_items = None if said is None or not said.HasField("items") else said.items
        inner = of_kind(of_items)
        values = getattr(message, it.name)
        seen: set[object] = set()
        name = it.name if KEY.fullmatch(it.name) else it.name.removesuffix("s")
        for number in range(count * _TRIES):
            if len(values) == count:
                return
            place = replace(spot, dice=spot.dice.of(number), ordinal=number + 1)
            if it.message_type is not None:
                self._within(values.add(), it.name, inner, place)
                continue
            value = self._scalar(it, name, inner, place)
            if value is None:
                raise _UnkeptError
            # Doubles only where there is nothing else, and may be some.
            doubles = number >= count * 2 and not (said is not None and said.unique)
            if value not in seen or doubles:
                seen.add(value)
                values.append(value)
        if said is not None and len(values) < said.min_items:
            raise _UnkeptError

    def _map(self, message: Message, field: Field, spot: Spot) -> None:
        it, rules = field.it, field.rules
        said = None if rules is None else rules.map
        count = _count(spot, field, said, "min_pairs", "max_pairs", most_usual=_PAIRS)
        key, value = (messages_of(it).fields_by_name[name] for name in ("key", "value"))
        of_key, of_value = (
            of_kind(getattr(said, name)) if said is not None and said.HasField(name) else None
            for name in ("keys", "values")
        )
        values = getattr(message, it.name)
        singular = it.name.removesuffix("s")
        for number in range(count * _TRIES):
            if len(values) == count:
                return
            place = replace(spot, dice=spot.dice.of(number), ordinal=number + 1)
            name = texts.word(place.dice) if key.type == key.TYPE_STRING else number + 1
            at = self._scalar(key, "slug", of_key, place) if of_key is not None else name
            at = bool(number % 2) if key.type == key.TYPE_BOOL and of_key is None else at
            if at is None:
                raise _UnkeptError
            if value.message_type is not None:
                if at not in values:
                    self._within(values[at], singular, of_value, place)
                continue
            held = self._scalar(value, singular, of_value, place)
            if held is None:
                raise _UnkeptError
            values[at] = held
        if said is not None and len(values) < said.min_pairs:
            raise _UnkeptError

    def _scalar(self, field: FieldDescriptor, name: str, rules: Rules | None, spot: Spot) -> Any:
        return self._values.scalar(field, name, rules, spot.dice, spot.ordinal)

    def _packed(self, message: Any, rules: Rules | None, spot: Spot) -> None:
        """Fills an Any with a message of a type that rules allow and the pool has."""
        if rules is not None and (allowed := list(getattr(rules, "in"))):
            name = spot.dice.pick(allowed).rpartition("/")[2]
        else:
            name = _TEXT_VALUE
        message.type_url = f"type.googleapis.com/{name}"
        try:
            of = self._pool.FindMessageTypeByName(name)
        except KeyError:
            return
        inner = self.new(of)
        if len(spot.above) < _DEEP:
            self._whole(inner, "text", None, replace(spot, dice=spot.dice.of("packed")))
        message.value = inner.SerializeToString(deterministic=True)


class _UnkeptError(Exception):
    """No value was found that keeps the rules of a field."""


def _exclusive(rules: Rules, fields: Sequence[Field]) -> Iterator[list[Field]]:
    for one in rules.oneof:
        yield [each for each in fields if each.it.name in one.fields]


def _inner(field: FieldDescriptor) -> Descriptor | None:
    """Returns the type of the messages in a field, those in its map too; None for no messages."""
    of = field.message_type
    if of is not None and is_map_entry(of):
        of = of.fields_by_name["value"].message_type
    return None if of is None or well_known.of(of) is not None else of


def _is_set(message: Any, field: FieldDescriptor) -> bool:
    if field.has_presence:
        return bool(message.HasField(field.name))
    return bool(getattr(message, field.name))


def _count(
    spot: Spot, field: Field, said: Rules | None, least: str, most: str, *, most_usual: int = 0
) -> int:
    usual = most_usual or _ITEMS[min(len(spot.above), len(_ITEMS)) - 1]
    low = 1 if field.must else 0
    if said is None:
        return max(low, usual)
    low = max(low, int(getattr(said, least)))
    if low > _MOST_ITEMS:
        raise _UnkeptError
    return (
        max(low, min(usual, int(getattr(said, most)))) if said.HasField(most) else max(usual, low)
    )
