"""Finds and imports the objects that `graphql.extensions` names, or says why it can't be done.

A module is looked up as Python does it, and in the folders that it is told: the configuration's.
Python reads a module once: a change of it takes a new process.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import gateway
from gateway.schema.problem import Problem, SchemaError

if TYPE_CHECKING:  # it imports Strawberry
    from gateway.fronts.graphql.extend.declared import Extensions

_GATEWAY = Path(gateway.__file__).parent
_IMPORTLIB = Path(importlib.__file__).parent


class Loaded(NamedTuple):
    """Extensions, and what the configuration calls them."""

    name: str
    extensions: Extensions


def load(names: Iterable[str], folders: Sequence[Path] = ()) -> list[Loaded]:
    """Imports extensions.

    Args:
        names: Each a `module:object`.
        folders: Where modules are looked up besides; they stay on Python's path, at its end.

    Raises:
        SchemaError: With all that can't be imported, or are no extensions.
    """
    from gateway.fronts.graphql.extend.declared import Extensions  # noqa: PLC0415 - Strawberry

    for folder in map(str, folders):
        if folder not in sys.path:
            sys.path.append(folder)
    importlib.invalidate_caches()
    loaded, problems = [], []
    for name in names:
        module, _, attribute = name.partition(":")
        try:
            found = getattr(importlib.import_module(module), attribute, None)
        except Exception as failure:  # noqa: BLE001 - the module of a user may raise anything
            problems.append(_failed(name, failure))
            continue
        if isinstance(found, Extensions):
            loaded.append(Loaded(name, found))
        else:
            known = "is no Extensions" if found is not None else "is not in the module"
            problems.append(
                Problem(
                    name,
                    message=f"{attribute} {known}",
                    hint="extensions = gateway.extensions.Extensions()",
                )
            )
    if problems:
        raise SchemaError(problems)
    return loaded


def _failed(name: str, failure: Exception) -> Problem:
    """Tells why a module can't be imported: what was raised, and where in the user's code."""
    words = str(failure).partition("\n")[0]
    place = ""
    if isinstance(failure, SyntaxError):
        place, words = f"{failure.filename}:{failure.lineno}: ", failure.msg
    elif own := [each for each in traceback.extract_tb(failure.__traceback__) if _is_own(each)]:
        place = f"{own[-1].filename}:{own[-1].lineno}: "
    return Problem(name, message=f"can't be imported: {place}{type(failure).__name__}: {words}")


def _is_own(frame: traceback.FrameSummary) -> bool:
    """Whether a frame is in the code of the user."""
    file = Path(frame.filename)
    return (
        "site-packages" not in file.parts
        and not frame.filename.startswith("<")
        and not file.is_relative_to(_GATEWAY)
        and file.parent != _IMPORTLIB
    )
