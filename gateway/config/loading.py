"""From a file, overrides and the environment to a `Config`, or to everything that is wrong.

The order: text to a tree, overrides into it, structure, values, agreement between sections. All
of them run whatever the others find; only text that is not YAML stops the rest.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath

from pydantic import TypeAdapter, ValidationError

from gateway.config import checks, overrides, structure, wording
from gateway.config.document import MAX_SIZE, Builder, DocumentError, compose
from gateway.config.mocking import Mocking
from gateway.config.models import Admin, Config
from gateway.config.models.graphql import DEFAULT_JOINS, DEFAULT_OPERATIONS
from gateway.config.models.schema import DEFAULT_PROTOS
from gateway.config.noting import note
from gateway.config.problems import ConfigError, Path, Place, Problem
from gateway.config.source import Source
from gateway.config.tree import Node, find
from gateway.regular import open_regular

_ADAPTER = TypeAdapter(Config)
_ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be used.

    Attributes:
        config: The values.
        source: Where each was set.
        mocking: How answers are made up in place of all backends; None where they are asked.
    """

    config: Config = field(repr=False)  # as the source: a value may be a secret
    source: Source
    mocking: Mocking | None = None


def load(
    path: FilePath | str | None,
    *,
    text: str | None = None,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Read a config file.

    Args:
        path: The file, named in errors as it is here; None for defaults and overrides alone, whose
            relative paths are relative to the current folder.
        text: What the file says, where it was read before (`read_text`).
        overrides: `listener.address=127.0.0.1:0`, applied in this order.
        environ: Where `${NAME}` is looked up; `os.environ` by default.

    Raises:
        ConfigError: With every problem of the file and the overrides.
    """
    environ = os.environ if environ is None else environ
    if path is None:
        return _finish(_tree_of({}, Place("defaults")), [], FilePath(), overrides, environ)
    root, problems = _read(path, text, environ)
    return _finish(root, problems, FilePath(path).parent, overrides, environ)


def load_admin(
    path: FilePath | str,
    *,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Admin | None:
    """Read `admin` of a config file, whatever is wrong with its other sections.

    Args:
        path: As in `load`.
        overrides: As in `load`; of those of other sections the keys alone are looked at.
        environ: As in `load`.

    Returns:
        The section; None where it is switched off.

    Raises:
        ConfigError: With every problem of the section, or that of a file that can't be read.
    """
    environ = os.environ if environ is None else environ
    root, found = _read(path, None, environ)
    problems = [each for each in found if each.path.partition(".")[0] == _ADMIN]
    root, found = _overridden(root, overrides, environ)
    problems += found
    problems += [each for each in structure.examine(root, Config)[1] if each.file != str(path)]
    if isinstance(root.value, dict):
        # `admim` is told, too: without a section, that of another gateway may be at the default.
        own = {name: each for name, each in root.value.items() if structure.resembles(name, _ADMIN)}
        root = replace(root, value=own)
    return _judged(root, problems, FilePath(path).parent, ()).config.admin


def from_mapping(
    data: Mapping[str, object],
    *,
    origin: str,
    directory: FilePath | None = None,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Make a configuration from what a file would have said, without `${NAME}`.

    Args:
        data: Dicts, lists and scalars with texts as keys, as YAML would give them.
        origin: What places say instead of file and line, such as `--reflect`.
        directory: What relative paths are relative to; the current folder by default.
        overrides: As in `load`.
        environ: As in `load`, for the overrides.

    Raises:
        ConfigError: With every problem.
    """
    environ = os.environ if environ is None else environ
    root = _tree_of(data, Place(origin))
    return _finish(root, [], directory or FilePath(), overrides, environ)


def read_text(path: FilePath | str) -> str:
    """Read what a config file says, without looking at it.

    Raises:
        ConfigError: It can't be read, or is no text.
    """

    def problem(message: str, line: int | None = None, column: int | None = None) -> ConfigError:
        return ConfigError([Problem(str(path), line, column, "", message)])

    try:
        with open_regular(note(FilePath(path).absolute())) as file:
            data = file.read(MAX_SIZE + 1)
    except FileNotFoundError:
        raise problem("no such file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a file's name"
        raise problem(f"cannot be read: {reason}") from None
    if len(data) > MAX_SIZE:
        raise problem(f"larger than {MAX_SIZE} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = error.start - before.rfind(b"\n")
        raise problem("not UTF-8 text", before.count(b"\n") + 1, column) from None


def _read(
    path: FilePath | str, text: str | None, environ: Mapping[str, str]
) -> tuple[Node, list[Problem]]:
    """Returns the tree of a file, and what is wrong with what its texts say."""
    text = read_text(path) if text is None else text
    builder = Builder(str(path), environ)
    try:
        return builder.build(compose(text)), builder.problems
    except DocumentError as error:
        problem = Problem(str(path), error.line, error.column, "", str(error))
        raise ConfigError([problem]) from error


def _tree_of(data: object, place: Place) -> Node:
    match data:
        case Mapping():
            children = {str(name): _tree_of(value, place) for name, value in data.items()}
            return Node(children, place, place)
        case list() | tuple():
            return Node([_tree_of(value, place) for value in data], place, place)
        case None | str() | int() | float():
            return Node(data, place, place)
        case _:
            raise TypeError(f"not what YAML holds: {type(data).__name__}")


_DefaultPlace = tuple[str, str, str, Callable[[FilePath], bool]]
_DEFAULT_PLACES: tuple[_DefaultPlace, ...] = (
    ("schema", "protos", DEFAULT_PROTOS, FilePath.is_dir),
    ("graphql", "joins", DEFAULT_JOINS, FilePath.is_file),
    ("graphql", "operations", DEFAULT_OPERATIONS, FilePath.is_dir),
)
"""Files and folders beside the configuration that count where they exist: section, key, path."""


def _finish(
    root: Node,
    problems: list[Problem],
    directory: FilePath,
    settings: Iterable[str],
    environ: Mapping[str, str],
) -> Loaded:
    root, found = _overridden(root, settings, environ)
    return _judged(root, [*problems, *found], directory, _DEFAULT_PLACES)


def _overridden(
    root: Node, settings: Iterable[str], environ: Mapping[str, str]
) -> tuple[Node, list[Problem]]:
    problems = []
    for setting in settings:
        root, found = overrides.apply(root, setting, environ)
        problems += found
    return root, problems


def _judged(
    root: Node,
    problems: Iterable[Problem],
    directory: FilePath,
    places: Iterable[_DefaultPlace],
) -> Loaded:
    problems = list(problems)
    file = root.place.file
    if root.value is None:  # a file of nothing but comments and null
        root = Node({}, root.place, root.key)
    data, found = structure.examine(root, Config)
    problems += found
    _add_default_places(data, directory, places)
    try:
        config = _ADAPTER.validate_python(data, context={"directory": directory.absolute()})
    except ValidationError as error:
        problems += value_problems(error, root)
    problems += checks.check(root)
    if problems:
        raise ConfigError(in_order(problems, file))
    return Loaded(config, Source(root))


def _add_default_places(data: object, directory: FilePath, places: Iterable[_DefaultPlace]) -> None:
    """Has the configuration name the places that it has by default."""
    if not isinstance(data, dict):
        return
    for name, key, path, exists in places:
        section = data.get(name, {})
        if not isinstance(section, dict) or key in section:
            continue
        if exists(note(directory.absolute() / path)):
            data[name] = {**section, key: [path]}


def value_problems(error: ValidationError, root: Node) -> Iterable[Problem]:
    """Yields what pydantic found wrong with the values of a tree, each at its place."""
    for details in error.errors(include_url=False):
        path, message = wording.path_of(details), wording.message_of(details)
        found, node = find(root, path)
        if details["type"] == "too_short" and details["input"]:
            continue  # its items were refused, and said so
        if details["type"] == "missing":
            if found != path:  # otherwise it is there, and refused already
                yield Problem.at(node.key, path, message)
        else:  # `found` is shorter for a short form, which has no keys of its own
            at_name = details["loc"][-1:] == (wording.NAME_MARK,)
            yield Problem.at(node.key if at_name else node.place, found, message)


def in_order(problems: Iterable[Problem], file: str) -> list[Problem]:
    """By place, the file's before the overrides'; of one key only the first that was found."""
    first: dict[tuple[str, Path | str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.file, problem.path or str(problem)), problem)
    order = {name: rank for rank, name in enumerate(dict.fromkeys(p.file for p in first.values()))}
    order[file] = -1
    return sorted(first.values(), key=lambda p: (order[p.file], p.line or 0, p.column or 0, p.path))
