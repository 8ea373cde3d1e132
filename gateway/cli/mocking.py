"""The options of `serve --mock`, from what was typed to what they mean."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import typer

from gateway.config import Mocking
from gateway.config.units import UnitError, parse_duration

_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%?", re.ASCII)
_ALL: Final = 100.0


def mocking_of(
    *, on: bool, seed: str, files: Path | None, latency: str, errors: str, interval: str
) -> Mocking | None:
    """Returns how answers are made up; None where they are not.

    Args:
        on: Whether `--mock` was given.
        seed: What all of them follow from.
        files: The folder of written ones.
        latency: `50ms`, or `20ms-80ms`.
        errors: `1%`.
        interval: `200ms`.

    Raises:
        typer.BadParameter: One of them can't be used, or `--mock` is missing.
    """
    said = Mocking(
        seed=seed,
        files=None if files is None else str(files),
        latency=_range(latency),
        errors=_percent(errors),
        interval=_seconds("--mock-interval", interval),
    )
    if not on:
        if said != Mocking():
            raise typer.BadParameter("--mock-… goes with --mock")
        return None
    if files is not None and not files.is_dir():
        raise typer.BadParameter(f"--mock-files: {files} is no folder")
    return said


def _range(text: str) -> tuple[float, float]:
    first, dash, last = text.partition("-")
    least = _seconds("--mock-latency", first)
    most = _seconds("--mock-latency", last) if dash else least
    if most < least:
        raise typer.BadParameter(f"--mock-latency: {text} ends before it begins")
    return least, most


def _seconds(option: str, text: str) -> float:
    try:
        return parse_duration(text)
    except UnitError as wrong:
        raise typer.BadParameter(f"{option}: found {text!r}, expected {wrong}") from None


def _percent(text: str) -> float:
    found = _PERCENT.fullmatch(text)
    if found is None or float(found[1]) > _ALL:
        raise typer.BadParameter(f"--mock-errors: found {text!r}, expected a share such as 1%")
    return float(found[1])
