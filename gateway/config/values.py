"""The values of a config by their keys, as its file would have them; secrets are not shown.

A list is one value: of its items that are sections, only what is not by default is told.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from pydantic import SecretStr

from gateway.config.leaf import Leaf
from gateway.config.models import Config
from gateway.config.units import format_duration
from gateway.config.url_secrets import without_secrets

Key: TypeAlias = tuple[str, ...]
"""`("upstreams", "catalog", "timeout")`."""

Value: TypeAlias = "str | tuple[str, ...] | SecretStr"
"""What stands there: a text, the texts of a list, or what nobody is told."""

HIDDEN: Final = "***"


def leaves(config: Config) -> dict[Key, Value]:
    """Returns every value of a config, also those by default, by its key.

    The sections of lists (`policies.0`) have no keys of their own.
    """
    return {each.key: _shown(each) for each in _below((), config)}


def brief(section: object) -> str:
    """Returns what a section says that is not by default: `{address: a:1, weight: 2}`, or `a:1`."""
    hints = _hints(section)
    said = {
        each.name: _text(getattr(section, each.name), hints[each.name], secret=not each.repr)
        for each in _fields(section)
        if getattr(section, each.name) != _default(each)
    }
    if len(said) == 1:
        return next(iter(said.values()))
    return f"{{{', '.join(f'{name}: {text}' for name, text in said.items())}}}"


def said(value: object) -> str:
    """Returns a setting of a method as a policy would have it. Numbers with a point are seconds."""
    if isinstance(value, float):
        return format_duration(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(said, value))}]" if value else "none"
    return brief(value) if _is_section(value) else _text(value, None)


def places(config: object) -> Iterator[tuple[Key, Path]]:
    """Yields the files and folders that a config names, also those in lists, by their keys."""
    for each in _below((), config):
        value = each.value if isinstance(each.value, tuple) else (each.value,)
        for item in value:
            if isinstance(item, Path):
                yield each.key, item
            elif _is_section(item):
                yield from ((each.key, path) for _, path in places(item))


class _Given(NamedTuple):
    """One value as the model has it."""

    key: Key
    value: object
    hint: object
    secret: bool


def _below(key: Key, section: object) -> Iterator[_Given]:
    hints = _hints(section)
    for each in _fields(section):
        value = getattr(section, each.name)
        yield from _of(_Given((*key, each.name), value, hints[each.name], not each.repr))


def _of(given: _Given) -> Iterator[_Given]:
    if _is_section(given.value):
        yield from _below(given.key, given.value)
    elif isinstance(given.value, Mapping):
        for name, item in given.value.items():
            yield from _of(_Given((*given.key, str(name)), item, given.hint, given.secret))
    else:
        yield given


def _shown(given: _Given) -> Value:
    value = given.value
    if isinstance(value, SecretStr):
        return value
    if given.secret:
        return SecretStr(str(value))
    if isinstance(value, tuple):
        return tuple(_text(item, given.hint) for item in value)
    if isinstance(value, str) and without_secrets(value, HIDDEN) != value:
        return SecretStr(value)
    return _text(value, given.hint)


def _text(value: object, hint: object, *, secret: bool = False) -> str:
    """Returns one value in the words of the file."""
    if secret or isinstance(value, SecretStr):
        return HIDDEN
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if _is_section(value):
        return brief(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {_text(each, hint)}' for name, each in value.items())}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(_text(each, hint) for each in value)}]"
    leaf = _leaf(hint)
    shown = value if leaf is None or isinstance(value, Path) else leaf.show(value)
    return without_secrets(str(shown), HIDDEN) or '""'


def _is_section(value: object) -> bool:
    return hasattr(type(value), "__pydantic_fields__")


def _fields(section: object) -> tuple[Field[Any], ...]:
    return fields(typing.cast("Any", section))


def _hints(section: object) -> Mapping[str, object]:
    kind: Any = type(section)
    return _hints_of(kind)


@cache
def _hints_of(kind: type) -> Mapping[str, object]:
    return typing.get_type_hints(kind, include_extras=True)


def _leaf(hint: object) -> Leaf | None:
    """Returns the kind of scalar that stands somewhere in a hint."""
    for mark in getattr(hint, "__metadata__", ()):
        if isinstance(mark, Leaf):
            return mark
    # Keys of a mapping come first among the arguments, and are texts as they are.
    below = [_leaf(each) for each in reversed(typing.get_args(hint))]
    return next((each for each in below if each is not None), None)


def _default(field: Field[Any]) -> object:
    given = field.default
    return getattr(given, "default", given) if given is not MISSING else MISSING
