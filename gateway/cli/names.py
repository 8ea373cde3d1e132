"""Finds an RPC by as much of its name as a person types. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from gateway.cli.failure import Failure

_SHOWN = 5


def resolve(text: str, names: Collection[str]) -> str:
    """Returns the RPC that is meant.

    Args:
        text: `package.Service/Method`, the same with a dot or a leading slash, or the end of it
            from some dot on.
        names: The full names of all RPCs, `package.Service/Method`.

    Raises:
        Failure: None is meant, or more than one.
    """
    wanted = text.lstrip("/").replace("/", ".")
    dotted = {name.replace("/", "."): name for name in names}
    if wanted in dotted:
        return dotted[wanted]
    found = [name for key, name in dotted.items() if key.endswith(f".{wanted}")]
    if len(found) == 1:
        return found[0]
    if found:
        more = [f"  … and {len(found) - 20} more"] if len(found) > 20 else []
        raise Failure(
            f"{text} may be any of these:", *(f"  {each}" for each in sorted(found)[:20]), *more
        )
    near = _near(wanted, dotted)
    raise Failure(
        f"there is no method {text}" + ("; did you mean one of these?" if near else ""),
        *(f"  {dotted[each]}" for each in near),
    )


def _near(wanted: str, dotted: Collection[str]) -> list[str]:
    """Returns the nearest names: compared as a whole, then by their last parts alone."""
    whole = difflib.get_close_matches(wanted, dotted, n=_SHOWN)
    if whole:
        return whole
    last = wanted.rpartition(".")[2].lower()
    by_last: dict[str, list[str]] = {}
    for name in dotted:
        by_last.setdefault(name.rpartition(".")[2].lower(), []).append(name)
    near = difflib.get_close_matches(last, by_last, n=_SHOWN)
    return [name for each in near for name in sorted(by_last[each])][:_SHOWN]
