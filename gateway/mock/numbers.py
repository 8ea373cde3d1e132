"""What a number, a time or a truth is like, by the name of its field: tables of names.

What rules want of it is not known here (`ruled_numbers`).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from gateway.mock.dice import Dice

DAY: Final = 86_400
_NS: Final = 10**9
_2025: Final = 1_735_689_600  # seconds since 1970 at its beginning
_2030: Final = 1_893_456_000
_STEP: Final = 60  # seconds between what follows one another


class _Usual(NamedTuple):
    """Between what a number usually is; with so many digits behind the point."""

    least: int
    most: int
    digits: int = 0


_NUMBERS: Final[tuple[tuple[str, _Usual], ...]] = (
    (r"(.*_)?(latitude|lat)", _Usual(-60, 60, 5)),
    (r"(.*_)?(longitude|lng|lon)", _Usual(-180, 180, 5)),
    (r"(.*_)?(percent|percentage|pct)", _Usual(0, 100, 1)),
    (r"(.*_)?(ratio|fraction|probability|confidence|alpha)", _Usual(0, 1, 2)),
    (r"(.*_)?(stars|rating|score|average|grade)", _Usual(1, 5, 1)),
    (r"(.*_)?(price|amount|cost|subtotal|fee|balance|units)", _Usual(1, 200, 2)),
    (r"(.*_)?(count|quantity|qty|stock|available|pieces|members?|likes)", _Usual(1, 20)),
    (r"(.*_)?(year)", _Usual(1990, 2025)),
    (r"(.*_)?(month)", _Usual(1, 12)),
    (r"(.*_)?(day)", _Usual(1, 28)),
    (r"(.*_)?(hours?)", _Usual(0, 23)),
    (r"(.*_)?(minutes?|seconds?)", _Usual(0, 59)),
    (r"(.*_)?(age)", _Usual(18, 80)),
    (r"(.*_)?(size_bytes|bytes|size|file_size)", _Usual(1_000, 900_000)),
    (r"(.*_)?(port)", _Usual(1024, 9999)),
    (r"(.*_)?(width|height|length|depth)(_mm|_px|_cm)?", _Usual(10, 900, 1)),
    (r"(.*_)?(weight|grams|kg)(_grams|_kg|_g)?", _Usual(1, 900, 1)),
    (r"(.*_)?(celsius|temperature)", _Usual(-5, 35, 1)),
    (r"(.*_)?(millis|milliseconds|ms|latency)", _Usual(5, 500)),
    (r"(.*_)?(change|delta|diff)", _Usual(-9, 9, 1)),
    (r"(.*_)?(status_code|http_status)", _Usual(200, 200)),
    (r"(.*_)?(nanos)", _Usual(0, 0)),
)
_USUAL: Final = _Usual(1, 100, 2)
_COMPILED: Final = tuple((re.compile(name), usual) for name, usual in _NUMBERS)
_SEQUENCE: Final = re.compile(r"(.*_)?(sequence|seq|index|ordinal|sequence_number|rank|revision)")
_KEY: Final = re.compile(r"(.*_)?id")
_INSTANT: Final = re.compile(r"(.*_)?(at|time|timestamp|epoch)(_s|_ms|_millis|_seconds)?")

_FIRST: Final = re.compile(
    r"(.*_)?(creat|start|begin|from|since|open|join|born|regist|publish|order).*"
)
_SECOND: Final = re.compile(r"(.*_)?(updat|modif|chang|last|seen|edit).*")
_LATER: Final = re.compile(
    r"(.*_)?(expir|due|end|until|sunset|restock|eta|deliver|next|deadline|renew|valid|to).*"
)
_NO: Final = re.compile(
    r"(is_|has_)?(deleted|disabled|archived|cancell?ed|blocked|banned|failed|expired|locked|deprecated"
    r"|truncated|error)"
)
_YES: Final = re.compile(
    r"(is_|has_)?(done|ok|success|successful|active|enabled|valid|verified|available|completed)"
)


def of_name(name: str, dice: Dice, ordinal: int) -> float:
    """Returns a number; an integer but for what has digits behind its point.

    Args:
        name: The field's.
        dice: Decides what is open.
        ordinal: The place of its message among several, from 1; 0 for one alone.
    """
    if _SEQUENCE.fullmatch(name):
        return ordinal or 1
    if _KEY.fullmatch(name):
        return (ordinal if name == "id" and ordinal else 0) or dice.between(1, 40)
    if found := _INSTANT.fullmatch(name):
        unit = found[3] or ""
        return instant(name, dice, ordinal) // (10**6 if unit in ("_ms", "_millis") else _NS)
    usual = next((usual for each, usual in _COMPILED if each.fullmatch(name)), _USUAL)
    if not usual.digits:
        return dice.between(usual.least, usual.most)
    scale: int = 10**usual.digits
    return dice.between(usual.least * scale, usual.most * scale) / scale


def instant(name: str, dice: Dice, ordinal: int) -> int:
    """Returns a time by its name, in nanoseconds since 1970: first created, then changed.

    Args:
        name: The field's.
        dice: Decides what is open.
        ordinal: As in `of_name`: what comes later is later.
    """
    if _FIRST.fullmatch(name):
        begin, days = _2025, 150
    elif _SECOND.fullmatch(name):
        begin, days = _2025 + 180 * DAY, 120
    elif _LATER.fullmatch(name):
        begin, days = _2030, 300
    else:
        begin, days = _2025 + 150 * DAY, 30
    if ordinal:
        return (begin + days // 2 * DAY + ordinal * _STEP) * _NS
    return (begin + dice.between(0, days * DAY - 1)) * _NS


def truth(name: str, dice: Dice) -> bool:
    """Returns whether something is so, by its name."""
    if _NO.fullmatch(name):
        return False
    return bool(_YES.fullmatch(name)) or dice.share() < 0.5
