"""The directives of `Cache-Control` by name (RFC 9111 section 5.2). What they mean, others know."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

# A token, and after "=" a token or quoted text (RFC 9110 section 5.6).
_DIRECTIVE: Final = re.compile(
    r"""([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*))?"""
)


def directives(values: Iterable[str]) -> dict[str, str]:
    """Returns the directives of a header, each as it first stands (RFC 9111 section 4.2.1).

    Args:
        values: Its values, in order.

    Returns:
        By names in lower case what each is given, without quotes; empty for those given nothing.
    """
    found: dict[str, str] = {}
    for value in values:
        for name, given in _DIRECTIVE.findall(value):
            found.setdefault(name.lower(), given.strip('"'))
    return found
