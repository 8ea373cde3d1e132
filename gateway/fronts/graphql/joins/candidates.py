"""What was probably meant, and how it is said: candidates, and a line to paste."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence

_SHOWN = 5


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Returns the known names that are like a name, the likeliest first, at most three.

    Of names with a path (`shop.v1.Catalog/GetProduct`) the last part counts too: people forget
    packages.
    """
    known = list(known)
    short = _last(name)
    same = [each for each in known if short and _last(each) == short]
    near = difflib.get_close_matches(name, known, 3)
    return list(dict.fromkeys([*same, *near]))[:3]


def hint(candidates: Sequence[str] = (), line: str = "") -> str:
    """Returns what to do: the candidates, and the corrected line."""
    parts = []
    if len(candidates) == 1:
        parts.append(f"did you mean {candidates[0]}?")
    elif candidates:
        parts.append(f"did you mean {listed(candidates, 'or')}?")
    if line:
        parts.append(f"write: {line}")
    return " ".join(parts)


def listed(names: Collection[str], last: str = "and") -> str:
    """Returns names as a sentence lists them: `a, b and c`; long lists are cut."""
    shown = list(names)
    if len(shown) > _SHOWN:
        return f"{', '.join(shown[:_SHOWN])} {last} {len(shown) - _SHOWN} more"
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def _last(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[2].lower()
