"""One effect of a change, and how many of them are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_LINES: Final = 40
_NAMES: Final = 5
_LONG: Final = 120  # characters of a value


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that holds after a change and did not before.

    Attributes:
        kind: What kind, in lower case: `method-anonymous`, `route-added`. Stable, for tools.
        text: In words, on one line; of many names it tells the first.
        names: What it is about, all of them: methods, routes, keys of the config.
        opens: Whether somebody may do what they could not do before.
        later: Whether it takes effect at the next start only.
    """

    kind: str
    text: str
    names: tuple[str, ...] = ()
    opens: bool = False
    later: bool = False

    def __str__(self) -> str:
        return f"{self.text} (at the next start)" if self.later else self.text


def bounded(effects: Sequence[Effect], most: int = _LINES) -> list[str]:
    """Returns effects as lines, those that open first; what is too much is counted.

    Args:
        effects: All of them.
        most: How many lines there may be, that of the count included.
    """
    lines = [str(each) for each in sorted(effects, key=lambda each: not each.opens)]
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"and {len(lines) - most + 1:,} more changes"]


def counted(number: int, what: str) -> str:
    """Returns a number of things: `1 method`, `3 methods`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def listed(names: Iterable[str], most: int = _NAMES) -> str:
    """Returns names with commas: the first few, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(clipped, names[:most])) + more


def clipped(text: str, most: int = _LONG) -> str:
    """Returns a text on one line, and the beginning only of a long one."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
