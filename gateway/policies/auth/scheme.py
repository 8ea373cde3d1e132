"""Of which scheme a value of `Authorization` is (RFC 9110 section 11.4).

A scheme is a token in any case, and a space stands behind it. What begins with a scheme's name and
goes on with something else that can't be a part of a name (a tab, a comma, nothing at all) is of
that scheme too, and badly made: were it of none, its sender would pass for one who shows nobody.
"""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]"  # a character of a token (RFC 9110 section 5.6.2)


def of_scheme(name: str) -> re.Pattern[str]:
    """Returns what matches at the beginning of the values of a scheme, well made or not.

    A match is of the name alone.
    """
    return re.compile(f"{re.escape(name)}(?!{_NAME})", re.IGNORECASE | re.ASCII)
