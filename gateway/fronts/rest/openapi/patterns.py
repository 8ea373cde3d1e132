r"""Patterns of RE2, which protos have, as those of ECMA-262, which JSON Schema has.

Most are the same. What RE2 takes and ECMA-262 does not is spelled otherwise where that is simple
(`\-` as `\x2d`), so that strict readers take it, with the flag `u` too (JSON Schema 2020-12, Core,
section 6.4). What RE2 has alone is not translated: flags, named groups, classes by name, ends of
the text, characters by number, braces and brackets that mean themselves.
"""

from __future__ import annotations

import re
from typing import Final

# RE2's syntax, in the order in which it is tried: `]` may come first in a class and mean itself.
_TOKEN: Final = re.compile(
    r"\\x[0-9A-Fa-f]{2}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{[0-9]+(?:,[0-9]*)?\}|\(\?:|\(\?|.",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\x[0-9A-Fa-f]{2}|\\.", re.DOTALL)
_SAME: Final = frozenset("dDwWsSbBfnrtv^$\\.*+?()[]{}|/")
"""What means the same behind a backslash."""

_ALONE: Final = frozenset({"(?", "{", "}", "]", "[", "\\"})
"""Tokens that ECMA-262 does not take."""


class _UnlikeError(Exception):
    """RE2 has it alone."""


def as_ecma(pattern: str) -> str | None:
    """Returns a pattern that matches the same, or None where that is not simple.

    Args:
        pattern: What RE2 takes.
    """
    try:
        return _TOKEN.sub(_token, pattern)
    except _UnlikeError:
        return None


def _token(found: re.Match[str]) -> str:
    text = found[0]
    if text in _ALONE:
        raise _UnlikeError
    if text.startswith("\\"):
        return _escape(found)
    if text.startswith("["):
        if text.startswith(("[]", "[^]")) or "[:" in text:
            raise _UnlikeError
        return _ESCAPE.sub(_escape, text)
    return text


def _escape(found: re.Match[str]) -> str:
    text = found[0]
    if len(text) == len(r"\x2d") or text[1] in _SAME:
        return text
    if text[1].isalnum() or not text[1].isascii():
        raise _UnlikeError
    return f"\\x{ord(text[1]):02x}"
