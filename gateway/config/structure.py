"""Compares a tree with the models: unknown keys, and rules among keys.

It says nothing about values; those that are left are pydantic's to judge. So a mistake in one key
never hides one in another.
"""

import difflib
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache

from gateway.config.markers import AtMost, Clash, Needs, OneOf, Refused
from gateway.config.problems import Path, Problem, format_path
from gateway.config.substitution import Substituted
from gateway.config.tree import Node, plain
from gateway.config.units import UnitError, format_size, parse_size

# Above the resemblance of "retry" to "rest" (0.67), below that of "adress" to "address" (0.92):
# what a name that is less alike was meant to be is anybody's guess.
_LIKELY = 0.7
NOTHING = "found nothing after the colon, expected a value; without the key it has its default"


@dataclass(frozen=True, slots=True)
class Shape:
    """What stands at a key.

    Attributes:
        section: The model of it, or of each of its items; None for a value.
        many: Whether it holds items: a list's, or a mapping's under free names.
    """

    section: type | None
    many: bool


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a section.

    Attributes:
        shape: What stands there.
        refused: Whether its reader refuses it.
    """

    shape: Shape
    refused: bool


@cache
def keys_of(section: type) -> Mapping[str, Key]:
    """The keys of a model, in the order of their definition."""
    hints = typing.get_type_hints(section, include_extras=True)
    found = {}
    for field in fields(section):
        hint = hints[field.name]
        marks = getattr(hint, "__metadata__", ())
        refused = any(isinstance(mark, Refused) for mark in marks)
        found[field.name] = Key(_shape(hint), refused)
    return found


def _shape(hint: object) -> Shape:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _shape(arguments[0])
    if origin is types.UnionType or origin is typing.Union:
        return next(filter(lambda shape: shape.section, map(_shape, arguments)), Shape(None, False))
    if origin in (tuple, Mapping):
        return Shape(_shape(arguments[0 if origin is tuple else 1]).section, many=True)
    is_section = isinstance(hint, type) and hasattr(hint, "__pydantic_fields__")
    return Shape(typing.cast("type", hint) if is_section else None, many=False)


def examine(node: Node, section: type) -> tuple[object, list[Problem]]:
    """What pydantic should validate, and every problem of structure.

    Args:
        node: The tree.
        section: The model of its root.

    Returns:
        Plain data without the keys that are unknown, and the problems.
    """
    examination = _Examination(section)
    return examination.section(node, section, ()), examination.problems


class _Examination:
    def __init__(self, root: type) -> None:
        self.problems: list[Problem] = []
        self._root = root

    def section(self, node: Node, section: type, path: Path) -> object:
        keys = keys_of(section)
        if not isinstance(node.value, dict):
            if (example := _switched(node.value, section)) is not None:
                message = f"found {str(node.value).lower()}, expected a mapping such as {example}"
                self.problems.append(Problem.at(node.place, path, message))
            return plain(node)
        data: dict[str, object] = {}
        for name, child in node.value.items():
            here = (*path, name)
            key = keys.get(name)
            if key is None:
                self._report(child, here, _unknown(name, section, self._root))
            elif child.value is None:
                self._report(child, here, NOTHING)
            else:
                data[name] = self._child(child, key.shape, here)
        self.problems.extend(_broken_rules(node, section, path))
        return data

    def _child(self, node: Node, shape: Shape, path: Path) -> object:
        if shape.section is None:
            return plain(node)
        if not shape.many:
            return self.section(node, shape.section, path)
        items = {
            name: self.section(child, shape.section, (*path, name)) for name, child in node.items()
        }
        if isinstance(node.value, list):
            return list(items.values())
        return items if isinstance(node.value, dict) else node.value

    def _report(self, node: Node, path: Path, message: str) -> None:
        self.problems.append(Problem.at(node.key, path, message))


def _switched(value: object, section: type) -> str | None:
    """Returns what was meant by `true` or `false` in place of a section; None for all else."""
    if not isinstance(value, bool):
        return None
    if "enabled" in keys_of(section):
        return f"{{enabled: {str(value).lower()}}}"
    return getattr(section, "EXAMPLE", None) if value else None


def _unknown(name: str, section: type, root: type) -> str:
    if name == "<<":
        return "merge keys are not supported; repeat the keys, or use an alias as a whole value"
    taken = [key for key, known in keys_of(section).items() if not known.refused]
    if near := difflib.get_close_matches(name, taken, 1, _LIKELY):
        return f'unknown key; did you mean "{near[0]}"?'
    elsewhere = [path for path, _ in all_keys(root) if path[-1] == name]
    if len(elsewhere) == 1:
        return f'unknown key; did you mean "{format_path(elsewhere[0])}"?'
    return f"unknown key; expected one of {', '.join(taken)}"


def resembles(name: str, key: str) -> bool:
    """Whether a name is a key, or likely meant to be it."""
    return bool(difflib.get_close_matches(name, [key], 1, _LIKELY))


def all_keys(section: type, path: Path = ()) -> Iterator[tuple[Path, Key]]:
    """Every key that is taken, with its path; items stand under `*`."""
    for name, key in keys_of(section).items():
        here = (*path, name)
        if not key.refused:
            yield here, key
            if key.shape.section is not None:
                below = (*here, "*") if key.shape.many else here
                yield from all_keys(key.shape.section, below)


def _broken_rules(node: Node, section: type, path: Path) -> Iterator[Problem]:
    children = typing.cast("dict[str, Node]", node.value)
    taken = {name for name, key in keys_of(section).items() if not key.refused}
    for rule in getattr(section, "RULES", ()):
        match rule:
            case OneOf(keys):
                given = [key for key in keys if key in children]
                if not given:
                    usable = [key for key in keys if key in taken]
                    message = f"expected one of the keys {' or '.join(usable)}"
                    if len(usable) == 1:
                        message = f"expected the key {usable[0]}"
                    yield Problem.at(node.key, path, message)
                for extra in given[1:]:
                    message = f"cannot stand beside {given[0]}; expected only one of them"
                    yield Problem.at(children[extra].key, (*path, extra), message)
            case Needs(key, other) if key in children and other not in children:
                message = f"means nothing without {other}; set it too"
                yield Problem.at(children[key].key, (*path, key), message)
            case Clash(key, other, value) if (
                key in children and other in children and children[other].value == value
            ):
                message = f"has no effect with {other}: {value}; remove one of them"
                yield Problem.at(children[key].key, (*path, key), message)
            case AtMost(key, other, sizes) if _exceeds(section, children, rule):
                at, what = (key, "more") if key in children else (other, "less")
                beside = other if at == key else key
                message = f"found {what} than {beside}"
                if beside not in children:
                    usual = _default(section, beside)
                    shown = format_size(int(usual)) if sizes else f"{usual:g}"
                    message += f", which is {shown} by default"
                yield Problem.at(children[at].key, (*path, at), message)


def _exceeds(section: type, children: Mapping[str, Node], rule: AtMost) -> bool:
    """Whether a number is over another; no if what is given is no number."""
    one, most = (
        _number(children[name].value, sizes=rule.sizes)
        if name in children
        else _default(section, name)
        for name in (rule.key, rule.other)
    )
    return one is not None and most is not None and one > most


def _default(section: type, key: str) -> float:
    default = getattr(section, "__pydantic_fields__")[key].default  # noqa: B009  not of `type`
    return typing.cast("float", default)


def _number(value: object, *, sizes: bool) -> float | None:
    """Returns the number that a key is given; None where that is none."""
    if sizes and isinstance(value, str):
        try:
            return parse_size(value)
        except UnitError:
            return None
    if isinstance(value, Substituted) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
