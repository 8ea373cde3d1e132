"""Reads a file that the config names and that has entries of its own: keys, users.

As strict as the config, with the same words and places, but without its overrides and without
`${NAME}`: such a file is written by commands.
"""

from pathlib import Path as FilePath
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from gateway.config import structure
from gateway.config.document import Builder, DocumentError, compose
from gateway.config.loading import in_order, value_problems
from gateway.config.problems import ConfigError, Path, Problem
from gateway.config.source import Source
from gateway.config.tree import Node

_T = TypeVar("_T")


def read_entries(
    data: bytes,
    file: str,
    section: type[_T],
    *,
    directory: FilePath = FilePath(),
    under: str | None = None,
) -> tuple[_T, Source]:
    """Returns what a file says, and where.

    Args:
        data: What it holds; empty is an empty file.
        file: Its name, as errors tell it.
        section: The model of it.
        directory: What relative paths in it are relative to.
        under: The one key of the model, where the file holds that key's value by itself.

    Raises:
        ConfigError: With every problem.
    """
    try:
        builder = Builder(file, {})
        written = compose(data.decode("utf-8-sig"))
        root = builder.build(written)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(file, line, 1, "", "not UTF-8 text")]) from None
    except DocumentError as error:
        raise ConfigError([Problem(file, error.line, error.column, "", str(error))]) from error
    if written is None or root.value is None:  # nothing but comments
        root = Node({} if under is None else [], root.place, root.key)
    if under is not None:
        root = Node({under: root}, root.place, root.key)
    values, problems = structure.examine(root, section)
    problems = [*builder.problems, *problems]
    found: _T | None = None
    try:
        found = TypeAdapter(section).validate_python(values, context={"directory": directory})
    except ValidationError as error:
        problems += value_problems(error, root)
    if problems or found is None:
        raise ConfigError(in_order(problems, file))
    return found, Source(root)


def problem_at(source: Source, path: Path, message: str) -> Problem:
    """Returns what is wrong with a value that was read, at its place."""
    place = source.place(path) or source.root.place
    return Problem.at(place, path, message)
