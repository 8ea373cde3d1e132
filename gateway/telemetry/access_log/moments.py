"""Points in time as logs write them, made once a second."""

from __future__ import annotations

import time
from collections.abc import Callable


class Moments:
    """Writes points in time, most of which are near the last one.

    Args:
        form: Writes a whole second: of its `time.struct_time` in UTC.
    """

    __slots__ = ("_form", "_second", "_text")

    def __init__(self, form: Callable[[time.struct_time], str]) -> None:
        self._form = form
        self._second = ""
        self._text = ""

    def of(self, second: str) -> str:
        """Returns how a whole second is written.

        Args:
            second: Its number since 1970, in decimal digits.
        """
        if second != self._second:
            self._second, self._text = second, self._form(time.gmtime(int(second)))
        return self._text


def rfc3339(at: time.struct_time) -> str:
    """Returns a second without its zone: `2026-11-21T23:18:00`."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", at)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def ncsa(at: time.struct_time) -> str:
    """Returns a second as NCSA's log has it, whatever the locale: `21/Nov/2026:23:18:00 +0000`."""
    return (
        f"{at.tm_mday:02d}/{_MONTHS[at.tm_mon - 1]}/{at.tm_year}"
        f":{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d} +0000"
    )
