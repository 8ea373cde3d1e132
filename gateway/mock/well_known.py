"""Messages that have a meaning of their own: `google.protobuf`'s and `google.type`'s.

By full name, each is filled as a whole. What has `currency_code`, `units` and `nanos` is money,
whoever declares it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final, NamedTuple, TypeAlias

from google.protobuf.descriptor import Descriptor

from gateway.mock import numbers, ruled_numbers, texts, words
from gateway.mock.declared import Rules
from gateway.mock.dice import Dice

_NS: Final = 10**9
_MONEY: Final = ("currency_code", "units", "nanos")


class Wanted(NamedTuple):
    """What a message of these is wanted for.

    Attributes:
        name: The name of its field.
        rules: The rules of `buf.validate` on it, of its own kind; None for none.
        dice: Decides what is open.
        ordinal: As in `numbers.of_name`.
        now: Returns the time in nanoseconds since 1970. Only rules ask that mean the present.
    """

    name: str
    rules: Rules | None
    dice: Dice
    ordinal: int
    now: Callable[[], int]


Fill: TypeAlias = "Callable[[Any, Wanted], bool]"
"""Fills a message; returns whether it keeps the rules."""


def of(message: Descriptor) -> Fill | None:
    """Returns what fills a type; None for one without a meaning known here."""
    found = _FILLS.get(message.full_name)
    if found is None and all(each in message.fields_by_name for each in _MONEY):
        return _money
    return found


def _instant(rules: Rules | None, wanted: Wanted) -> float | None:
    wish = numbers.instant(wanted.name, wanted.dice, wanted.ordinal)
    if rules is None:
        return wish
    past = rules.WhichOneof("less_than") == "lt_now"
    future = rules.WhichOneof("greater_than") == "gt_now"
    now = span = 0
    if rules.HasField("within"):
        now, span = wanted.now(), ruled_numbers.nanoseconds(rules.within)
        wish = now + (-span // 2 if past else span // 2)
    elif past or future:
        wish = numbers.instant("create_time" if past else "expire_time", wanted.dice, 0)
    return ruled_numbers.number(
        rules,
        wish,
        ruled_numbers.TIMESTAMP,
        wanted.dice,
        value=ruled_numbers.nanoseconds,
        also=lambda given: not span or abs(given - now) < span,
    )


def _timestamp(message: Any, wanted: Wanted) -> bool:
    found = _instant(wanted.rules, wanted)
    if found is not None:
        message.seconds, message.nanos = divmod(int(found), _NS)
    return found is not None


def _duration(message: Any, wanted: Wanted) -> bool:
    wish = wanted.dice.between(1, 48) * 3600 * _NS
    found = ruled_numbers.number(
        wanted.rules,
        wish,
        ruled_numbers.DURATION,
        wanted.dice,
        value=ruled_numbers.nanoseconds,
    )
    if found is None:
        return False
    seconds, nanos = divmod(abs(int(found)), _NS)
    sign = -1 if found < 0 else 1
    message.seconds, message.nanos = sign * seconds, sign * nanos
    return True


def _field_mask(message: Any, wanted: Wanted) -> bool:
    rules = wanted.rules
    if rules is None:
        return True
    if rules.HasField("const"):
        message.CopyFrom(type(message).FromString(rules.const.SerializeToString()))
    else:
        message.paths.extend(list(getattr(rules, "in"))[:1])
    return True


def _struct(message: Any, wanted: Wanted) -> bool:
    dice = wanted.dice
    message.fields["colour"].string_value = dice.pick(words.COLOURS)
    message.fields["size"].number_value = dice.between(1, 40)
    message.fields["new"].bool_value = dice.share() < 0.5
    return True


def _value(message: Any, wanted: Wanted) -> bool:
    message.string_value = texts.maker(wanted.name, "")(wanted.dice)
    return True


def _list(message: Any, wanted: Wanted) -> bool:
    for number in range(2):
        message.values.add().string_value = wanted.dice.of(number).pick(words.TAGS)
    return True


def _nothing(message: Any, wanted: Wanted) -> bool:  # noqa: ARG001  there is nothing to fill
    return True


def _money(message: Any, wanted: Wanted) -> bool:
    message.currency_code = words.CURRENCY
    message.units = wanted.dice.between(1, 200)
    message.nanos = wanted.dice.pick((0, 490_000_000, 500_000_000, 950_000_000, 990_000_000))
    return True


def _date(message: Any, wanted: Wanted) -> bool:
    days = numbers.instant(wanted.name, wanted.dice, wanted.ordinal) // _NS // numbers.DAY
    message.year, message.month, message.day = _civil(days)
    return True


def _civil(days: int) -> tuple[int, int, int]:
    day = date(1970, 1, 1) + timedelta(days=days)
    return day.year, day.month, day.day


def _time_of_day(message: Any, wanted: Wanted) -> bool:
    message.hours = wanted.dice.between(8, 18)
    message.minutes = wanted.dice.pick((0, 15, 30, 45))
    return True


def _date_time(message: Any, wanted: Wanted) -> bool:
    _date(message, wanted)
    _time_of_day(message, wanted)
    message.utc_offset.seconds = 0
    message.utc_offset.SetInParent()
    return True


def _lat_lng(message: Any, wanted: Wanted) -> bool:
    message.latitude = numbers.of_name("latitude", wanted.dice, 0)
    message.longitude = numbers.of_name("longitude", wanted.dice, 0)
    return True


def _color(message: Any, wanted: Wanted) -> bool:
    for name in ("red", "green", "blue"):
        setattr(message, name, wanted.dice.between(0, 4) / 4)
    return True


def _interval(message: Any, wanted: Wanted) -> bool:
    for name in ("start_time", "end_time"):
        _timestamp(getattr(message, name), wanted._replace(name=name, rules=None))
    return True


def _decimal(message: Any, wanted: Wanted) -> bool:
    message.value = f"{wanted.dice.between(1, 199)}.{wanted.dice.between(0, 99):02d}"
    return True


def _fraction(message: Any, wanted: Wanted) -> bool:
    message.numerator, message.denominator = wanted.dice.between(1, 3), 4
    return True


def _time_zone(message: Any, wanted: Wanted) -> bool:
    message.id = wanted.dice.pick(words.TIME_ZONES)
    return True


def _localized(message: Any, wanted: Wanted) -> bool:
    message.text, message.language_code = texts.title(wanted.dice), "en"
    return True


def _phone(message: Any, wanted: Wanted) -> bool:
    message.e164_number = texts.phone(wanted.dice)
    return True


def _body(message: Any, wanted: Wanted) -> bool:
    message.content_type = "text/plain; charset=utf-8"
    message.data = f"{texts.title(wanted.dice)}. {texts.sentences(wanted.dice)}\n".encode()
    return True


_FILLS: Final[dict[str, Fill]] = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
    "google.protobuf.FieldMask": _field_mask,
    "google.protobuf.Struct": _struct,
    "google.protobuf.Value": _value,
    "google.protobuf.ListValue": _list,
    "google.protobuf.Empty": _nothing,
    "google.rpc.Status": _nothing,
    "google.type.Money": _money,
    "google.type.Date": _date,
    "google.type.TimeOfDay": _time_of_day,
    "google.type.DateTime": _date_time,
    "google.type.LatLng": _lat_lng,
    "google.type.Color": _color,
    "google.type.Interval": _interval,
    "google.type.Decimal": _decimal,
    "google.type.Fraction": _fraction,
    "google.type.TimeZone": _time_zone,
    "google.type.LocalizedText": _localized,
    "google.type.PhoneNumber": _phone,
    "google.api.HttpBody": _body,
}
