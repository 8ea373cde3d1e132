"""`gateway check --against OLD`: what clients that know OLD meet at the config that is checked.

What changes there are, and what they do to clients, is `gateway.app.compatibility`'s to say. Here
is where OLD is read, and what its changes are as findings: at the lines of the new protos, and
without those that a file accepts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from gateway.app import Generation
from gateway.app.compatibility.change import Change, Effect
from gateway.app.compatibility.compare import compare
from gateway.app.findings import Finding, Severity
from gateway.app.surface import stored
from gateway.app.surface.model import Surface
from gateway.app.surface.reading import surface_of
from gateway.cli.building import MISTAKES, lines_of, looked_at
from gateway.cli.configuration import FILE
from gateway.cli.failure import Exit, Failure
from gateway.cli.older import logged_as
from gateway.cli.places import element_of, place_of
from gateway.config import ConfigError, Loaded, Source, load
from gateway.config.entries import read_entries
from gateway.config.models.accepted import AcceptedFile

_SEVERITIES: Final = {
    Effect.BREAKING: Severity.ERROR,
    Effect.DANGEROUS: Severity.WARNING,
    Effect.SAFE: Severity.NOTE,
}
_SHOWN: Final = 3  # places that are named of a change that clients meet at several


async def changed_since(old: Path, new: Generation, accepted: Path | None) -> list[Finding]:
    """Returns what has changed, as findings; breaking changes are errors.

    Args:
        old: A config, a folder with one, or a file of `gateway generate api`.
        new: What is checked.
        accepted: A file of changes that are let pass; None for none.

    Raises:
        Failure: A file can't be read, or OLD can't be served.
    """
    reasons, source = _accepted(accepted)
    known = _stored(old) if old.suffix == ".json" else surface_of(await _served(old))
    changes = compare(known, surface_of(new))
    told = [_finding(each, new, reasons.get(each.id)) for each in changes]
    return [*told, *_unused(reasons, changes, source)]


def _stored(old: Path) -> Surface:
    try:
        return stored.read(old.read_bytes())
    except OSError as error:
        raise _unreadable(old, error) from error
    except stored.StoredError as error:
        raise Failure(f"{old}: is no file of `gateway generate api`: {error}") from error


async def _served(old: Path) -> Generation:
    try:
        with logged_as(f"--against {old}"):
            return await looked_at(_config(old))
    except MISTAKES as mistake:
        told = [f"--against {old}: {line}" for line in lines_of(mistake)]
        raise Failure(*told) from mistake


def _config(old: Path) -> Loaded:
    return load(old / FILE if old.is_dir() else old)


def _accepted(path: Path | None) -> tuple[Mapping[str, str], Source | None]:
    """Returns the reasons of changes that are accepted, and where each is written."""
    if path is None:
        return {}, None
    try:
        found, source = read_entries(path.read_bytes(), str(path), AcceptedFile, under="changes")
    except OSError as error:
        raise _unreadable(path, error) from error
    except ConfigError as wrong:
        raise Failure(*map(str, wrong.problems)) from wrong
    return {each.change: each.reason for each in found.changes}, source


def _finding(change: Change, new: Generation, reason: str | None) -> Finding:
    text = f"{change.effect.value} change: {change.message}{_met(change.met)} [{change.rule}]"
    severity = _SEVERITIES[change.effect]
    if reason is not None:
        text, severity = f"{text} (accepted: {reason})", Severity.NOTE
    element = change.element
    if not element and change.rule.startswith("graphql."):
        element = element_of(change.subject, new)
    place = place_of(element or change.subject, new)
    return Finding(change.rule, severity, text, *place, path=change.subject)


def _met(met: Iterable[str]) -> str:
    """Returns where clients meet a change, in words that follow what it is."""
    places = sorted(met)
    if not places:
        return ""
    more = len(places) - _SHOWN
    shown = ", ".join(places[:_SHOWN])
    return f"; met at {shown}{f' and {more} more' if more > 0 else ''}"


def _unused(
    reasons: Mapping[str, str], changes: Iterable[Change], source: Source | None
) -> Iterator[Finding]:
    """Yields a warning for each entry that accepts nothing: it would hide the next such change."""
    found = {each.id for each in changes}
    for index, name in enumerate(reasons):
        if name not in found and source is not None:
            place = source.place(("changes", index, "change")) or source.root.place
            message = f"there is no such change: {name}"
            yield Finding(
                "accepted.unused",
                Severity.WARNING,
                message,
                place.file,
                place.line or 0,
                place.column or 0,
            )


def _unreadable(path: Path, error: OSError) -> Failure:
    return Failure(f"{path} can't be read: {error.strerror}", code=Exit.MISTAKE)
