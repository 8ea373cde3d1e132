"""`gateway check --since OLD`: what callers may do now that they could not do before.

What a change does to callers is `gateway.app.effects`'s to say; here it becomes findings, each at
the line that says so now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from gateway.app import Generation
from gateway.app.effects import Effect, effects_of
from gateway.app.findings import Finding, Severity
from gateway.cli.building import MISTAKES, lines_of, looked_at
from gateway.cli.configuration import config_in
from gateway.cli.failure import Failure
from gateway.cli.findings import of_line
from gateway.cli.older import logged_as
from gateway.config import load
from gateway.config.effective import AUTHENTICATE, ROLES, SCOPES, WHEN, Leaf

_LEAVES: Final[dict[str, Leaf]] = {
    "method-anonymous": AUTHENTICATE,
    "method-provider-added": AUTHENTICATE,
    "method-scopes-lost": SCOPES,
    "method-roles-lost": ROLES,
    "method-roles-widened": ROLES,
    "method-condition-lost": WHEN,
}
"""The setting by which each kind of change came about."""

_OF_A_KEY: Final = ("value", "provider-kind", "pages-served")
"""Kinds of change that name a key of the config."""


async def opened_since(
    old: Path, new: Generation, severity: Severity, settings: Sequence[str] = ()
) -> list[Finding]:
    """Returns what a change opens.

    Args:
        old: A config, or a folder with one.
        new: What is checked.
        severity: How bad that is.
        settings: What `--set` says; it holds for both.

    Raises:
        Failure: OLD can't be served.
    """
    try:
        with logged_as(f"--since {old}"):
            before = await looked_at(load(config_in(old), overrides=settings))
    except MISTAKES as mistake:
        raise Failure(*(f"--since {old}: {line}" for line in lines_of(mistake))) from mistake
    opening = [each for each in await effects_of(before, new) if each.opens]
    return list(_findings(opening, new, severity))


def _findings(effects: list[Effect], new: Generation, severity: Severity) -> Iterator[Finding]:
    for each in effects:
        line = f"{_place(each, new)}: opened: {each.text}"
        yield replace(of_line(line, severity), rule=f"opened.{each.kind}")


def _place(effect: Effect, new: Generation) -> str:
    """Returns the line that says so now; that of the file where nothing does any more."""
    name = effect.names[0] if effect.names else ""
    if (leaf := _LEAVES.get(effect.kind)) is not None:
        settings = new.settings.get(name)
        found = None if settings is None else settings.leaves.get(leaf)
        return str(new.source.root.place) if found is None else found.place
    key: tuple[str, ...] = ()
    if effect.kind in _OF_A_KEY:
        key = tuple(name.split("."))
    elif effect.kind.startswith("pages"):
        key = ("pages", "authenticate")
    return str(new.source.place(key) or new.source.root.place)
