"""Whole numbers as texts; small ones are kept, for to make them costs more than to look them up."""

from __future__ import annotations

from typing import Final

_KEPT: Final = 10_000


class Digits(dict[int, str]):
    """The decimal digits of numbers, by number."""

    def __missing__(self, number: int) -> str:
        text = str(number)
        if 0 <= number < _KEPT:
            self[number] = text
        return text


DIGITS: Final = Digits()
